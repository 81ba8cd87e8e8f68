// The structured log: one line for each event on stderr, as text for people or as JSON for
// machines. Nothing is logged to stdout, where a server prints its URL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace rps::server {

// The lowest level that is logged. One line is above all of these and is logged even with `off`:
// why the process could not start or go on (level critical).
enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

// A logger of its own, not spdlog's global one; safe from any thread. JSON lines have the members
// time (RFC 3339, UTC), level, logger, message, and are valid JSON whatever bytes are logged: what
// is not UTF-8 becomes U+FFFD. Control characters are escaped in both formats, so no input can
// forge a line or speak to a terminal. Logging never waits for the reader of stderr: a line that
// stderr cannot take at once is lost, and the next line that it takes says how many were.
std::shared_ptr<spdlog::logger> make_logger(const std::string& name, const LogOptions& options);

// Changes the lowest level that `log` writes. Any thread.
void set_level(spdlog::logger& log, LogLevel level);

}  // namespace rps::server
