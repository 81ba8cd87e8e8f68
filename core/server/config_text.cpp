#include "core/server/config_text.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/utf8.hpp"

namespace rps::server {

namespace {

constexpr std::string_view blanks = " \t\r";

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

std::string_view trimmed(std::string_view text) {
  skip_blanks(text);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// Takes the first line away from `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

// As a sentence repeats it, which is no place for a line of any length.
std::string shown(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  const bool is_cut = text.size() > bytes_max;
  return printable(text.substr(0, bytes_max)) + (is_cut ? "…" : "");
}

using Mistake = std::optional<std::string>;

// Takes a value from the front of `text`; without quotes it ends before one of `ends`.
Mistake take_value(std::string_view& text, std::string_view ends, std::string& value) {
  const char quote = text.empty() ? '\0' : text.front();
  if (quote != '"' && quote != '\'') {
    const std::string_view bare = text.substr(0, text.find_first_of(ends));
    text.remove_prefix(bare.size());
    value = trimmed(bare);
    return value.empty() ? Mistake("has no value") : std::nullopt;
  }
  const std::size_t end = text.find(quote, 1);
  if (end == std::string_view::npos) return "has a value whose quotes do not end";
  value = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
  skip_blanks(text);
  return std::nullopt;
}

// Takes "[a, b]" from the front of `text`.
Mistake take_array(std::string_view& text, std::vector<std::string>& values) {
  text.remove_prefix(1);
  skip_blanks(text);
  while (!text.starts_with(']')) {
    if (auto mistake = take_value(text, ",]#", values.emplace_back())) return mistake;
    if (text.starts_with(',')) {
      text.remove_prefix(1);
      skip_blanks(text);
    } else if (!text.starts_with(']')) {
      return "has an array that does not end on its line";
    }
  }
  text.remove_prefix(1);
  skip_blanks(text);
  return values.empty() ? Mistake("has no value") : std::nullopt;
}

// REQUIRES: `line` is trimmed, not empty and no comment.
std::expected<ConfigEntry, std::string> parse_line(std::string_view line) {
  const auto refuse = [](std::string_view key, std::string_view why) {
    return std::unexpected("the key '" + shown(key) + "' " + std::string(why));
  };
  if (line.starts_with('[')) {
    return std::unexpected("the section '" + shown(line) + "' has no meaning");
  }
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return refuse(line, "has no '=' behind it");
  ConfigEntry entry{.key = std::string(trimmed(line.substr(0, equals)))};
  std::string_view rest = trimmed(line.substr(equals + 1));
  const Mistake mistake = rest.starts_with('[')
                              ? take_array(rest, entry.values)
                              : take_value(rest, "#", entry.values.emplace_back());
  if (mistake) return refuse(entry.key, *mistake);
  if (!rest.empty() && !rest.starts_with('#')) {
    return refuse(entry.key, "has something behind its value");
  }
  return entry;
}

}  // namespace

std::expected<std::vector<ConfigEntry>, std::string> parse_config(std::string_view text) {
  std::vector<ConfigEntry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = trimmed(take_line(text));
    if (line.empty() || line.starts_with('#')) continue;
    auto entry = parse_line(line);
    if (!entry) return std::unexpected("line " + std::to_string(number) + ": " + entry.error());
    entries.push_back(*std::move(entry));
  }
  return entries;
}

}  // namespace rps::server
