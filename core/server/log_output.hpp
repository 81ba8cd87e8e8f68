// The descriptor that the log is written to. Writing never waits for the reader: a thread that
// serves would stop serving.
//
//   rps_log_lines_lost_total     lines that the descriptor did not take
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/server/log_spelling.hpp"

namespace prometheus {
class Collectable;
class Counter;
class Registry;
}  // namespace prometheus

namespace rps::server {

// Whole lines at the front of `lines`, as many as may be written at once. REQUIRES: none is longer
// than limits::log_line_bytes_max.
std::string_view first_lines(std::string_view lines);

// Every function may be called from any thread.
class LogOutput {
 public:
  // `descriptor` stays the caller's, and open.
  LogOutput(int descriptor, LogSpelling spelling);
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;
  ~LogOutput();  // Tries once more to write the lines that are kept.

  // Writes a line. One that the descriptor does not take at once is written before the next one; of
  // such lines 32 KiB are kept, and further ones are lost.
  void write(std::string_view line);

  // Writes lines, all of them, as no line of another thread comes between. False when the
  // descriptor does not take them at once: then the caller has them still. When it cannot take
  // them ever, as when the disk is full, they are lost. REQUIRES: first_lines(lines) == lines.
  bool try_write(std::string_view lines);

  // Waits until the descriptor may take lines, as long as `patience` at most.
  void wait_until_ready(std::chrono::milliseconds patience) const;

  // Counts lines that are lost. Before the next line that is written, one says how many they were.
  void lose(std::uint64_t count);
  void lose(std::string_view lines);

  const LogSpelling& spelling() const { return spelling_; }

  // rps_log_lines_lost_total.
  std::shared_ptr<prometheus::Collectable> metrics() const;

 private:
  enum class Taken : std::uint8_t { all, not_now, never };

  bool is_ready(std::chrono::milliseconds patience) const;
  bool put_kept();
  bool put_report();
  std::string report_of(std::uint64_t lost) const;
  Taken put(std::string_view lines);
  bool put_all(std::string_view& lines);

  const int descriptor_;
  const LogSpelling spelling_;
  std::shared_ptr<prometheus::Registry> registry_;  // Owns the counter.
  prometheus::Counter* lost_;
  std::atomic<std::uint64_t> unreported_{0};  // Of the lost ones.

  std::mutex mutex_;  // Between the look at the descriptor and the writing nobody else writes.
  std::string kept_;  // Lines that were not taken.
  bool is_in_line_ = false;  // The last line was written in part only.
};

}  // namespace rps::server
