#include "bench/report/chart_draw.hpp"

#include <array>

#include "bench/model/format.hpp"
#include "bench/report/svg.hpp"

namespace rps::report::draw {

namespace {

constexpr double character_width = 7.4;  // Of a wide sans-serif font of 12 pixels.
constexpr double interval_end = 3;
constexpr double tick_gap = 24;
constexpr std::size_t ticks_most = 10;

// Around the origin, about ten pixels wide: disc, square, triangle, diamond, triangle on its tip,
// plus, cross, hourglass.
constexpr std::array<std::string_view, look_count> marker_paths{
    "M-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0z",
    "M-3.8-3.8h7.6v7.6h-7.6z",
    "M0-5.2L5 3.6h-10z",
    "M0-5.4L5.4 0L0 5.4L-5.4 0z",
    "M0 5.2L5-3.6h-10z",
    "M-1.7-5.2h3.4v3.5h3.5v3.4h-3.5v3.5h-3.4v-3.5h-3.5v-3.4h3.5z",
    "M-4.8-2.5L-2.5-4.8L0-2.3L2.5-4.8L4.8-2.5L2.3 0L4.8 2.5L2.5 4.8L0 2.3L-2.5 4.8L-4.8 2.5L-2.3 "
    "0z",
    "M-4.4-4.8h8.8L1.3 0L4.4 4.8h-8.8L-1.3 0z"};

}  // namespace

double text_width(std::string_view text) {
  return character_width * static_cast<double>(model::display_width(text));
}

std::string colour_class(Look look) {
  return look.is_neutral ? "sn" : "s" + std::to_string(look.index % look_count);
}

std::string label(std::string_view text, double x, double y, std::string_view side,
                  std::string_view style) {
  return text_element("text",
                      {{"class", std::string(style)},
                       {"x", pixels(x)},
                       {"y", pixels(y)},
                       {"text-anchor", side == "start" ? std::string() : std::string(side)}},
                      text);
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
  return element("line", {{"class", std::string(style)},
                          {"x1", pixels(x1)},
                          {"y1", pixels(y1)},
                          {"x2", pixels(x2)},
                          {"y2", pixels(y2)}});
}

std::string rectangle(double x, double y, double width, double height, std::string_view style,
                      std::string_view more) {
  return element("rect",
                 {{"class", std::string(style)},
                  {"x", pixels(x)},
                  {"y", pixels(y)},
                  {"width", pixels(width)},
                  {"height", pixels(height)}},
                 more);
}

std::string marker(Look look, double x, double y, std::string_view hint) {
  const std::string style = colour_class(look) + (look.is_neutral ? " marker hollow" : " marker");
  return element("path",
                 {{"class", style},
                  {"d", std::string(marker_paths[look.index % look_count])},
                  {"transform", "translate(" + pixels(x) + " " + pixels(y) + ")"}},
                 hint.empty() ? "" : text_element("title", {}, hint));
}

std::string vertical_interval(double x, double low, double high) {
  return line(x, low, x, high, "interval") +
         line(x - interval_end, low, x + interval_end, low, "interval") +
         line(x - interval_end, high, x + interval_end, high, "interval");
}

std::string horizontal_interval(double y, double low, double high) {
  return line(low, y, high, y, "interval") +
         line(low, y - interval_end, low, y + interval_end, "interval") +
         line(high, y - interval_end, high, y + interval_end, "interval");
}

std::vector<Tick> fitting_ticks(const Axis& axis, double left, double right) {
  for (std::size_t most = ticks_most; most > 2; --most) {
    std::vector<Tick> ticks = axis.ticks(most);
    double width = 0;
    for (const Tick& tick : ticks) width += text_width(tick.label) + tick_gap;
    if (width <= right - left) return ticks;
  }
  return axis.ticks(2);
}

std::string document(const ChartText& text, double width, double height, std::string_view content) {
  const std::string title = text.id + "-title";
  const std::string description = text.id + "-description";
  return element("svg",
                 {{"class", "chart"},
                  {"xmlns", "http://www.w3.org/2000/svg"},
                  {"viewBox", "0 0 " + pixels(width) + " " + pixels(height)},
                  {"role", "img"},
                  {"aria-labelledby", title + " " + description}},
                 text_element("title", {{"id", title}}, text.title) +
                     text_element("desc", {{"id", description}}, text.description) +
                     std::string(content));
}

}  // namespace rps::report::draw
