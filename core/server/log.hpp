// The structured log: one line an event on stderr, as text for people or as JSON for machines.
// stdout belongs to the program's own output (the first line of a server is its URL).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace rps::server {

// The least that is logged. Critical, above them all, is only why the process could not go on; it
// is told even with `off`.
enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

// A logger of its own, not spdlog's global one; safe from any thread. JSON lines have the members
// time (RFC 3339, UTC), level, logger, message, and are valid JSON whatever bytes are logged: what
// is not UTF-8 becomes U+FFFD. Control characters are escaped in both formats, so no input can
// forge a line or speak to a terminal.
std::shared_ptr<spdlog::logger> make_logger(const std::string& name, const LogOptions& options);

}  // namespace rps::server
