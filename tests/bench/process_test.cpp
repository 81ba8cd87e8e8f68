#include "bench/machine/process.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>

#include <sys/wait.h>
#include <unistd.h>

#include "bench/machine/cpus.hpp"
#include "core/server/cpus.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using rps::Clock;
using rps::machine::describe_end;
using rps::machine::Process;

namespace {

Process shell(const std::string& script) {
  return Process({.argv = {"sh", "-c", script}, .stderr_file = {}, .cpus = {}});
}

Clock::time_point soon() {
  return Clock::now() + 10s;
}

bool is_alive(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

}  // namespace

TEST_CASE("lines are read one by one, and the end is told") {
  Process process = shell("echo one; echo two; printf half");
  CHECK(process.read_line(soon()) == "one");
  CHECK(process.read_line(soon()) == "two");
  CHECK_FALSE(process.read_line(soon()));
}

TEST_CASE("a process that says nothing is not waited for beyond the deadline") {
  Process process = shell("sleep 60");
  CHECK_FALSE(process.read_line(Clock::now() + 20ms));
}

TEST_CASE("a process ends with its owner and leaves nothing behind") {
  pid_t pid = -1;
  {
    Process process = shell("echo up; exec sleep 60");
    CHECK(process.read_line(soon()) == "up");
    pid = process.pid();
    CHECK(is_alive(pid));
  }
  CHECK_FALSE(is_alive(pid));
}

TEST_CASE("stopping is SIGTERM, once") {
  Process process = shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done");
  CHECK(process.read_line(soon()) == "up");
  const int status = process.stop();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(process.stop() == status);
}

TEST_CASE("a program that cannot be executed is an error that says why") {
  const auto start = [](const std::string& path) {
    return Process({.argv = {path}, .stderr_file = {}, .cpus = {}});
  };
  CHECK_THROWS_WITH(start("/does/not/exist"),
                    "cannot start /does/not/exist: No such file or directory");
  CHECK_THROWS_WITH(start("/dev/null"), "cannot start /dev/null: Permission denied");
}

TEST_CASE("how a process ended is told in words") {
  Process orderly = shell("exit 3");
  CHECK_FALSE(orderly.read_line(soon()));
  CHECK(describe_end(orderly.stop()) == "ended with exit code 3");
  Process killed = shell("kill -9 $$");
  CHECK_FALSE(killed.read_line(soon()));
  CHECK(describe_end(killed.stop()) == "was killed by signal 9 (Killed)");
}

TEST_CASE("stderr goes to its file") {
  const std::string path = "/tmp/rps_process_test." + std::to_string(::getpid());
  {
    Process process(
        {.argv = {"sh", "-c", "echo trouble >&2; echo done"}, .stderr_file = path, .cpus = {}});
    CHECK(process.read_line(soon()) == "done");
  }
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == "trouble\n");
  ::unlink(path.c_str());
}

TEST_CASE("a pinned process may use its CPU only") {
  const int cpu = rps::server::usable_cpus().affinity.back();
  Process process({.argv = {"sh", "-c", "grep Cpus_allowed_list /proc/self/status"},
                   .stderr_file = {},
                   .cpus = {cpu}});
  CHECK(process.read_line(soon()) == "Cpus_allowed_list:\t" + std::to_string(cpu));
}
