#include "core/server/log_spelling.hpp"

#include <chrono>
#include <climits>
#include <cstddef>

#include <spdlog/fmt/fmt.h>

#include "core/server/limits.hpp"
#include "core/utf8.hpp"

namespace rps::server {

namespace {

namespace level = spdlog::level;

static_assert(limits::log_line_bytes_max <= PIPE_BUF);  // What a pipe takes as a whole.

constexpr std::string_view ellipsis = "…";

// The characters of ASCII that stand for themselves inside a JSON string.
constexpr auto is_plain = [] {
  std::array<bool, 256> plain{};
  for (unsigned char c = ' '; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

std::size_t plain_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_plain[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

// Appends the character at the front of `text`, of which `length` bytes are UTF-8.
void append_character(std::string_view text, std::size_t length, std::string& out) {
  switch (text.front()) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default: break;
  }
  const std::string escape = control_escape(text);
  out.append(escape.empty() ? text.substr(0, length) : escape);
}

// Appends what is at the front of `text`, and returns how many bytes of it that was: all characters
// that stand for themselves, or one that does not, or one byte that is not UTF-8.
std::size_t append_front(std::string_view text, std::string& out) {
  if (const std::size_t plain = plain_length(text); plain > 0) {
    out.append(text.substr(0, plain));
    return plain;
  }
  const std::size_t length = utf8_length(text);
  if (length == 0) {
    out.append("\xef\xbf\xbd");
    return 1;
  }
  append_character(text, length, out);
  return length;
}

// Appends `text` as the inside of a JSON string; from where `out` has more than `size_max` bytes
// it is cut.
void append_escaped(std::string_view text, std::size_t size_max, std::string& out) {
  while (!text.empty()) {
    const std::size_t before = out.size();
    const std::size_t read = append_front(text, out);
    if (out.size() > size_max) {
      const bool can_be_divided = is_plain[static_cast<unsigned char>(text.front())];
      out.resize(can_be_divided ? size_max : before);
      out.append(ellipsis);
      return;
    }
    text.remove_prefix(read);
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(text, text.max_size(), out);
  return out;
}

std::string_view name_of(level::level_enum level) {
  const spdlog::string_view_t name = level::to_string_view(level);
  return {name.data(), name.size()};
}

// The control sequence (ECMA-48, "SGR") that switches the level's colour on.
std::string_view color_of(level::level_enum level) {
  switch (level) {
    case level::debug: return "\033[36m";
    case level::info: return "\033[32m";
    case level::warn: return "\033[33m\033[1m";
    case level::err: return "\033[31m\033[1m";
    case level::critical: return "\033[1m\033[41m";
    case level::trace:
    case level::off:
    case level::n_levels: break;
  }
  return "\033[37m";
}

std::string after_time(level::level_enum level, std::string_view name, LogFormat format,
                       bool has_color) {
  const std::string_view level_name = name_of(level);
  switch (format) {
    case LogFormat::text:
      return fmt::format("Z {}{:<8}{} {}: ", has_color ? color_of(level) : "", level_name,
                         has_color ? "\033[m" : "", escaped(name));
    case LogFormat::json:
      return fmt::format(R"(Z","level":"{}","logger":"{}","message":")", level_name, escaped(name));
  }
  return {};
}

}  // namespace

LogSpelling::LogSpelling(std::string_view name, LogFormat format, bool has_color)
    : before_time_(format == LogFormat::json ? R"({"time":")" : ""),
      after_message_(format == LogFormat::json ? "\"}\n" : "\n") {
  for (int i = 0; i < level::n_levels; ++i) {
    after_time_[i] = after_time(static_cast<level::level_enum>(i), name, format, has_color);
  }
}

void LogSpelling::append(std::string_view time, level::level_enum level, std::string_view message,
                         std::string& out) const {
  const std::size_t size_max =
      out.size() + limits::log_line_bytes_max - ellipsis.size() - after_message_.size();
  out.append(before_time_).append(time).append(after_time_[level]);
  append_escaped(message, size_max, out);
  out.append(after_message_);
}

std::string_view LogTime::text(Clock::time_point at) {
  if (at < begins_at_ || at - begins_at_ >= std::chrono::seconds(1)) begin_second(at);
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(at - begins_at_).count();
  for (std::size_t digit = size - 1; digit >= size - 3; --digit) {
    text_[digit] = static_cast<char>('0' + left % 10);
    left /= 10;
  }
  return {text_.data(), text_.size()};
}

void LogTime::begin_second(Clock::time_point at) {
  const auto wall = std::chrono::system_clock::now() - (Clock::now() - at);
  const auto second = std::chrono::floor<std::chrono::seconds>(wall);
  begins_at_ = at - (wall - second);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  fmt::format_to_n(text_.data(), size, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000",
                   static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                   static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(),
                   time.seconds().count());
}

}  // namespace rps::server
