// SyscallCounter where there is libbpf. The program is bench/bpf/syscalls.bpf.c.
#include <memory>
#include <utility>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "bench/machine/account.hpp"
#include "syscalls.skel.h"

namespace rps::machine {

namespace {

struct DestroySkeleton {
  void operator()(syscalls* skeleton) const { syscalls__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<syscalls, DestroySkeleton>;

// libbpf says on stderr why something cannot be loaded. Here that is no error.
class QuietLibbpf {
 public:
  QuietLibbpf() : before_(libbpf_set_print(nullptr)) {}
  ~QuietLibbpf() { libbpf_set_print(before_); }
  QuietLibbpf(const QuietLibbpf&) = delete;
  QuietLibbpf& operator=(const QuietLibbpf&) = delete;

 private:
  libbpf_print_fn_t before_;
};

bool prepare(syscalls& skeleton, std::size_t processes) {
  struct stat pidns{};
  if (::stat("/proc/self/ns/pid", &pidns) != 0) return false;
  // The kernel compares with its own dev_t, which packs major and minor unlike the C library's.
  skeleton.rodata->pidns_dev = __u64{major(pidns.st_dev)} << 20 | minor(pidns.st_dev);
  skeleton.rodata->pidns_ino = pidns.st_ino;
  return bpf_map__set_max_entries(skeleton.maps.calls, static_cast<__u32>(processes)) == 0;
}

bool add_process(const bpf_map& calls, pid_t pid) {
  const auto key = static_cast<__u32>(pid);
  const __u64 none = 0;
  return bpf_map__update_elem(&calls, &key, sizeof key, &none, sizeof none, BPF_ANY) == 0;
}

}  // namespace

struct SyscallCounter::State {
  Skeleton skeleton;
  std::vector<pid_t> pids;
};

std::optional<SyscallCounter> SyscallCounter::start(std::span<const pid_t> pids) {
  if (pids.empty()) return std::nullopt;
  const QuietLibbpf quiet;
  auto state = std::make_unique<State>();
  state->pids.assign(pids.begin(), pids.end());
  state->skeleton.reset(syscalls__open());
  syscalls* const skeleton = state->skeleton.get();
  if (skeleton == nullptr || !prepare(*skeleton, pids.size())) return std::nullopt;
  if (syscalls__load(skeleton) != 0) return std::nullopt;
  for (const pid_t pid : pids) {
    if (!add_process(*skeleton->maps.calls, pid)) return std::nullopt;
  }
  if (syscalls__attach(skeleton) != 0) return std::nullopt;
  return SyscallCounter(std::move(state));
}

std::uint64_t SyscallCounter::count() const {
  std::uint64_t total = 0;
  for (const pid_t pid : state_->pids) {
    const auto key = static_cast<__u32>(pid);
    __u64 calls = 0;
    bpf_map__lookup_elem(state_->skeleton->maps.calls, &key, sizeof key, &calls, sizeof calls, 0);
    total += calls;
  }
  return total;
}

SyscallCounter::SyscallCounter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SyscallCounter::SyscallCounter(SyscallCounter&&) noexcept = default;
SyscallCounter& SyscallCounter::operator=(SyscallCounter&&) noexcept = default;
SyscallCounter::~SyscallCounter() = default;

}  // namespace rps::machine
