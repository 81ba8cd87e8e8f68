// Server processes, which the harness starts, pins to a CPU and ends. No process outlives the
// harness: a Process ends its process when it is destroyed, and the kernel ends it when the harness
// is killed.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/clock.hpp"
#include "core/net/fd.hpp"

namespace rps::machine {

// How long a process that was sent SIGTERM may take to end before it is sent SIGKILL.
inline constexpr std::chrono::milliseconds term_to_kill_max{7000};

struct ProcessOptions {
  std::vector<std::string> argv;      // argv[0] is looked up in PATH when it has no slash.
  std::filesystem::path stderr_file;  // Appended to; empty: what it writes there is dropped.
  // The only CPUs it may use, from its first instruction on; none: those that this process may.
  std::vector<int> cpus;
};

// One child process with a pipe from its stdout. It leads a process group of its own, so that
// Ctrl-C on the terminal reaches the harness only, which then ends the child in order.
// Start and end it on one thread: the kernel counts the death of the starting thread as the death
// of the parent.
class Process {
 public:
  // Throws std::system_error, also when the program cannot be executed.
  explicit Process(const ProcessOptions& options);
  ~Process();  // stop()
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line of its stdout without the newline; nothing when the process closes its stdout or
  // `deadline` passes first.
  std::optional<std::string> read_line(Clock::time_point deadline);

  // SIGTERM, and after term_to_kill_max SIGKILL; reaps it. Twice is once. The wait status, as
  // waitpid() tells it.
  int stop();

  pid_t pid() const { return pid_; }

 private:
  bool wait_until(Clock::time_point deadline);

  pid_t pid_ = -1;
  net::Fd stdout_;
  net::Fd pidfd_;
  std::string unread_;
  std::optional<int> status_;
};

// "ended with exit code 1", "was killed by signal 9 (Killed)": of a wait status.
std::string describe_end(int status);

}  // namespace rps::machine
