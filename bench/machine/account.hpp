// The resources that processes use during a window: CPU time, context switches, memory, bytes,
// system calls.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <sys/types.h>

namespace rps::machine {

// What a group of processes has used so far, all threads together.
struct Usage {
  double user_seconds = 0;
  double system_seconds = 0;
  std::uint64_t voluntary_switches = 0;    // A thread waited.
  std::uint64_t involuntary_switches = 0;  // The kernel gave the CPU to another thread.
  std::uint32_t threads = 0;               // Now.
  std::uint64_t rss_bytes = 0;             // Now.
  std::uint64_t rss_peak_bytes = 0;        // Ever.
  std::uint64_t open_files = 0;            // Now.

  double cpu_seconds() const { return user_seconds + system_seconds; }
  bool operator==(const Usage&) const = default;
};

// The sum over processes. The error is a sentence: one of them has ended, or /proc does not tell of
// it. Of a peak that is a sum of peaks. The
// sum of user and system time is the kernel's nanosecond account, threads that have ended included;
// how it is split between the two is sampled by the kernel, by the tick. Switches are those of the
// threads that live. Costs some tens of microseconds for a thread.
std::expected<Usage, std::string> read_usage(std::span<const pid_t> pids);

// `later` minus `earlier` in what counts up, never below zero; the rest as it is in `later`.
Usage used_between(const Usage& earlier, const Usage& later);

// Bytes, seen from this process.
struct Traffic {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

// What went through the TCP connections that this process has open now, whichever library owns
// them: payload only, each byte once however often it was sent, as the kernel counts it for each
// connection (TCP_INFO).
Traffic read_tcp_traffic();

// The same for pipes to children: `sent` is what they have read and `received` what they have
// written (rchar and wchar of /proc/<pid>/io). The kernel counts there what passes through read(),
// write() and their kin, whatever the file: with a log or a program loaded in between it is more
// than the pipes. The error is a sentence: which file of /proc does not tell it.
// REQUIRES: there are children.
std::expected<Traffic, std::string> read_pipe_traffic(std::span<const pid_t> children);

// What moved from one reading to the next; zero rather than less when connections were closed.
Traffic moved_between(const Traffic& earlier, const Traffic& later);

// Counts the system calls that processes begin, all their threads together, in the kernel: with a
// BPF program on raw_tp/sys_enter. While it is loaded it slows every system call of the machine, so
// it must not be loaded during a window. It is unloaded with this object, or with this process.
class SyscallCounter {
 public:
  // Of these processes, not of children that they start. The error says what failed and what the
  // kernel said, or that this build has no libbpf. REQUIRES: there are processes.
  static std::expected<SyscallCounter, std::string> start(std::span<const pid_t> pids);
  ~SyscallCounter();
  SyscallCounter(SyscallCounter&&) noexcept;
  SyscallCounter& operator=(SyscallCounter&&) noexcept;

  // Since the start. REQUIRES: it was not moved from.
  std::uint64_t count() const;

 private:
  struct State;
  explicit SyscallCounter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rps::machine
