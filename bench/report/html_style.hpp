// How the HTML report looks: on a screen, light and dark, on a narrow one, and on paper.
#pragma once

#include <string_view>

namespace rps::report {

// CSS. Names no other file.
std::string_view html_style();

}  // namespace rps::report
