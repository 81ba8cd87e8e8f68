// How numbers are read, and how quantities with units are read and written: in flags, configuration
// files, the parameters of URLs, thresholds, and the text files of the kernel.
//
//   number   = digits, for a signed type behind an optional "-"; for double std::from_chars's
//              general format without "inf" and "nan". Decimal only: "010" is ten, "0x10" is none
//   duration = number [ "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" ]       500ms 1.5s 2m
//   size     = number [ "B" | "kB" | "MB" | "GB" | "KiB" | "MiB" | "GiB" ]  512 64KiB 1MiB
//   rate     = number [ "k" | "M" ], of calls a second                      250 2k 1.5M
//   share    = number [ "%" ], from 0 to 1                                  0.7 70%
//
// Nothing may stand before or behind them, no space and no "+".
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace rps {

// ---- Numbers ------------------------------------------------------------------------------------

// Takes the number at the front of `text` away from it. Nothing, and `text` is left as it is, when
// there is none or when Number cannot hold it.
template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
std::optional<Number> take_number(std::string_view& text) {
  Number number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{}) return std::nullopt;
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(number)) return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// The number that is all of `text`; nothing when `text` is something else.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  const std::optional<Number> number = take_number<Number>(text);
  return text.empty() ? number : std::nullopt;
}

// The shortest text that reads back as `number`.
std::string number_text(double number);

// ---- Units --------------------------------------------------------------------------------------

struct Scale {
  std::string_view name;
  double factor = 1;
};

inline constexpr std::array<Scale, 7> duration_units{
    // In nanoseconds.
    {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
inline constexpr std::array<Scale, 7> size_units{// In bytes.
                                                 {{"B", 1},
                                                  {"kB", 1e3},
                                                  {"MB", 1e6},
                                                  {"GB", 1e9},
                                                  {"KiB", 0x1p10},
                                                  {"MiB", 0x1p20},
                                                  {"GiB", 0x1p30}}};
inline constexpr std::array<Scale, 2> rate_units{{{"k", 1e3}, {"M", 1e6}}};
inline constexpr std::array<Scale, 1> share_units{{{"%", 0.01}}};

// What one of `units` stands for; nothing when none has this name.
std::optional<double> factor_of(std::span<const Scale> units, std::string_view name);

// ---- Quantities ---------------------------------------------------------------------------------
//
// The error is the end of a sentence that the caller begins with the name of the flag or parameter:
// "must be a duration from 0s to 10m, not '11m'". Both ends of a range are allowed values.

template <class Value>
struct Range {
  Value min{};
  Value max = std::numeric_limits<Value>::max();
};
using CountRange = Range<std::uint64_t>;  // Also of sizes, in bytes.
using RealRange = Range<double>;          // Of rates and shares.

struct DurationRange {
  std::chrono::nanoseconds min{};
  std::chrono::nanoseconds max = std::chrono::hours(24);
  std::chrono::nanoseconds bare{};   // What a number without a unit counts; zero: it needs one.
  std::chrono::nanoseconds step{1};  // The duration must be a multiple of it.
};

std::expected<std::uint64_t, std::string> parse_count(std::string_view text, CountRange range);
std::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text,
                                                                    const DurationRange& range);
std::expected<std::uint64_t, std::string> parse_size(std::string_view text, CountRange range);
std::expected<double, std::string> parse_rate(std::string_view text, RealRange range);
std::expected<double, std::string> parse_share(std::string_view text,
                                               RealRange range = {.min = 0, .max = 1});

// The inverse, in the largest unit that leaves a whole number: "5s", "64KiB", "65535B", "2k".
std::string duration_text(std::chrono::nanoseconds duration);
std::string size_text(std::uint64_t bytes);
std::string rate_text(double per_second);
std::string share_text(double share);  // "70%"

}  // namespace rps
