#include "bench/machine/account.hpp"

#include <array>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/machine/cpus.hpp"
#include "bench/machine/machine_cpu.hpp"
#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/server/cpus.hpp"
#include "tests/bench/child.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::Clock;
using rps::machine::Child;
using rps::machine::read_usage;
using rps::machine::Traffic;
using rps::machine::Turns;
using rps::machine::Usage;
using rps::net::Fd;

namespace {

double own_cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// Uses CPU until so much was used by this process, outside the kernel or mostly in it.
void burn(double until_seconds) {
  volatile unsigned sink = 0;
  while (own_cpu_seconds() < until_seconds) {
    for (unsigned i = 0; i < 10'000; ++i) sink = sink + i;
  }
}

void burn_in_kernel(double until_seconds) {
  const Fd zero(::open("/dev/zero", O_RDONLY));
  std::vector<char> room(1 << 20);
  while (own_cpu_seconds() < until_seconds) (void)!::read(zero.get(), room.data(), room.size());
}

// Where this process may say so, others get next to nothing of its CPU. A session of its own has a
// priority of its own (sched(7), autogroup).
void go_first() {
  ::setpriority(PRIO_PROCESS, 0, -20);
  ::setsid();
  std::ofstream("/proc/self/autogroup") << "-20";
}

Usage usage_of(const Child& child) {
  const std::array pids{child.pid()};
  const auto usage = read_usage(pids);
  REQUIRE(usage);
  return *usage;
}

double seconds(const Usage& usage) {
  return usage.user_seconds + usage.system_seconds;
}

// A connection to a listener of this process.
struct Connection {
  Fd client{::socket(AF_INET, SOCK_STREAM, 0)};
  Fd server;

  Connection() {
    const Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener.get(), generic, length) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    REQUIRE(::getsockname(listener.get(), generic, &length) == 0);
    REQUIRE(::connect(client.get(), generic, length) == 0);
    server = Fd(::accept(listener.get(), nullptr, nullptr));
    REQUIRE(server);
  }
};

bool send_all(const Fd& to, std::size_t size) {
  const std::vector<char> bytes(size);
  return ::send(to.get(), bytes.data(), size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

bool receive_all(const Fd& from, std::size_t size) {
  std::vector<char> bytes(size);
  return ::recv(from.get(), bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

}  // namespace

TEST_CASE("the account tells the CPU time that a process knows it has used") {
  const Child child([](const Turns& parent) {
    burn(0.3);
    parent.tell(own_cpu_seconds());
    parent.await();
    parent.tell(own_cpu_seconds());
  });
  const double told_before = child.await();
  const Usage usage = usage_of(child);
  child.tell();
  const double told_after = child.await();
  CHECK(seconds(usage) >= told_before);
  CHECK(seconds(usage) <= told_after);
  CHECK(usage.user_seconds > 0.5 * told_before);
}

// The kernel divides a process's CPU time into user and system time by what its timer interrupts
// find. Beside other processes those may miss every system call of a short run, so the run is
// repeated.
TEST_CASE("time in the kernel is told apart from time outside") {
  constexpr int runs_max = 10;
  double share = 0;
  for (int run = 0; run < runs_max && share <= 0.5; ++run) {
    const Child child([](const Turns& parent) {
      burn_in_kernel(0.3);
      parent.tell(own_cpu_seconds());
      parent.await();
    });
    const double told = child.await();
    share = usage_of(child).system_seconds / told;
  }
  CHECK(share > 0.5);
}

TEST_CASE("waiting is counted as switches, in every thread") {
  constexpr int naps = 50;
  const Child child([](const Turns& parent) {
    const auto nap = [] {
      for (int i = 0; i < naps; ++i) std::this_thread::sleep_for(1ms);
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&parent, &nap, i] {
        nap();
        if (i == 0) parent.tell(0);
        while (true) ::pause();
      });
    }
    nap();
    while (true) ::pause();
  });
  child.await();
  const std::array pids{child.pid()};
  // The others end their naps about now; what is waited for must come.
  auto usage = read_usage(pids);
  for (int i = 0; usage && usage->voluntary_switches < 4 * naps && i < 1000; ++i) {
    std::this_thread::sleep_for(10ms);
    usage = read_usage(pids);
  }
  REQUIRE(usage);
  CHECK(usage->threads == 4);
  CHECK(usage->voluntary_switches >= 4 * naps);
  CHECK(usage->voluntary_switches < 8 * naps);
}

TEST_CASE("memory and open files are seen, and the peak is remembered") {
  constexpr std::size_t size = 64 << 20;
  // The kernel counts pages for each CPU and adds them up later, and may take a few back meanwhile.
  constexpr std::size_t inaccuracy = 1 << 20;
  const Child child([](const Turns& parent) {
    parent.await();
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, size);
    for (int i = 0; i < 5; ++i) (void)!::dup(0);
    parent.tell(0);
    parent.await();
    ::munmap(memory, size);
    parent.tell(0);
    parent.await();
  });
  const Usage before = usage_of(child);
  child.tell();
  child.await();
  const Usage with = usage_of(child);
  child.tell();
  child.await();
  const Usage after = usage_of(child);

  CHECK(with.rss_bytes + inaccuracy >= before.rss_bytes + size);
  CHECK(with.rss_bytes < before.rss_bytes + size + (8 << 20));
  CHECK(after.rss_bytes + size / 2 < with.rss_bytes);
  CHECK(after.rss_peak_bytes + inaccuracy >= before.rss_bytes + size);
  CHECK(with.open_files == before.open_files + 5);
  CHECK(before.threads == 1);
}

TEST_CASE("a group is the sum of its processes, and nothing when one is gone") {
  const auto burner = [](const Turns& parent) {
    burn(0.05);
    parent.tell(0);
    parent.await();
  };
  const Child one(burner);
  Child other(burner);
  one.await();
  other.await();
  const std::array both{one.pid(), other.pid()};
  const auto sum = read_usage(both);
  REQUIRE(sum);
  CHECK(seconds(*sum) == Approx(seconds(usage_of(one)) + seconds(usage_of(other))).margin(0.001));
  CHECK(sum->threads == 2);
  CHECK(sum->open_files == usage_of(one).open_files + usage_of(other).open_files);

  other.kill();
  CHECK_FALSE(read_usage(both));
  CHECK(read_usage({}));
}

TEST_CASE("a process that has ended is gone, even before anyone has asked how") {
  Child child([](const Turns&) { ::_exit(0); });
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
  const std::array pids{child.pid()};
  CHECK_FALSE(read_usage(pids));
}

TEST_CASE("what was used in between never runs backwards") {
  const Usage earlier{.user_seconds = 1.0,
                      .system_seconds = 2.0,
                      .voluntary_switches = 10,
                      .involuntary_switches = 20,
                      .threads = 9,
                      .rss_bytes = 900};
  Usage later{.user_seconds = 1.5,
              .system_seconds = 2.25,
              .voluntary_switches = 15,
              .involuntary_switches = 27,
              .threads = 4,
              .rss_bytes = 400};
  const Usage used = rps::machine::used_between(earlier, later);
  CHECK(used.user_seconds == 0.5);
  CHECK(used.system_seconds == 0.25);
  CHECK(used.voluntary_switches == 5);
  CHECK(used.involuntary_switches == 7);
  CHECK(used.threads == 4);
  CHECK(used.rss_bytes == 400);

  later.user_seconds = 0.75;  // The split moved, the sum is 3.25.
  later.system_seconds = 2.5;
  later.voluntary_switches = 3;  // A thread has ended.
  const Usage moved = rps::machine::used_between(earlier, later);
  CHECK(moved.user_seconds == 0);
  CHECK(moved.system_seconds == 0.25);
  CHECK(moved.voluntary_switches == 0);
}

TEST_CASE("TCP connections tell every byte, and other descriptors none") {
  const Connection inside;  // Both ends are ours: what one sends, the other receives.
  const Traffic before = rps::machine::read_tcp_traffic();
  REQUIRE(send_all(inside.client, 10'000));
  REQUIRE(receive_all(inside.server, 10'000));
  REQUIRE(send_all(inside.server, 300));
  REQUIRE(receive_all(inside.client, 300));
  const Traffic both = rps::machine::moved_between(before, rps::machine::read_tcp_traffic());
  CHECK(both.sent == 10'300);
  CHECK(both.received == 10'300);

  Connection outside;
  const Child child([&](const Turns& parent) {
    if (!receive_all(outside.server, 2'000'000) || !send_all(outside.server, 77)) ::_exit(1);
    parent.tell(0);
    parent.await();
  });
  outside.server = Fd();
  const Fd null(::open("/dev/null", O_WRONLY));
  const Traffic start = rps::machine::read_tcp_traffic();
  REQUIRE(send_all(outside.client, 2'000'000));
  REQUIRE(receive_all(outside.client, 77));
  REQUIRE(::write(null.get(), "nothing", 7) == 7);
  child.await();
  const Traffic one_way = rps::machine::moved_between(start, rps::machine::read_tcp_traffic());
  CHECK(one_way.sent == 2'000'000);
  CHECK(one_way.received == 77);
}

TEST_CASE("connections that are closed take their bytes with them") {
  Traffic before;
  {
    const Connection connection;
    REQUIRE(send_all(connection.client, 100));
    before = rps::machine::read_tcp_traffic();
  }
  const Traffic moved = rps::machine::moved_between(before, rps::machine::read_tcp_traffic());
  CHECK(moved.sent == 0);
  CHECK(moved.received == 0);
}

TEST_CASE("what children read and write is what was sent to them and received") {
  constexpr int turns = 1000;
  const Child child([](const Turns& parent) {
    for (int i = 0; i < turns; ++i) {
      parent.await();
      parent.tell(0);
      parent.tell(1);
    }
  });
  const std::array pids{child.pid()};
  const auto before = rps::machine::read_pipe_traffic(pids);
  REQUIRE(before);
  for (int i = 0; i < turns; ++i) {
    child.tell();
    child.await();
    child.await();
  }
  const auto after = rps::machine::read_pipe_traffic(pids);
  REQUIRE(after);
  const Traffic moved = rps::machine::moved_between(*before, *after);
  CHECK(moved.sent == turns * sizeof(double));
  CHECK(moved.received == 2 * turns * sizeof(double));
}

TEST_CASE("what the hypervisor took is part of what a CPU was busy") {
  std::istringstream stat(
      "cpu  100 0 100 0 0 0 0 60 0 0\n"
      "cpu0 10 1 20 900 800 2 3 40 700 600\n"
      "cpu1 50 0 50 900 800 0 0 5 0 0\n");
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  CHECK(rps::machine::stolen_seconds({0}, stat) == Approx(40 / ticks));
  stat.clear();
  stat.seekg(0);
  CHECK(rps::machine::stolen_seconds({0, 1}, stat) == Approx(45 / ticks));
  stat.clear();
  stat.seekg(0);
  CHECK(rps::machine::busy_seconds({0}, stat) == Approx(76 / ticks));
}

// Another process may use the CPU at any time, but then ours gets less than all of it.
TEST_CASE("both sides together are what the machine counted for their CPU") {
  const int cpu = rps::server::usable_cpus().affinity.back();
  const std::vector cpus{cpu};
  const auto burner = [](const Turns& parent) {
    go_first();
    parent.await();
    burn(own_cpu_seconds() + 0.75);
    parent.tell(0);
    parent.await();
  };
  const Child server(burner);
  const Child load(burner);
  const std::array pids{server.pid(), load.pid()};
  for (const pid_t pid : pids) REQUIRE(rps::machine::pin_process(pid, cpu));

  const Clock::time_point begin = Clock::now();
  const double busy_before = rps::machine::busy_seconds(cpus);
  const double stolen_before = rps::machine::stolen_seconds(cpus);
  const auto before = read_usage(pids);
  server.tell();
  load.tell();
  server.await();
  load.await();
  const auto after = read_usage(pids);
  const double busy = rps::machine::busy_seconds(cpus) - busy_before;
  const double stolen = rps::machine::stolen_seconds(cpus) - stolen_before;
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  REQUIRE(before);
  REQUIRE(after);
  const double ours = seconds(rps::machine::used_between(*before, *after));

  constexpr double ticks = 0.03;  // Of the kernel's account in hundredths.
  CHECK(ours >= 1.5);
  CHECK(busy >= 0.95 * ours - ticks);
  CHECK(stolen <= busy + ticks);
  if (ours < 0.97 * wall) {
    WARN("somebody else used the CPU: only one side of the account could be checked");
    return;
  }
  CHECK(busy <= 1.05 * ours + ticks);
}

// Read calls of this process, which the kernel counts (proc(5)); none where it does not.
std::optional<std::uint64_t> read_calls() {
  std::ifstream file("/proc/self/io");
  for (std::string name; file >> name;) {
    std::uint64_t value = 0;
    file >> value;
    if (name == "syscr:") return value;
  }
  return std::nullopt;
}

TEST_CASE("a hundred processes are read with a few read calls each") {
  std::vector<std::unique_ptr<Child>> children;
  std::vector<pid_t> pids;
  for (int i = 0; i < 100; ++i) {
    children.push_back(std::make_unique<Child>([](const Turns& parent) { parent.await(); }));
    pids.push_back(children.back()->pid());
  }
  const auto before = read_calls();
  const auto usage = read_usage(pids);
  const auto after = read_calls();
  REQUIRE(usage);
  CHECK(usage->threads == 100);
  if (!before || !after) {
    WARN("the kernel does not count read calls: how many there were is not checked");
    return;
  }
  CHECK(*after - *before <= 8 * pids.size());
}
