// What the harness shows while it works, on stderr: stdout is for the report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/loop.hpp"
#include "core/clock.hpp"

namespace rps::report {

enum class ProgressStyle : std::uint8_t {
  quiet,
  lines,  // A line for each interval of a long trial, and for each trial that ended.
  live,   // One block, refreshed by control sequences: the trial, how it goes, the time left.
};

class Progress {
 public:
  // `seconds`: how long all trials are to take, for the time that is left; corrected by how long
  // those that ended took.
  Progress(ProgressStyle style, std::size_t trials, double seconds);
  ~Progress();  // Clears the live block.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(std::string name, double seconds);   // A trial begins, planned to take so long …
  void tick();                                    // … goes on, a few times a second …
  void interval(const load::Interval& interval);  // … shows how …
  void end(std::string_view result);              // … and ends with this result, one short line.

 private:
  std::string head() const;
  std::string time_left() const;
  void draw();
  void clear();

  ProgressStyle style_;
  std::size_t trials_;
  double seconds_;          // Of all trials, as planned …
  double ended_seconds_{};  // … of those that ended …
  double trial_seconds_{};  // … and of the one that goes on.
  std::size_t ended_ = 0;
  std::string name_;
  std::string state_;   // Of the last interval.
  std::string result_;  // Of the last trial.
  Clock::time_point started_at_;
  Clock::time_point line_at_;  // When the last line about an interval was written.
  bool drawn_ = false;
};

}  // namespace rps::report
