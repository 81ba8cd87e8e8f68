#include "bench/report/chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "bench/model/format.hpp"
#include "bench/report/svg.hpp"
#include "core/random.hpp"
#include "tests/bench/markup.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::report;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

AxisOptions axis(Scale scale, bool from_zero = false) {
  return {.title = "axis", .scale = scale, .format = model::format_number, .from_zero = from_zero};
}

// Every number in the attributes is one that a browser can read: no word stands for a number.
void check_numbers(const std::string& svg) {
  for (const std::string_view word : {"nan", "inf", "NaN", "e+", "e-0"}) {
    CAPTURE(word);
    CHECK_FALSE(contains(svg, word));
  }
}

XyChart chart_of(const std::vector<XyPoint>& points, Scale scale) {
  XyChart chart{.text = {"c", "A chart", "Of points."}, .x = axis(scale), .y = axis(scale)};
  chart.lines.push_back(
      {.name = "a line", .look = {.index = 0}, .markers = Markers::all, .points = points});
  return chart;
}

}  // namespace

TEST_CASE("ticks are numbers that people like") {
  CHECK(nice_ticks({0, 10}, Scale::linear, 6) == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(nice_ticks({0, 97}, Scale::linear, 6) == std::vector<double>{0, 20, 40, 60, 80});
  CHECK(nice_ticks({-3, 3}, Scale::linear, 8) == std::vector<double>{-3, -2, -1, 0, 1, 2, 3});
  CHECK(nice_ticks({1, 100}, Scale::log, 8) == std::vector<double>{1, 2, 5, 10, 20, 50, 100});
  CHECK(nice_ticks({1, 1e6}, Scale::log, 8) == std::vector<double>{1, 10, 100, 1e3, 1e4, 1e5, 1e6});
  CHECK(nice_ticks({20, 80}, Scale::log, 4) == std::vector<double>{20, 40, 60, 80});
}

TEST_CASE("ticks lie inside the range, ascend, and are never too many") {
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const double low = std::pow(10, static_cast<double>(rps::mix(i) % 300) / 10 - 15);
    const double high = low * (1.01 + static_cast<double>(rps::mix(i, 1) % 1'000'000));
    for (const Scale scale : {Scale::linear, Scale::log}) {
      for (const std::size_t at_most : {2, 5, 10}) {
        const std::vector<double> ticks = nice_ticks({low, high}, scale, at_most);
        CAPTURE(low, high, at_most, ticks);
        CHECK(ticks.size() <= at_most);
        if (at_most >= 5) CHECK(ticks.size() >= 2);
        CHECK(std::ranges::is_sorted(ticks));
        CHECK(std::ranges::adjacent_find(ticks) == ticks.end());
        for (const double tick : ticks) {
          CHECK(tick >= low * (1 - 1e-6));
          CHECK(tick <= high * (1 + 1e-6));
        }
      }
    }
  }
}

TEST_CASE("an axis places values in proportion, or in proportion to their logarithms") {
  const Axis linear(axis(Scale::linear, true), {10}, {0, 103});
  CHECK(linear.at(0).value() == Approx(0));
  CHECK(linear.at(5).value() == Approx(50));
  CHECK(linear.at(10).value() == Approx(100));

  const Axis log(axis(Scale::log), {1, 100}, {200, 0});
  const double step = log.at(1).value() - log.at(10).value();
  CHECK(step > 80);  // Upwards: the greater value has the lesser pixel.
  CHECK(log.at(10).value() - log.at(100).value() == Approx(step));
}

TEST_CASE("what has no place on an axis is told") {
  const Axis linear(axis(Scale::linear), {1, 2}, {0, 100});
  CHECK_FALSE(linear.at(nan_value));
  CHECK_FALSE(linear.at(infinity));
  CHECK_FALSE(linear.at(-infinity));
  CHECK(linear.at(-1));
  const Axis log(axis(Scale::log), {1, 2}, {0, 100});
  CHECK_FALSE(log.at(0));
  CHECK_FALSE(log.at(-1));
  CHECK(log.at(1));
}

