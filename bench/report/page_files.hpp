// The files that the HTML report is put together from, embedded into the program by the build.
#pragma once

#include <string_view>

namespace rps::report {

// HTML with a "{{name}}" for each part that html.cpp fills in.
std::string_view page_html();

std::string_view page_css();
std::string_view page_js();
std::string_view figures_js();

// Chart.js as Debian ships it, and its licence; empty when the build did not find it.
std::string_view chart_js();
std::string_view chart_js_licence();

}  // namespace rps::report
