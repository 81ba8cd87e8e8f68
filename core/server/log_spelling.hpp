// How a line of the log is spelled, as text for people or as JSON for machines:
//
//   2026-11-27T07:39:27.850Z info     rps-grpc: serving at grpc://127.0.0.1:50051, house fair
//   {"time":"2026-11-27T07:39:27.850Z","level":"info","logger":"rps-grpc","message":"…"}
//
// JSON lines are valid JSON whatever bytes are logged: what is not UTF-8 becomes U+FFFD. Messages
// are escaped in both formats as in a JSON string (RFC 8259, section 7), so that no input can forge
// a line or speak to a terminal. A line has at most limits::log_line_bytes_max bytes; the message
// of a longer one is cut and ends with "…".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <spdlog/common.h>

#include "core/clock.hpp"

namespace rps::server {

enum class LogFormat : std::uint8_t { text, json };

// Immutable, so safe from any thread.
class LogSpelling {
 public:
  // `name`: of the program. `has_color`: whether lines of text show their level in colour.
  LogSpelling(std::string_view name, LogFormat format, bool has_color);

  // Appends a line with its line feed to `out`. `time`: as LogTime spells it.
  void append(std::string_view time, spdlog::level::level_enum level, std::string_view message,
              std::string& out) const;

 private:
  std::string before_time_;
  std::array<std::string, spdlog::level::n_levels> after_time_;  // As far as the message.
  std::string after_message_;
};

// Spells times in UTC with milliseconds, "2026-11-27T07:39:27.850". The clocks are read and the
// date is worked out only when the second is another one than that of the call before. So a step of
// the system's clock shows a second later at most. One thread at a time.
class LogTime {
 public:
  // Valid until the next call.
  std::string_view text(Clock::time_point at);

 private:
  void begin_second(Clock::time_point at);

  static constexpr std::size_t size = std::string_view("2026-11-27T07:39:27.850").size();
  std::array<char, size> text_{};
  Clock::time_point begins_at_ = Clock::time_point::max();  // The second whose text is there.
};

}  // namespace rps::server
