// Base64 with padding, RFC 4648 section 4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rps::model {

std::string to_base64(std::span<const std::uint8_t> bytes);

// Nothing when `text` is not what to_base64() makes of some bytes: a foreign character, a wrong
// length, padding in the middle, bits left over that are not zero.
std::optional<std::vector<std::uint8_t>> parse_base64(std::string_view text);

}  // namespace rps::model
