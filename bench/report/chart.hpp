// Charts as SVG text, from numbers and words: lines over two axes, and rows of bars or dots.
//
// Pure functions. Colours, fonts and the ground are classes that the page's style sheet fills
// (html_style.hpp), so one drawing serves light and dark. No line is told by its colour alone: it
// has a marker or a dash pattern of its own, and its name stands at its end. A value that has no
// place on an axis (not a number, infinite, or not positive where the axis is logarithmic) is not
// drawn; nothing of it gets into the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rps::report {

// ---- Axes ----------------------------------------------------------------------------------

enum class Scale : std::uint8_t { linear, log };

struct Range {
  double low = 0;
  double high = 0;

  bool operator==(const Range&) const = default;
};

struct Tick {
  double value = 0;
  std::string label;
};

// At most `at_most` (two or more) values inside `range`, ascending, that people like to read:
// 1, 2 or 5 times a power of ten, evenly spaced on a linear scale. On a logarithmic one powers of
// ten, with their 2 and 5 fold where there is room, and as on a linear one where `range` spans
// less than a factor of ten. REQUIRES: range.low < range.high, both finite; positive for log.
std::vector<double> nice_ticks(Range range, Scale scale, std::size_t at_most);

// The number in a text without a fraction of zeros: "10.0 µs" becomes "10 µs", "2.50k" "2.5k".
std::string without_zeros(std::string text);

struct AxisOptions {
  std::string title;
  Scale scale = Scale::linear;
  // Of a value at a tick, shown without_zeros().
  std::function<std::string(double)> format;
  bool from_zero = false;   // A linear axis begins at zero at the latest: bars need it.
  std::vector<Tick> ticks;  // Instead of nice ones; those outside the data are left out.
};

// Where values stand between two edges of the drawing.
class Axis {
 public:
  // Covers what of `data` has a place, with a little room; what is empty or a single value is
  // widened to something that can be drawn. `pixels.low` is where the least value stands, and may
  // be the greater number.
  Axis(const AxisOptions& options, const std::vector<double>& data, Range pixels);

  // Nothing when the value has no place on such a scale. The scale goes on beyond both ends.
  std::optional<double> at(double value) const;

  Range values() const;
  std::vector<Tick> ticks(std::size_t at_most) const;

 private:
  AxisOptions options_;
  Range values_;  // On a logarithmic scale their logarithms to base 10.
  Range pixels_;
};

// Moves labels apart: as near to `wanted` as they can be, in the sense of least squares, with
// `gap` between any two and all inside `range`. Their order stays. Where they do not fit, they
// share the range evenly.
std::vector<double> spread_labels(const std::vector<double>& wanted, double gap, Range range);

// ---- What charts have in common ------------------------------------------------------------

// How a subject looks in every chart: colour and marker.
struct Look {
  std::size_t index = 0;
  bool is_neutral = false;  // Grey: what the others are held against.
};

inline constexpr std::size_t look_count = 8;  // So many can be told apart.

struct ChartText {
  std::string id;           // Unique in the page.
  std::string title;        // For those who cannot see it: what it is …
  std::string description;  // … and what it shows.
};

// ---- Lines over two axes -------------------------------------------------------------------

enum class Stroke : std::uint8_t { solid, dashed, dotted };
enum class Markers : std::uint8_t { none, some, all };

struct XyPoint {
  double x = 0;
  double y = 0;
  std::optional<Range> interval;  // Of y, as a bar.
  bool is_ringed = false;
  std::string hint;  // Shown where a pointer rests; may be empty.
};

struct XyLine {
  std::string name;  // At its end; may be empty.
  Look look;
  Stroke stroke = Stroke::solid;
  Markers markers = Markers::some;
  std::vector<XyPoint> points;  // One that has no place leaves a gap.
};

// An area between two values of y.
struct XyBand {
  struct Edge {
    double x = 0;
    double low = 0;
    double high = 0;
  };
  Look look;
  std::vector<Edge> edges;
};

struct XyChart {
  ChartText text;
  AxisOptions x, y;
  std::vector<XyLine> lines;
  std::vector<XyBand> bands;
  std::vector<XyLine> guides;  // Do not count for the axes and are cut where those end.
  double width = 1000;         // Next to each other, two of half the width make one of the whole.
  double height = 420;
};

std::string to_svg(const XyChart& chart);

// ---- Rows of bars or dots ------------------------------------------------------------------

struct RowMark {
  struct Segment {
    double value = 0;
    Look look;
    bool is_hatched = false;
    std::string hint;
  };
  std::vector<Segment> segments;  // One behind the other.
  std::vector<double> dots;
  std::optional<Range> interval;
  Look look;         // Of the dots.
  std::string text;  // At the end of the row.
};

// A column of marks over one axis, one mark a row.
struct RowPanel {
  AxisOptions axis;
  double share = 1;            // Of the width.
  std::optional<double> line;  // A value where a line stands through all rows.
  std::vector<RowMark> marks;
};

struct RowChart {
  struct Key {
    std::string name;
    Look look;
    bool is_hatched = false;
  };
  ChartText text;
  std::vector<std::string> rows;  // Their names.
  std::vector<RowPanel> panels;
  std::vector<Key> keys;  // What the segments mean.
  double row_height = 30;
};

// REQUIRES: every panel has a mark for every row.
std::string to_svg(const RowChart& chart);

}  // namespace rps::report
