// What the harness shows while it works, on stderr: stdout is for the report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace rps::load {

enum class ProgressStyle : std::uint8_t {
  quiet,
  lines,  // A line for each trial that ended.
  live,   // One line, refreshed, with the time that is left.
};

// `live` on a terminal, else `lines`.
ProgressStyle progress_style(bool quiet);

class Progress {
 public:
  Progress(ProgressStyle style, std::size_t trials);
  ~Progress();  // Clears the live line.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(std::string name);       // A trial begins …
  void tick();                        // … goes on, a few times a second …
  void end(std::string_view result);  // … and ends with this result, one short line.

 private:
  std::string head() const;

  ProgressStyle style_;
  std::size_t trials_;
  std::size_t ended_ = 0;
  std::string name_;
  Clock::time_point started_at_;
};

}  // namespace rps::load
