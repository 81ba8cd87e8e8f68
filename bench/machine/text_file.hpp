// The kernel's small text files in /proc and /sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rps::machine {

// The first line of a file without the newline; empty when there is none, or no file.
std::string read_first_line(const std::string& path);

// What stands behind `label` on the first line that begins with it, without the space around it:
// the label of "VmRSS:\t 1744 kB" is "VmRSS:". Nothing without such a line.
std::optional<std::string_view> find_field(std::string_view text, std::string_view label);

// The number at the front of such a field; 0 when there is none.
std::uint64_t number_of(std::string_view text, std::string_view label);

}  // namespace rps::machine
