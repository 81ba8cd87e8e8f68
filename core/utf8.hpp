// Whether bytes are valid UTF-8, and how to show text that anybody may have written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rps {

// How many bytes the UTF-8 character at the front of `text` has; 0 when it is none as RFC 3629 has
// it: no overlong form, no surrogate, nothing above U+10FFFF, nothing cut short.
// REQUIRES: `text` is not empty.
std::size_t utf8_length(std::string_view text);

// Whether `text` is nothing but such characters.
bool is_utf8(std::string_view text);

// The control character at the front of `text` (U+0000 to U+001F, U+007F to U+009F) as an escape,
// such as "\u001b"; empty when another character is there. A terminal obeys control characters.
// REQUIRES: utf8_length(text) > 0.
std::string control_escape(std::string_view text);

// `text` as a person may be shown it: control characters other than line feeds are escaped, and
// bytes that are not UTF-8 become U+FFFD.
std::string printable(std::string_view text);

}  // namespace rps
