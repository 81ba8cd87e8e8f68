#include "core/number.hpp"

#include <algorithm>
#include <cassert>

namespace rps {

namespace {

using std::chrono::nanoseconds;

// The number in `text` times the factor of the unit behind it. A number without a unit is
// multiplied by `bare`, and is refused when `bare` is 0.
std::optional<double> parse_quantity(std::string_view text, std::span<const Scale> units,
                                     double bare) {
  const auto number = take_number<double>(text);
  const auto factor = text.empty() && bare > 0 ? std::optional(bare) : factor_of(units, text);
  if (!number || !factor) return std::nullopt;
  const double value = *number * *factor;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// A fraction of a unit is often no exact double: 0.07 * 1e3 is 70.00000000000001.
bool is_whole(double value) {
  constexpr double tolerance = 1e-6;
  return std::abs(value - std::round(value)) < tolerance;
}

std::unexpected<std::string> refuse(std::string_view kind, const std::string& min,
                                    const std::string& max, std::string_view text) {
  std::string why("must be a ");
  why.append(kind).append(" from ").append(min).append(" to ").append(max);
  return std::unexpected(why.append(", not '").append(text).append("'"));
}

// `value` in the largest of `units` that leaves a whole number; they begin with the largest.
std::string in_units(std::uint64_t value, std::span<const Scale> units) {
  assert(!units.empty() && units.back().factor == 1);
  for (const Scale& unit : units) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    const bool fits = value == 0 ? factor == 1 : value % factor == 0;
    if (fits) return std::to_string(value / factor) + std::string(unit.name);
  }
  return std::to_string(value);
}

}  // namespace

std::string number_text(double number) {
  std::array<char, 32> text;  // The longest double has 24 characters.
  const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), number);
  assert(failure == std::errc{});
  return {text.data(), end};
}

std::optional<double> factor_of(std::span<const Scale> units, std::string_view name) {
  const auto found = std::ranges::find(units, name, &Scale::name);
  return found == units.end() ? std::nullopt : std::optional(found->factor);
}

std::expected<std::uint64_t, std::string> parse_count(std::string_view text, CountRange range) {
  const auto number = parse_number<std::uint64_t>(text);
  if (number && *number >= range.min && *number <= range.max) return *number;
  return refuse("whole number", std::to_string(range.min), std::to_string(range.max), text);
}

std::expected<nanoseconds, std::string> parse_duration(std::string_view text,
                                                       const DurationRange& range) {
  const auto count = [](nanoseconds time) { return static_cast<double>(time.count()); };
  const auto value = parse_quantity(text, duration_units, count(range.bare));
  if (value && *value >= count(range.min) && *value <= count(range.max) &&
      is_whole(*value / count(range.step))) {
    return range.step * std::llround(*value / count(range.step));
  }
  std::string max = duration_text(range.max);
  if (range.step > nanoseconds(1)) max += " in steps of " + duration_text(range.step);
  return refuse("duration", duration_text(range.min), max, text);
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text, CountRange range) {
  const auto value = parse_quantity(text, size_units, 1);
  if (value && *value >= 0 && *value < 0x1p64 && is_whole(*value)) {
    const auto bytes = static_cast<std::uint64_t>(std::round(*value));
    if (bytes >= range.min && bytes <= range.max) return bytes;
  }
  return refuse("size", size_text(range.min), size_text(range.max), text);
}

std::expected<double, std::string> parse_rate(std::string_view text, RealRange range) {
  const auto value = parse_quantity(text, rate_units, 1);
  if (value && *value >= range.min && *value <= range.max) {
    return is_whole(*value) ? std::round(*value) : *value;
  }
  return refuse("rate", rate_text(range.min), rate_text(range.max), text);
}

std::expected<double, std::string> parse_share(std::string_view text, RealRange range) {
  const auto value = parse_quantity(text, share_units, 1);
  if (value && *value >= range.min && *value <= range.max) return *value;
  return refuse("share", share_text(range.min), share_text(range.max), text);
}

std::string duration_text(nanoseconds duration) {
  assert(duration >= nanoseconds::zero());
  if (duration == nanoseconds::zero()) return "0s";
  static constexpr std::array<Scale, 6> units{
      {{"h", 3600e9}, {"m", 60e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}};
  return in_units(static_cast<std::uint64_t>(duration.count()), units);
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<Scale, 4> units{
      {{"GiB", 0x1p30}, {"MiB", 0x1p20}, {"KiB", 0x1p10}, {"B", 1}}};
  return in_units(bytes, units);
}

std::string rate_text(double per_second) {
  if (per_second < 0 || per_second >= 0x1p53 || !is_whole(per_second)) {
    return number_text(per_second);
  }
  static constexpr std::array<Scale, 3> units{{{"M", 1e6}, {"k", 1e3}, {"", 1}}};
  return in_units(static_cast<std::uint64_t>(std::round(per_second)), units);
}

std::string share_text(double share) {
  constexpr int digits = 6;  // 0.07 * 100 is 7.000000000000001.
  std::array<char, 32> text;
  const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), share * 100,
                                            std::chars_format::general, digits);
  assert(failure == std::errc{});
  return std::string(text.data(), end) + "%";
}

}  // namespace rps
