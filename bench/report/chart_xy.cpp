#include <algorithm>
#include <cmath>
#include <cstddef>

#include "bench/report/chart.hpp"
#include "bench/report/chart_draw.hpp"
#include "bench/report/svg.hpp"

namespace rps::report {

namespace {

using draw::line_height;

constexpr double y_tick_height = 30;          // So far apart at least.
constexpr double left_least = 56;             // Charts below each other begin at the same place.
constexpr std::size_t markers_on_a_line = 5;  // Where a line has many points.
constexpr double top = 30;                    // The title of the y axis stands above it.
constexpr double bottom = 46;
constexpr double tick_room = 10;
constexpr double leader = 22;   // From the plot's edge to a label.
constexpr double margin = 4;    // Behind the longest name.
constexpr double swatch = 26;   // A piece of the line, before its name.
constexpr double moved_by = 3;  // A label that stands further from its line is led to it.

struct Place {
  double x = 0;
  double y = 0;
};

// The drawing while it grows.
class Drawing {
 public:
  explicit Drawing(const XyChart& chart)
      : chart_(chart),
        y_axis_(chart.y, values_of(&XyPoint::y, true), {chart.height - bottom, top}),
        left_(room_for_ticks()),
        right_(chart.width - room_for_names()),
        x_axis_(chart.x, values_of(&XyPoint::x, false), {left_, right_}) {}

  std::string render() {
    add_axes();
    std::string plot;
    for (const XyBand& band : chart_.bands) plot += area(band);
    for (const XyLine& guide : chart_.guides) plot += path(guide, "guide");
    for (const XyLine& line : chart_.lines) plot += path(line, "line");
    const std::string clip = chart_.text.id + "-clip";
    out_ += element("clipPath", {{"id", clip}},
                    draw::rectangle(left_, top, right_ - left_, height(), ""));
    out_ += element("g", {{"clip-path", "url(#" + clip + ")"}}, plot);
    for (const XyLine& line : chart_.lines) add_points(line);
    add_names();
    return draw::document(chart_.text, chart_.width, chart_.height, out_);
  }

 private:
  double height() const { return chart_.height - bottom - top; }

  std::vector<double> values_of(double XyPoint::* member, bool is_y) const {
    std::vector<double> out;
    for (const XyLine& line : chart_.lines) {
      for (const XyPoint& point : line.points) {
        out.push_back(point.*member);
        if (!is_y || !point.interval) continue;
        out.push_back(point.interval->low);
        out.push_back(point.interval->high);
      }
    }
    for (const XyBand& band : chart_.bands) {
      for (const XyBand::Edge& edge : band.edges) {
        if (!is_y) {
          out.push_back(edge.x);
          continue;
        }
        out.push_back(edge.low);
        out.push_back(edge.high);
      }
    }
    return out;
  }

  std::vector<Tick> y_ticks() const {
    const auto fitting = static_cast<std::size_t>(height() / y_tick_height);
    return y_axis_.ticks(std::max<std::size_t>(fitting, 3));
  }

  double room_for_ticks() const {
    double room = left_least;
    for (const Tick& tick : y_ticks()) {
      room = std::max(room, draw::text_width(tick.label) + tick_room);
    }
    return room;
  }

  double room_for_names() const {
    double widest = 0;
    for (const XyLine& line : chart_.lines) {
      widest = std::max(widest, draw::text_width(line.name));
    }
    return widest > 0 ? widest + leader + swatch + margin : 2 * tick_room;
  }

  std::optional<Place> place_of(double x, double y) const {
    const auto across = x_axis_.at(x);
    const auto up = y_axis_.at(y);
    if (!across || !up) return std::nullopt;
    return Place{*across, *up};
  }

  // Of those that have one.
  std::vector<Place> places_of(const XyLine& line) const {
    std::vector<Place> out;
    for (const XyPoint& point : line.points) {
      if (const auto place = place_of(point.x, point.y)) out.push_back(*place);
    }
    return out;
  }

  void add_axes() {
    const double base = chart_.height - bottom;
    for (const Tick& tick : y_ticks()) {
      const double y = y_axis_.at(tick.value).value_or(base);
      out_ += draw::line(left_, y, right_, y, "grid");
      out_ += draw::label(tick.label, left_ - tick_room / 2, y + 4, "end", "tick");
    }
    for (const Tick& tick : draw::fitting_ticks(x_axis_, left_, right_)) {
      const double x = x_axis_.at(tick.value).value_or(left_);
      out_ += draw::line(x, top, x, base, "grid");
      out_ += draw::label(tick.label, x, base + line_height, "middle", "tick");
    }
    out_ += draw::line(left_, base, right_, base, "axis");
    out_ += draw::label(chart_.y.title, 0, top - line_height, "start", "axis-title");
    out_ += draw::label(chart_.x.title, right_, base + 2.2 * line_height, "end", "axis-title");
  }

