#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "bench/report/chart.hpp"
#include "bench/report/chart_draw.hpp"
#include "bench/report/svg.hpp"

namespace rps::report {

namespace {

using draw::line_height;

constexpr double chart_width = 1000;
constexpr double bottom = 46;
constexpr double gap = 28;          // Between panels.
constexpr double bar_share = 0.56;  // Of a row's height.
constexpr double swatch = 14;
constexpr double dot_spread = 0.5;  // Of a row's height.

// The drawing while it grows.
class Drawing {
 public:
  explicit Drawing(const RowChart& chart)
      : chart_(chart),
        top_(chart.keys.empty() ? 8 : 2 * line_height + 4),
        base_(top_ + chart.row_height * static_cast<double>(chart.rows.size())) {}

  std::string render() {
    add_hatch();
    add_keys();
    const double left = names_width();
    for (std::size_t row = 0; row < chart_.rows.size(); ++row) {
      out_ += draw::label(chart_.rows[row], left - 10, middle(row) + 4, "end", "name");
    }
    add_panels(left);
    return draw::document(chart_.text, chart_width, base_ + bottom, out_);
  }

 private:
  double middle(std::size_t row) const {
    return top_ + chart_.row_height * (static_cast<double>(row) + 0.5);
  }

  double names_width() const {
    double widest = 0;
    for (const std::string& row : chart_.rows) widest = std::max(widest, draw::text_width(row));
    return widest + 12;
  }

  std::string hatch() const { return chart_.text.id + "-hatch"; }

  // Lines in the colour of the ground, to be laid over a colour.
  void add_hatch() {
    out_ += element("pattern",
                    {{"id", hatch()},
                     {"width", "5"},
                     {"height", "5"},
                     {"patternUnits", "userSpaceOnUse"},
                     {"patternTransform", "rotate(45)"}},
                    draw::line(0, 0, 0, 5, "hatch"));
  }

  void add_keys() {
    double x = 0;
    for (const RowChart::Key& key : chart_.keys) {
      add_bar(x, 4, swatch, swatch, key.look, key.is_hatched, {});
      out_ += draw::label(key.name, x + swatch + 6, line_height, "start", "name");
      x += swatch + 6 + draw::text_width(key.name) + 20;
    }
  }

  void add_bar(double x, double y, double width, double height, Look look, bool is_hatched,
               const std::string& hint) {
    const std::string title = hint.empty() ? "" : text_element("title", {}, hint);
    out_ += draw::rectangle(x, y, width, height, draw::colour_class(look) + " bar", title);
    if (!is_hatched) return;
    out_ += element("rect",
                    {{"x", pixels(x)},
                     {"y", pixels(y)},
                     {"width", pixels(width)},
                     {"height", pixels(height)},
                     {"fill", "url(#" + hatch() + ")"}},
                    title);
  }

  void add_panels(double left) {
    double shares = 0;
    for (const RowPanel& panel : chart_.panels) shares += panel.share;
    const double free = chart_width - left - gap * static_cast<double>(chart_.panels.size()) + gap;
    double x = left;
    for (const RowPanel& panel : chart_.panels) {
      const double width = free * panel.share / shares;
      add_panel(panel, x, width);
      x += width + gap;
    }
  }

  static std::vector<double> values_of(const RowPanel& panel) {
    std::vector<double> out;
    for (const RowMark& mark : panel.marks) {
      double sum = 0;
      for (const RowMark::Segment& segment : mark.segments) sum += segment.value;
      if (!mark.segments.empty()) out.push_back(sum);
      out.insert(out.end(), mark.dots.begin(), mark.dots.end());
      if (!mark.interval) continue;
      out.push_back(mark.interval->low);
      out.push_back(mark.interval->high);
    }
    return out;
  }

  void add_panel(const RowPanel& panel, double left, double width) {
    assert(panel.marks.size() == chart_.rows.size());
    double text_room = 0;
    for (const RowMark& mark : panel.marks) {
      text_room = std::max(text_room, draw::text_width(mark.text));
    }
    const double right = left + width - text_room - 8;
    const Axis axis(panel.axis, values_of(panel), {left, right});
    for (const Tick& tick : draw::fitting_ticks(axis, left, right)) {
      const double x = axis.at(tick.value).value_or(left);
      out_ += draw::line(x, top_, x, base_, "grid");
      out_ += draw::label(tick.label, x, base_ + line_height, "middle", "tick");
    }
    if (const auto x = panel.line ? axis.at(*panel.line) : std::nullopt) {
      out_ += draw::line(*x, top_, *x, base_, "axis");
    }
    out_ += draw::line(left, base_, right, base_, "axis");
    out_ += draw::label(panel.axis.title, left, base_ + 2.2 * line_height, "start", "axis-title");
    for (std::size_t row = 0; row < panel.marks.size(); ++row) {
      const RowMark& mark = panel.marks[row];
      const double end = std::max(add_segments(mark, axis, row, left), left);
      add_dots(mark, axis, row);
      const double x = mark.segments.empty() ? right : end;
      out_ += draw::label(mark.text, x + 8, middle(row) + 4, "start", "value");
    }
  }

  // Where the last one ends.
  double add_segments(const RowMark& mark, const Axis& axis, std::size_t row, double left) {
    const double height = chart_.row_height * bar_share;
    double sum = 0;
    double begin = axis.at(0).value_or(left);
    for (const RowMark::Segment& segment : mark.segments) {
      if (!(segment.value > 0)) continue;
      const auto end = axis.at(sum + segment.value);
      if (!end) break;
      sum += segment.value;
      add_bar(begin, middle(row) - height / 2, *end - begin, height, segment.look,
              segment.is_hatched, segment.hint);
      begin = *end;
    }
    return begin;
  }

  void add_dots(const RowMark& mark, const Axis& axis, std::size_t row) {
    if (mark.interval) {
      const auto low = axis.at(mark.interval->low);
      const auto high = axis.at(mark.interval->high);
      if (low && high) out_ += draw::horizontal_interval(middle(row), *low, *high);
    }
    for (std::size_t i = 0; i < mark.dots.size(); ++i) {
      const auto x = axis.at(mark.dots[i]);
      if (!x) continue;
      // Spread over the height by the golden ratio, so that equal ones lie beside each other.
      const double share = std::fmod(0.5 + 0.618034 * static_cast<double>(i), 1) - 0.5;
      const double y = middle(row) + share * dot_spread * chart_.row_height;
      out_ += element("circle", {{"class", draw::colour_class(mark.look) + " dot"},
                                 {"cx", pixels(*x)},
                                 {"cy", pixels(y)},
                                 {"r", "3.6"}});
    }
  }

  const RowChart& chart_;
  double top_;
  double base_;
  std::string out_;
};

}  // namespace

std::string to_svg(const RowChart& chart) {
  return Drawing(chart).render();
}

}  // namespace rps::report
