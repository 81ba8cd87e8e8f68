#include "bench/machine/text_file.hpp"

#include "core/net/file.hpp"
#include "core/number.hpp"

namespace rps::machine {

namespace {

std::string_view without_space(std::string_view text) {
  constexpr std::string_view space = " \t";
  const std::size_t begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) + 1 - begin);
}

}  // namespace

std::string read_first_line(const std::string& path) {
  const auto text = net::read_file(path);
  return text ? text->substr(0, text->find('\n')) : std::string();
}

std::optional<std::string_view> find_field(std::string_view text, std::string_view label) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(label)) return without_space(line.substr(label.size()));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
  }
  return std::nullopt;
}

std::uint64_t number_of(std::string_view text, std::string_view label) {
  std::string_view field = find_field(text, label).value_or(std::string_view());
  return take_number<std::uint64_t>(field).value_or(0);
}

}  // namespace rps::machine
