#include "stage4_ebpf/observer.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rpc_counters.skel.h"
#include "stage4_ebpf/diagnosis.hpp"
#include "stage4_ebpf/libbpf_log.hpp"

namespace rps::observe {
namespace {

struct DestroySkeleton {
  void operator()(rpc_counters* skeleton) const { rpc_counters__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<rpc_counters, DestroySkeleton>;

// The counters of all CPUs as memory: reading them is no system call and needs no privilege.
class CountersView {
 public:
  CountersView() = default;
  explicit CountersView(const bpf_map* map) {
    const std::size_t cpus = bpf_map__max_entries(map);
    void* memory =
        ::mmap(nullptr, cpus * sizeof(rps_counters), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
    if (memory != MAP_FAILED) per_cpu_ = {static_cast<const rps_counters*>(memory), cpus};
  }
  CountersView(CountersView&& other) noexcept : per_cpu_(std::exchange(other.per_cpu_, {})) {}
  CountersView& operator=(CountersView&& other) noexcept {
    std::swap(per_cpu_, other.per_cpu_);
    return *this;
  }
  ~CountersView() {
    if (*this) ::munmap(const_cast<rps_counters*>(per_cpu_.data()), per_cpu_.size_bytes());
  }

  explicit operator bool() const { return !per_cpu_.empty(); }

  rps_counters sum() const {
    rps_counters total{};
    for (const rps_counters& one : per_cpu_) {
      for (const auto field : counter_fields) {
        total.*field += __atomic_load_n(&(one.*field), __ATOMIC_RELAXED);
      }
    }
    return total;
  }

 private:
  std::span<const rps_counters> per_cpu_;
};

// Tells the programs whom they count for.
bool set_target(rpc_counters& skeleton) {
  struct stat pidns{};
  if (::stat("/proc/self/ns/pid", &pidns) != 0) return false;
  skeleton.rodata->target_tgid = static_cast<__u32>(::getpid());
  // The kernel compares with its own dev_t, which packs major and minor unlike the C library's.
  skeleton.rodata->target_pidns_dev = __u64{major(pidns.st_dev)} << 20 | minor(pidns.st_dev);
  skeleton.rodata->target_pidns_ino = pidns.st_ino;
  return true;
}

template <class Visit>
void for_each_program(const bpf_object& object, Visit visit) {
  bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(&object, program)) != nullptr) visit(*program);
}

// Those that the kernel's BTF does not know. (Where it cannot be read, none is known to be
// missing.)
std::vector<std::string> hooks_missing(const bpf_object& object) {
  std::vector<std::string> missing;
  for_each_program(object, [&missing](const bpf_program& program) {
    const std::string section = bpf_program__section_name(&program);  // "tp_btf/<hook>"
    const std::string hook = section.substr(section.find('/') + 1);
    if (libbpf_find_vmlinux_btf_id(hook.c_str(), BPF_TRACE_RAW_TP) == -ENOENT) {
      missing.push_back(hook);
    }
  });
  return missing;
}

// Any but the first user namespace, whose inode is the same in every kernel (PROC_USER_INIT_INO).
bool in_user_namespace() {
  constexpr ino_t initial = 0xEFFFFFFD;
  struct stat userns{};
  return ::stat("/proc/self/ns/user", &userns) == 0 && userns.st_ino != initial;
}

// In bit N, whether the process has capability N in effect. The kernel is asked, for /proc need not
// be there; nothing if it does not tell.
std::optional<std::uint64_t> effective_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0) return std::nullopt;
  return std::uint64_t{words[1].effective} << 32 | words[0].effective;
}

// Finds out whether bpf() is there, and whether a seccomp filter refuses it. Arguments longer than
// a page are the first thing that the kernel's bpf() looks at: if it answers anything but E2BIG, it
// was not reached.
void look_for_bpf(Findings& findings) {
  constexpr std::size_t too_long = 1 << 20;
  const int error = ::syscall(SYS_bpf, 0, nullptr, too_long) < 0 ? errno : 0;
  if (error == E2BIG) return;
  findings.is_filtered = ::prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
  findings.has_bpf = findings.is_filtered || error != ENOSYS;
}

// `error` is an errno, positive or negative.
std::string what_failed(std::string_view step, int error) {
  return "cannot " + std::string(step) + ": " + std::generic_category().message(std::abs(error));
}

// `step` was refused by the kernel with `error`.
Reason why_refused(std::string_view step, int error, const LibbpfLog& libbpf,
                   const Skeleton& skeleton) {
  Findings findings;
  findings.attempt = what_failed(step, error);
  const std::string warning = without_guess(libbpf.first_warning());
  if (!warning.empty()) findings.attempt += " (" + warning + ")";
  findings.is_refusal = std::abs(error) == EPERM || std::abs(error) == EACCES;
  if (const auto effective = effective_capabilities()) {
    findings.capabilities_missing = capabilities_missing(*effective);
  }
  findings.in_user_namespace = in_user_namespace();
  look_for_bpf(findings);
  findings.has_btf = std::filesystem::exists(kernel_btf_path);
  if (findings.has_btf && skeleton) findings.hooks_missing = hooks_missing(*skeleton->obj);
  return explain(findings);
}

std::uint64_t events_missed(const bpf_object& object) {
  std::uint64_t missed = 0;
  for_each_program(object, [&missed](const bpf_program& program) {
    bpf_prog_info info{};
    __u32 length = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(&program), &info, &length) == 0) {
      missed += info.recursion_misses;
    }
  });
  return missed;
}

}  // namespace

struct Observer::Impl {
  Skeleton skeleton;
  CountersView counters;
};

std::expected<Observer, Reason> Observer::attach(spdlog::logger& log) {
  LibbpfLog libbpf(log);
  auto impl = std::make_unique<Impl>();
  Skeleton& skeleton = impl->skeleton;
  const auto failed = [](std::string_view step, int error) {
    return std::unexpected(Reason{.text = what_failed(step, error)});
  };
  const auto refused = [&](std::string_view step, int error) {
    return std::unexpected(why_refused(step, error, libbpf, skeleton));
  };

  skeleton.reset(rpc_counters__open());
  if (!skeleton) return failed("open the BPF object", errno);
  if (!set_target(*skeleton)) return failed("read /proc/self/ns/pid", errno);
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return failed("count the CPUs", cpus);
  if (const int error =
          bpf_map__set_max_entries(skeleton->maps.counters, static_cast<__u32>(cpus))) {
    return failed("size the counters", error);
  }
  if (const int error = rpc_counters__load(skeleton.get())) {
    return refused("load the BPF programs", error);
  }
  impl->counters = CountersView(skeleton->maps.counters);
  if (!impl->counters) return refused("map the counters", errno);
  if (const int error = rpc_counters__attach(skeleton.get())) {
    return refused("attach the BPF programs", error);
  }
  return Observer(std::move(impl));
}

Observer::Observer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Observer::Observer(Observer&&) noexcept = default;
Observer& Observer::operator=(Observer&&) noexcept = default;
Observer::~Observer() = default;

Reading Observer::read() const {
  return {.counters = impl_->counters.sum(), .missed = events_missed(*impl_->skeleton->obj)};
}

}  // namespace rps::observe
