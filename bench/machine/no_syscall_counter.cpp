// SyscallCounter in a build without libbpf: there is never one.
#include "bench/machine/account.hpp"

namespace rps::machine {

struct SyscallCounter::State {};

std::expected<SyscallCounter, std::string> SyscallCounter::start(std::span<const pid_t>) {
  return std::unexpected("this rps-bench was built without libbpf");
}

std::uint64_t SyscallCounter::count() const {
  return 0;
}

SyscallCounter::SyscallCounter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SyscallCounter::SyscallCounter(SyscallCounter&&) noexcept = default;
SyscallCounter& SyscallCounter::operator=(SyscallCounter&&) noexcept = default;
SyscallCounter::~SyscallCounter() = default;

}  // namespace rps::machine
