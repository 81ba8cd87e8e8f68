#include "bench/model/format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace rps::model {

namespace {

struct Unit {
  double size;
  std::string_view name;
};

constexpr std::array<Unit, 4> time_units{{{1e9, " s"}, {1e6, " ms"}, {1e3, " µs"}, {1, " ns"}}};
constexpr std::array<Unit, 3> rate_units{{{1e6, "M"}, {1e3, "k"}, {1, ""}}};

// To three significant digits, so that 999.6 is shown in the next unit.
double rounded(double value) {
  if (value <= 0) return 0;
  const double step = std::pow(10, std::floor(std::log10(value)) - 2);
  return std::round(value / step) * step;
}

template <std::size_t size>
const Unit& unit_for(double value, const std::array<Unit, size>& units) {
  const double shown = rounded(value);
  const auto fits =
      std::ranges::find_if(units, [&](const Unit& unit) { return shown >= unit.size; });
  return fits == units.end() ? units.back() : *fits;
}

int decimals_for(double value) {
  const double shown = rounded(value);
  if (shown >= 100) return 0;
  if (shown >= 10) return 1;
  return shown >= 0.1 || shown < 1e-4 ? 2 : 1 - static_cast<int>(std::floor(std::log10(shown)));
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> text;
  const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), value,
                                            std::chars_format::fixed, decimals);
  return failure == std::errc{} ? std::string(text.data(), end) : "?";
}

template <std::size_t size>
std::string with_unit(double value, const std::array<Unit, size>& units) {
  const Unit& unit = unit_for(value, units);
  return format_number(value / unit.size) + std::string(unit.name);
}

template <std::size_t size>
std::string range_with_unit(const Estimate& estimate, const std::array<Unit, size>& units) {
  const Unit& unit = unit_for(estimate.high, units);
  const int decimals = decimals_for(estimate.high / unit.size);
  return fixed(estimate.low / unit.size, decimals) + "–" +
         fixed(estimate.high / unit.size, decimals) + std::string(unit.name);
}

// How many bytes of `text` its first `columns` characters take.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t bytes = 0;
  while (bytes < text.size() && display_width(text.substr(0, bytes + 1)) <= columns) ++bytes;
  return bytes;
}

}  // namespace

std::string format_number(double value) {
  return fixed(value, decimals_for(value));
}

std::string format_nanoseconds(double nanoseconds) {
  return with_unit(nanoseconds, time_units);
}

std::string format_rate(double per_second) {
  return with_unit(per_second, rate_units);
}

std::string format_nanoseconds_range(const Estimate& estimate) {
  return range_with_unit(estimate, time_units);
}

std::string format_rate_range(const Estimate& estimate) {
  return range_with_unit(estimate, rate_units);
}

std::string format_number_range(const Estimate& estimate) {
  const int decimals = decimals_for(estimate.high);
  return fixed(estimate.low, decimals) + "–" + fixed(estimate.high, decimals);
}

std::string format_minutes(std::chrono::seconds duration) {
  const auto seconds = std::max<std::int64_t>(0, duration.count());
  const std::string rest = std::to_string(seconds % 60);
  return std::to_string(seconds / 60) + (rest.size() < 2 ? ":0" : ":") + rest;
}

std::size_t display_width(std::string_view text) {
  // Every byte but those that continue a character (10xxxxxx) begins one.
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::size_t end = std::min(newline, bytes_of(text, width));
    if (end < newline && text[end] != ' ') {
      const std::size_t space = text.substr(0, end).rfind(' ');
      if (space != std::string_view::npos && space > 0) end = space;
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    if (!text.empty() && (text.front() == '\n' || text.front() == ' ')) text.remove_prefix(1);
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace rps::model