TEST_CASE("an axis of nothing, of one value or of equal ones has a length and ticks") {
  const std::vector<std::vector<double>> all{
      {}, {0}, {7}, {7, 7, 7}, {-7}, {nan_value, infinity}, {1e-9}, {1e18}, {1000, 1000.001}};
  for (const std::vector<double>& data : all) {
    for (const Scale scale : {Scale::linear, Scale::log}) {
      for (const bool from_zero : {false, true}) {
        CAPTURE(data, from_zero);
        const Axis it(axis(scale, from_zero), data, {0, 100});
        CHECK(it.values().low < it.values().high);
        CHECK(it.ticks(8).size() >= 2);
        for (const double value : data) {
          const auto place = it.at(value);
          if (!place) continue;
          CHECK(*place >= -1e-6);
          CHECK(*place <= 100 + 1e-6);
        }
      }
    }
  }
}

TEST_CASE("labels of ticks have no useless zeros") {
  const Axis it(axis(Scale::linear, true), {10}, {0, 100});
  for (const Tick& tick : it.ticks(6)) CHECK_FALSE(contains(tick.label, ".0"));
  CHECK(it.ticks(6)[1].label == "2");
  AxisOptions time = axis(Scale::log);
  time.format = model::format_nanoseconds;
  const Axis times(time, {1e3, 1e6}, {0, 100});
  CHECK(times.ticks(8).front().label == "1 µs");
  CHECK(times.ticks(8).back().label == "1 ms");
}

TEST_CASE("explicit ticks outside the data are left out") {
  AxisOptions options = axis(Scale::linear);
  options.ticks = {{1, "one"}, {2, "two"}, {9, "nine"}};
  const Axis it(options, {0, 3}, {0, 100});
  REQUIRE(it.ticks(8).size() == 2);
  CHECK(it.ticks(8)[1].label == "two");
}

TEST_CASE("labels that have room stay where they are") {
  CHECK(spread_labels({10, 50, 90}, 16, {0, 100}) == std::vector<double>{10, 50, 90});
  CHECK(spread_labels({90, 10}, 16, {0, 100}) == std::vector<double>{90, 10});
  CHECK(spread_labels({}, 16, {0, 100}).empty());
}

TEST_CASE("labels at one place move apart, evenly to both sides") {
  CHECK(spread_labels({50, 50, 50}, 10, {0, 100}) == std::vector<double>{40, 50, 60});
  CHECK(spread_labels({50, 52}, 10, {0, 100}) == std::vector<double>{46, 56});
  CHECK(spread_labels({0, 0}, 10, {0, 100}) == std::vector<double>{0, 10});
  CHECK(spread_labels({100, 100}, 10, {0, 100}) == std::vector<double>{90, 100});
}

TEST_CASE("labels keep gap, range and order wherever they want to be") {
  for (std::uint64_t i = 0; i < 500; ++i) {
    std::vector<double> wanted;
    for (std::uint64_t k = 0; k < 1 + rps::mix(i) % 12; ++k) {
      wanted.push_back(static_cast<double>(rps::mix(i, k) % 200) - 50);
    }
    const std::vector<double> got = spread_labels(wanted, 7, {0, 100});
    CAPTURE(wanted, got);
    std::vector<double> sorted = got;
    std::ranges::sort(sorted);
    CHECK(sorted.front() >= 0);
    CHECK(sorted.back() <= 100 + 1e-9);
    for (std::size_t k = 1; k < sorted.size(); ++k) CHECK(sorted[k] - sorted[k - 1] >= 7 - 1e-9);
    for (std::size_t a = 0; a < wanted.size(); ++a) {
      for (std::size_t b = 0; b < wanted.size(); ++b) {
        if (wanted[a] < wanted[b]) CHECK(got[a] < got[b]);
      }
    }
  }
}

TEST_CASE("more labels than fit share the range") {
  const std::vector<double> got = spread_labels(std::vector<double>(11, 50), 20, {0, 100});
  CHECK(got.front() == Approx(0));
  CHECK(got.back() == Approx(100));
}

