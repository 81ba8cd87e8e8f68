// What the kernel counts, against processes that know how many system calls they make. Without the
// privilege it ends with exit code 4, or fails with RPS_REQUIRE_PRIVILEGED=1.
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include <bpf/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/machine/account.hpp"
#include "bench/machine/text_file.hpp"
#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/net/file.hpp"
#include "tests/bench/child.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::Clock;
using rps::machine::Child;
using rps::machine::SyscallCounter;
using rps::machine::Turns;

namespace {

constexpr unsigned calls = 12'345;

SyscallCounter start_or_skip(std::span<const pid_t> pids) {
  auto counter = SyscallCounter::start(pids);
  if (counter) return std::move(*counter);
  const char* required = std::getenv("RPS_REQUIRE_PRIVILEGED");
  if (required != nullptr && std::string_view(required) == "1") FAIL(counter.error());
  std::printf("SKIP: needs CAP_BPF and CAP_PERFMON: %s\n", counter.error().c_str());
  std::exit(4);
}

void ask_for_parent(unsigned times) {
  for (unsigned i = 0; i < times; ++i) ::syscall(SYS_getppid);
}

// When told to, makes that many calls, besides the one that tells it is done and the one that
// waits.
Child::Body caller(unsigned times) {
  return [times](const Turns& parent) {
    parent.tell(0);
    while (true) {
      parent.await();
      ask_for_parent(times);
      parent.tell(0);
    }
  };
}

// Until it waits in the kernel, having begun whatever it will begin.
void wait_until_idle(const Child& child) {
  child.await();
  const std::string path = "/proc/" + std::to_string(child.pid()) + "/stat";
  while (rps::machine::read_first_line(path).find(") S ") == std::string::npos) {
    std::this_thread::sleep_for(1ms);
  }
}

// The BPF programs that this process holds open.
std::set<unsigned> program_ids() {
  std::set<unsigned> ids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    const std::string text = rps::net::read_file(entry.path()).value_or("");
    const auto id = static_cast<unsigned>(rps::machine::number_of(text, "prog_id:"));
    if (id != 0) ids.insert(id);
  }
  return ids;
}

bool is_loaded(unsigned id) {
  return static_cast<bool>(rps::net::Fd(bpf_prog_get_fd_by_id(id)));
}

}  // namespace

TEST_CASE("every system call of a process is counted, and nobody else's") {
  const Child child(caller(calls));
  const Child other(caller(calls));
  wait_until_idle(child);
  wait_until_idle(other);
  const std::array pids{child.pid()};
  const SyscallCounter counter = start_or_skip(pids);
  CHECK(counter.count() == 0);
  other.tell();
  wait_until_idle(other);
  CHECK(counter.count() == 0);
  child.tell();
  wait_until_idle(child);
  constexpr unsigned own = 2;
  CHECK(counter.count() == calls + own);
}

TEST_CASE("processes are counted together, and so are their threads") {
  const Child one(caller(100));
  const Child many([](const Turns& parent) {
    parent.tell(0);
    parent.await();
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) threads.emplace_back([] { ask_for_parent(calls); });
    }
    parent.tell(0);
    parent.await();
  });
  wait_until_idle(one);
  wait_until_idle(many);
  const std::array pids{one.pid(), many.pid()};
  const SyscallCounter counter = start_or_skip(pids);
  one.tell();
  many.tell();
  wait_until_idle(one);
  wait_until_idle(many);
  constexpr unsigned for_threads = 200;  // To make them, join them, and for their memory.
  CHECK(counter.count() >= 100 + 4 * calls);
  CHECK(counter.count() <= 100 + 4 * calls + for_threads);
}

TEST_CASE("a counter goes without a trace") {
  const std::array pids{::getpid()};
  const std::set<unsigned> before = program_ids();
  std::set<unsigned> ours;
  {
    SyscallCounter first = start_or_skip(pids);
    const SyscallCounter counter = std::move(first);
    for (const unsigned id : program_ids()) {
      if (!before.contains(id)) ours.insert(id);
    }
    CHECK(ours.size() == 1);
    for (const unsigned id : ours) CHECK(is_loaded(id));
    CHECK(counter.count() > 0);
  }
  CHECK(program_ids() == before);
  // The kernel unloads a program a little after the last descriptor is closed.
  const Clock::time_point deadline = Clock::now() + 30s;
  for (const unsigned id : ours) {
    while (is_loaded(id) && Clock::now() < deadline) std::this_thread::sleep_for(10ms);
    CHECK_FALSE(is_loaded(id));
  }
}
