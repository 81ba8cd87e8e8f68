// The log for threads that write a line for every call. Such a line does not cost the thread a call
// of the kernel: it is put into a buffer, which a thread of this class writes out in pieces of many
// lines.
//
//   serving threads ──▶ buffers, up to 4 MiB ──▶ one thread ──▶ LogOutput
//
// A line waits for 50 ms at most (limits.hpp), if the reader of the log keeps up. When the reader
// is so slow that the buffers are full, lines are lost and counted (log_output.hpp). Lines of one
// thread stay in order. Those of several, and those of the rest of the log, may be as much out of
// order as they may wait; each has its time. A process that ends by a signal loses the lines that
// wait.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/clock.hpp"
#include "core/server/log_output.hpp"

namespace spdlog {
class logger;
}

namespace rps::server {

class BulkLog {
 public:
  // Its lines are written at level info if `log` has that level. REQUIRES: both outlive it.
  BulkLog(const spdlog::logger& log, LogOutput& output) : log_(log), output_(output) {}

  // Writes what waits, as far as the reader takes it at once. To wait for the reader, flush().
  ~BulkLog();
  BulkLog(const BulkLog&) = delete;
  BulkLog& operator=(const BulkLog&) = delete;

  // Starts the thread that writes, if it has not been started. Throws std::system_error when there
  // can be no further thread. Any thread, one at a time.
  void start();

  // Whether lines are written: the log has the level info. Any thread.
  bool is_on() const;

  // Writes a line about what happened at `at`. Never waits for the reader. Any thread. REQUIRES:
  // start() was called.
  void write(Clock::time_point at, std::string_view message) noexcept;

  // Has the lines written that wait, and returns when none does, at the latest at `deadline`. Any
  // thread.
  void flush(Clock::time_point deadline);

 private:
  // Lines of those threads that have this part. A part of its own lets threads not wait for each
  // other.
  struct alignas(64) Part {
    std::mutex mutex;  // Guards the rest.
    LogTime time;
    std::string lines;
  };
  static constexpr std::size_t part_count = 16;

  // Of the bytes that wait.
  struct Growth {
    std::size_t before = 0;
    std::size_t after = 0;
  };

  Growth append(Part& part, Clock::time_point at, std::string_view message);
  void wake();
  void run();
  bool wait_for_lines();
  void write_out(Part& part);
  void write_out(std::string_view lines);
  bool is_over();

  const spdlog::logger& log_;
  LogOutput& output_;
  std::array<Part, part_count> parts_;
  std::atomic<std::size_t> waiting_{0};  // Bytes in the parts and in taken_.

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  bool is_asked_ = false;  // By flush(). These two are guarded by mutex_.
  bool is_over_ = false;

  std::string taken_;  // Of the thread: what it has taken out of a part.
  std::thread thread_;
};

}  // namespace rps::server
