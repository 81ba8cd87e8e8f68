// Numbers as text with three significant digits and units, and text cut into lines.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bench/model/statistics.hpp"

namespace rps::model {

// "3.14", "31.4", "314": three significant digits, never an exponent below a million. Below a tenth
// two of them ("0.031"), and below 0.0001 none.
std::string format_number(double value);

// "131 µs", "1.02 ms": in ns, µs, ms or s.
std::string format_nanoseconds(double nanoseconds);

// "845", "24.5k", "1.31M".
std::string format_rate(double per_second);

// The range of an estimate in the unit of its upper end: "129–135 µs", "23.9–25.1k".
std::string format_nanoseconds_range(const Estimate& estimate);
std::string format_rate_range(const Estimate& estimate);
std::string format_number_range(const Estimate& estimate);

// "1:05"
std::string format_minutes(std::chrono::seconds duration);

// How many columns a UTF-8 text takes; every character that we print takes one.
std::size_t display_width(std::string_view text);

// Cuts text into lines of at most `width` columns, at spaces and at every newline. A longer word
// is cut where the line ends.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

}  // namespace rps::model