TEST_CASE("no value becomes a word in a drawing") {
  const std::vector<double> odd{nan_value, infinity, -infinity, 0, -1, 1e-300, 1e300, 1e308, 5};
  std::vector<XyPoint> points;
  for (const double x : odd) {
    for (const double y : odd) {
      points.push_back({.x = x, .y = y, .interval = Range{-y, y}, .is_ringed = true, .hint = "h"});
    }
  }
  for (const Scale scale : {Scale::linear, Scale::log}) {
    check_numbers(to_svg(chart_of(points, scale)));
    check_numbers(to_svg(chart_of({}, scale)));
    for (const XyPoint& point : points) check_numbers(to_svg(chart_of({point}, scale)));
    XyChart banded = chart_of(points, scale);
    for (const XyPoint& point : points) {
      banded.bands.resize(1);
      banded.bands[0].edges.push_back({point.x, point.y, point.x});
    }
    check_numbers(to_svg(banded));
    RowChart rows{.text = {"r", "Rows", "Of marks."}, .rows = {"one", "two"}};
    rows.panels = {{.axis = axis(scale, true), .line = nan_value, .marks = {{}, {}}}};
    for (const double value : odd) {
      rows.panels[0].marks[0].segments.push_back({.value = value});
      rows.panels[0].marks[1].dots.push_back(value);
      rows.panels[0].marks[1].interval = Range{value, -value};
      check_numbers(to_svg(rows));
    }
  }
}

TEST_CASE("every point is drawn, and a gap interrupts the line") {
  const std::string svg =
      to_svg(chart_of({{1, 1}, {2, 2}, {3, nan_value}, {4, 4}, {5, 5}}, Scale::linear));
  // One marker a point, and one beside the name.
  CHECK(count_of(svg, "s0 marker") == 5);
  const std::size_t line = svg.find("class=\"s0 line\"");
  const std::string way = svg.substr(line, svg.find('>', line) - line);
  CHECK(std::ranges::count(way, 'M') == 2);
  CHECK(std::ranges::count(way, 'L') == 2);
}

TEST_CASE("a line is named at its end, and names do not lie on each other") {
  XyChart chart = chart_of({{1, 1}, {2, 2}}, Scale::linear);
  chart.lines.push_back(chart.lines.front());
  chart.lines.back().name = "another <line>";
  const std::string svg = to_svg(chart);
  const auto height_of = [&](std::string_view name) {
    const std::size_t text = svg.rfind("<text", svg.find(name));
    return std::stod(svg.substr(svg.find(" y=\"", text) + 4));
  };
  CHECK(std::abs(height_of(">a line<") - height_of(">another &lt;line&gt;<")) >= 15);
}

TEST_CASE("bars stand behind each other and add up") {
  RowChart chart{.text = {"r", "Rows", "Of bars."}, .rows = {"one"}};
  chart.panels = {
      {.axis = axis(Scale::linear, true),
       .marks = {{.segments = {{.value = 30}, {.value = 10, .is_hatched = true}}, .text = "40"}}}};
  const std::string svg = to_svg(chart);
  const std::size_t first = svg.find("<rect class=\"s0 bar\"");
  const std::size_t second = svg.find("<rect class=\"s0 bar\"", first + 1);
  const auto number = [&](std::size_t at, std::string_view name) {
    return std::stod(svg.substr(svg.find(name, at) + name.size()));
  };
  CHECK(number(first, "width=\"") == Approx(3 * number(second, "width=\"")).margin(0.5));
  CHECK(number(second, " x=\"") ==
        Approx(number(first, " x=\"") + number(first, "width=\"")).margin(0.2));
  CHECK(count_of(svg, "url(#r-hatch)") == 1);
}

TEST_CASE("markup in texts stays text") {
  CHECK(escape_markup("<a href=\"x\">&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
  CHECK(escape_markup(std::string("a\0b\x1b[1m\nc\td", 12)) == "ab[1m\nc\td");
  CHECK(escape_markup("µs – 你") == "µs – 你");
  CHECK(text_element("p", {{"class", ""}, {"id", "\"x\""}}, "<") ==
        "<p id=\"&quot;x&quot;\">&lt;</p>");
}

TEST_CASE("lengths are short numbers") {
  CHECK(pixels(1.26) == "1.3");
  CHECK(pixels(-0.01) == "0");
  CHECK(pixels(nan_value) == "0");
  CHECK(pixels(infinity) == "0");
  CHECK(pixels(1e300) == "99999");
}
