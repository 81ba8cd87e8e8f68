// SyscallCounter where there is libbpf. The program is bench/bpf/syscalls.bpf.c.
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>
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

// `error` is an errno, positive or negative.
std::unexpected<std::string> cannot(std::string_view step, int error) {
  return std::unexpected("cannot " + std::string(step) + ": " +
                         std::generic_category().message(std::abs(error)));
}

std::expected<void, std::string> prepare(syscalls& skeleton, std::size_t processes) {
  struct stat pidns{};
  if (::stat("/proc/self/ns/pid", &pidns) != 0) return cannot("read /proc/self/ns/pid", errno);
  // The kernel compares with its own dev_t, which packs major and minor unlike the C library's.
  skeleton.rodata->pidns_dev = __u64{major(pidns.st_dev)} << 20 | minor(pidns.st_dev);
  skeleton.rodata->pidns_ino = pidns.st_ino;
  const int error = bpf_map__set_max_entries(skeleton.maps.calls, static_cast<__u32>(processes));
  if (error != 0) return cannot("size the BPF map", error);
  return {};
}

// 0, or an errno.
int add_process(const bpf_map& calls, pid_t pid) {
  const auto key = static_cast<__u32>(pid);
  const __u64 none = 0;
  return bpf_map__update_elem(&calls, &key, sizeof key, &none, sizeof none, BPF_ANY);
}

}  // namespace

struct SyscallCounter::State {
  Skeleton skeleton;
  std::vector<pid_t> pids;
};

std::expected<SyscallCounter, std::string> SyscallCounter::start(std::span<const pid_t> pids) {
  assert(!pids.empty());
  const QuietLibbpf quiet;
  auto state = std::make_unique<State>();
  state->pids.assign(pids.begin(), pids.end());
  state->skeleton.reset(syscalls__open());
  syscalls* const skeleton = state->skeleton.get();
  if (skeleton == nullptr) return cannot("open the BPF object", errno);
  if (const auto prepared = prepare(*skeleton, pids.size()); !prepared) {
    return std::unexpected(prepared.error());
  }
  if (const int error = syscalls__load(skeleton)) return cannot("load the BPF program", error);
  for (const pid_t pid : pids) {
    if (const int error = add_process(*skeleton->maps.calls, pid)) {
      return cannot("write to the BPF map", error);
    }
  }
  if (const int error = syscalls__attach(skeleton)) return cannot("attach the BPF program", error);
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
