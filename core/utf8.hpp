// Whether bytes are valid UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace rps {

// How many bytes the UTF-8 character at the front of `text` has; 0 when it is none as RFC 3629 has
// it: no overlong form, no surrogate, nothing above U+10FFFF, nothing cut short.
// REQUIRES: `text` is not empty.
std::size_t utf8_length(std::string_view text);

// Whether `text` is nothing but such characters.
bool is_utf8(std::string_view text);

}  // namespace rps
