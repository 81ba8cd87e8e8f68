// The strokes that all charts are drawn with. For the charts only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/report/chart.hpp"

namespace rps::report::draw {

inline constexpr double line_height = 16;

// About how much room a text takes; charts are laid out without knowing the reader's font.
double text_width(std::string_view text);

// The style sheet's class for a look's colour.
std::string colour_class(Look look);

// `side`: "start", "middle" or "end" of the text stands at x.
std::string label(std::string_view text, double x, double y, std::string_view side = "start",
                  std::string_view style = "");

std::string line(double x1, double y1, double x2, double y2, std::string_view style);
std::string rectangle(double x, double y, double width, double height, std::string_view style,
                      std::string_view more = {});

// The shape that belongs to a look. `hint` is shown where a pointer rests.
std::string marker(Look look, double x, double y, std::string_view hint = {});

// A vertical bar, or a horizontal one, with short ends.
std::string vertical_interval(double x, double low, double high);
std::string horizontal_interval(double y, double low, double high);

// The ticks whose labels fit beside each other between `left` and `right`.
std::vector<Tick> fitting_ticks(const Axis& axis, double left, double right);

// The whole drawing.
std::string document(const ChartText& text, double width, double height, std::string_view content);

}  // namespace rps::report::draw
