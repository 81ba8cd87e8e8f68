// Writing HTML: escaping text, and elements with attributes.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace rps::report {

// Text as content, or as a value between quotes. Control characters other than newline and tab,
// which HTML cannot carry, are left out.
std::string escape_markup(std::string_view text);

// Names and values; a value is escaped, and an attribute with an empty one is left out.
using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

// "<name a="b">content</name>". The content is markup already.
std::string element(std::string_view name, Attributes attributes, std::string_view content = {});

// The same around text, which is escaped.
std::string text_element(std::string_view name, Attributes attributes, std::string_view text);

}  // namespace rps::report
