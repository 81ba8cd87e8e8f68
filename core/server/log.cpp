#include "core/server/log.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include "core/net/terminal.hpp"
#include "core/utf8.hpp"

namespace rps::server {

namespace {

using Text = spdlog::string_view_t;
using Buffer = spdlog::memory_buf_t;

void append(std::string_view text, Buffer& out) {
  out.append(text.data(), text.data() + text.size());
}

// The character at the front of `text`, which is UTF-8, as JSON spells it inside a string (RFC
// 8259, section 7).
void append_escaped(std::string_view text, std::size_t length, Buffer& out) {
  switch (text.front()) {
    case '"': return append("\\\"", out);
    case '\\': return append("\\\\", out);
    case '\n': return append("\\n", out);
    case '\r': return append("\\r", out);
    case '\t': return append("\\t", out);
    default: break;
  }
  const std::string escape = control_escape(text);
  append(escape.empty() ? text.substr(0, length) : escape, out);
}

// Appends `text` as the inside of a JSON string. What is not UTF-8 becomes U+FFFD, a byte at a
// time.
void append_escaped(std::string_view text, Buffer& out) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      append("\xef\xbf\xbd", out);
    } else {
      append_escaped(text, length, out);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

// A pattern flag that prints one text of the message, escaped.
class Escaped final : public spdlog::custom_flag_formatter {
 public:
  using Field = Text spdlog::details::log_msg::*;

  explicit Escaped(Field field) : field_(field) {}

  void format(const spdlog::details::log_msg& message, const std::tm&, Buffer& out) override {
    const Text text = message.*field_;
    append_escaped({text.data(), text.size()}, out);
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<Escaped>(field_);
  }

 private:
  Field field_;
};

using ColoredStderr = spdlog::sinks::stderr_color_sink_mt;

// Writes lines to stderr and never waits for its reader: a thread that serves would stop serving. A
// pipe that can be written to takes PIPE_BUF bytes at once, which is more than a line has.
class StandardError final : public ColoredStderr {
 public:
  explicit StandardError(spdlog::color_mode color) : ColoredStderr(color) {}

  void log(const spdlog::details::log_msg& message) override {
    const std::scoped_lock lock(log_mutex_);
    if (lost_ > 0 && takes_a_line()) report_lost(message.logger_name);
    if (!takes_a_line()) {
      ++lost_;
    } else {
      ColoredStderr::log(message);
    }
  }

 private:
  static bool takes_a_line() {
    pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    return ::poll(&ready, 1, 0) != 0;
  }

  void report_lost(Text logger) {
    const std::string text =
        fmt::format("lines of the log that are lost because stderr did not take them: {}", lost_);
    ColoredStderr::log({logger, spdlog::level::warn, text});
    lost_ = 0;
  }

  std::mutex log_mutex_;  // Between the look at stderr and the writing no other thread writes.
  std::uint64_t lost_ = 0;
};

// Text lines are escaped as well: a message with a newline must not look like two messages.
const char* pattern(LogFormat format) {
  switch (format) {
    case LogFormat::text: return "%Y-%m-%dT%H:%M:%S.%eZ %^%-8l%$ %N: %J";
    case LogFormat::json:
      return R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","logger":"%N","message":"%J"})";
  }
  return "%J";
}

spdlog::level::level_enum threshold(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::critical;
  }
  return spdlog::level::info;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const std::string& name, const LogOptions& options) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<Escaped>('N', &spdlog::details::log_msg::logger_name)
      .add_flag<Escaped>('J', &spdlog::details::log_msg::payload)
      .set_pattern(pattern(options.format));
  const auto color =
      net::shows_color(STDERR_FILENO) ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto logger = std::make_shared<spdlog::logger>(name, std::make_shared<StandardError>(color));
  logger->set_formatter(std::move(formatter));
  set_level(*logger, options.level);
  return logger;
}

void set_level(spdlog::logger& log, LogLevel level) {
  log.set_level(threshold(level));
}

}  // namespace rps::server