  std::string area(const XyBand& band) const {
    std::string there;
    std::vector<Place> back;
    for (const XyBand::Edge& edge : band.edges) {
      const auto high = place_of(edge.x, edge.high);
      const auto low = place_of(edge.x, edge.low);
      if (!high || !low) continue;
      there += (there.empty() ? "M" : "L") + pixels(high->x) + " " + pixels(high->y);
      back.push_back(*low);
    }
    if (back.size() < 2) return {};
    for (std::size_t i = back.size(); i-- > 0;) {
      there += "L" + pixels(back[i].x) + " " + pixels(back[i].y);
    }
    return element("path",
                   {{"class", draw::colour_class(band.look) + " band"}, {"d", there + "z"}});
  }

  std::string path(const XyLine& line, std::string_view style) const {
    std::string way;
    bool is_drawing = false;
    for (const XyPoint& point : line.points) {
      const auto place = place_of(point.x, point.y);
      if (place) way += (is_drawing ? "L" : "M") + pixels(place->x) + " " + pixels(place->y);
      is_drawing = place.has_value();
    }
    return way.empty() ? way : element("path", {{"class", style_of(line, style)}, {"d", way}});
  }

  static std::string style_of(const XyLine& line, std::string_view style) {
    std::string out = draw::colour_class(line.look);
    out.append(" ").append(style);
    if (line.stroke == Stroke::dashed) out += " dashed";
    if (line.stroke == Stroke::dotted) out += " dotted";
    return out;
  }

  static bool has_marker(const XyLine& line, std::size_t index) {
    if (line.markers != Markers::some) return line.markers == Markers::all;
    const std::size_t stride = std::max<std::size_t>(1, line.points.size() / markers_on_a_line);
    // Lines that lie on each other show their markers in turn.
    return (index + line.look.index * stride / look_count) % stride == stride / 2;
  }

  void add_points(const XyLine& line) {
    for (std::size_t i = 0; i < line.points.size(); ++i) {
      const XyPoint& point = line.points[i];
      const auto place = place_of(point.x, point.y);
      if (!place) continue;
      if (point.interval) {
        const auto low = y_axis_.at(point.interval->low);
        const auto high = y_axis_.at(point.interval->high);
        if (low && high) out_ += draw::vertical_interval(place->x, *low, *high);
      }
      if (point.is_ringed) {
        out_ += element(
            "circle",
            {{"class", "ring"}, {"cx", pixels(place->x)}, {"cy", pixels(place->y)}, {"r", "9"}});
      }
      if (has_marker(line, i)) out_ += draw::marker(line.look, place->x, place->y, point.hint);
    }
  }

  // Beside the plot, each as high as its line ends, or as near as the others let it.
  void add_names() {
    std::vector<const XyLine*> named;
    std::vector<Place> ends;
    std::vector<double> wanted;
    for (const XyLine& line : chart_.lines) {
      const std::vector<Place> places = places_of(line);
      if (line.name.empty() || places.empty()) continue;
      named.push_back(&line);
      ends.push_back(places.back());
      wanted.push_back(places.back().y);
    }
    const std::vector<double> spread =
        spread_labels(wanted, line_height, {top, chart_.height - bottom});
    for (std::size_t i = 0; i < named.size(); ++i) add_name(*named[i], ends[i], spread[i]);
  }

  void add_name(const XyLine& line, Place end, double y) {
    const double x = right_ + leader;
    if (std::abs(end.y - y) > moved_by || right_ - end.x > leader) {
      const std::string way = "M" + pixels(end.x) + " " + pixels(end.y) + "L" + pixels(right_) +
                              " " + pixels(end.y) + "L" + pixels(x - 2) + " " + pixels(y);
      out_ += element("path", {{"class", "leader"}, {"d", way}});
    }
    out_ += draw::line(x, y, x + swatch - 6, y, style_of(line, "line"));
    if (line.markers != Markers::none) {
      out_ += draw::marker(line.look, x + (swatch - 6) / 2, y);
    }
    out_ += draw::label(line.name, x + swatch, y + 4, "start", "name");
  }

  const XyChart& chart_;
  Axis y_axis_;
  double left_;
  double right_;
  Axis x_axis_;
  std::string out_;
};

}  // namespace

std::string to_svg(const XyChart& chart) {
  return Drawing(chart).render();
}

}  // namespace rps::report
