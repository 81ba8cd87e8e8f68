#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "bench/report/chart.hpp"

namespace rps::report {

namespace {

// Beyond this, differences and ratios of two values no longer fit a double.
constexpr double value_max = 1e150;
constexpr double value_min = 1e-150;  // On a logarithmic scale.

constexpr double room = 0.03;            // Of the axis, at each end.
constexpr double least_span = 0.02;      // Of a value: below it, an axis would show only noise …
constexpr double widened_by = 0.05;      // … and is made this much longer at both ends.
constexpr double rounding_slack = 1e-9;  // So that an end that is a tick counts as inside.

bool has_place(double value, Scale scale) {
  if (!std::isfinite(value) || std::abs(value) > value_max) return false;
  return scale == Scale::linear || value >= value_min;
}

std::vector<double> multiples(Range range, double step) {
  const double first = std::ceil(range.low / step - rounding_slack);
  const double last = std::floor(range.high / step + rounding_slack);
  std::vector<double> out;
  for (double i = first; i <= last; ++i) out.push_back(i * step + 0.0);  // Turns -0 into 0.
  return out;
}

std::vector<double> linear_ticks(Range range, std::size_t at_most) {
  // A range of so many steps has one tick more, if it begins with one.
  const double least_step = (range.high - range.low) / static_cast<double>(at_most + 1);
  const double power = std::pow(10, std::floor(std::log10(least_step)));
  for (const double step : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    if (step * power < least_step) continue;
    std::vector<double> out = multiples(range, step * power);
    if (out.size() <= at_most) return out;
  }
  return {};
}

// `factors` times the powers of ten inside the range.
std::vector<double> decades(Range range, std::initializer_list<double> factors, int stride) {
  const double slack = 1 + rounding_slack;
  std::vector<double> out;
  const auto first = static_cast<int>(std::floor(std::log10(range.low))) - 1;
  const auto last = static_cast<int>(std::ceil(std::log10(range.high)));
  for (int exponent = first; exponent <= last; ++exponent) {
    if (exponent % stride != 0) continue;
    for (const double factor : factors) {
      const double value = factor * std::pow(10, exponent);
      if (value * slack >= range.low && value <= range.high * slack) out.push_back(value);
    }
  }
  return out;
}

std::vector<double> log_ticks(Range range, std::size_t at_most) {
  if (range.high / range.low < 10) return linear_ticks(range, at_most);
  std::vector<double> out = decades(range, {1, 2, 5}, 1);
  for (int stride = 1; out.size() > at_most; ++stride) out = decades(range, {1}, stride);
  return out;
}

// Where a value stands on a scale of its own kind, before it becomes a pixel.
double scaled(double value, Scale scale) {
  return scale == Scale::log ? std::log10(value) : value;
}
double unscaled(double value, Scale scale) {
  return scale == Scale::log ? std::pow(10, value) : value;
}

Range widened(Range range, const AxisOptions& options) {
  const bool is_log = options.scale == Scale::log;
  if (options.from_zero && !is_log) {
    range = {std::min(range.low, 0.0), std::max(range.high, 0.0)};
  }
  const double size = is_log ? 1 : std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low <= least_span * size) {
    const double by = size > 0 ? widened_by * size : 1;
    range = {range.low - by, range.high + by};
  }
  const double more = room * (range.high - range.low);
  const bool begins_at_zero = options.from_zero && range.low == 0;
  return {begins_at_zero ? 0 : range.low - more, range.high + more};
}

}  // namespace

std::string without_zeros(std::string text) {
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text;
  const std::size_t end = std::min(text.find_first_not_of("0123456789", point + 1), text.size());
  std::size_t kept = end;
  while (text[kept - 1] == '0') --kept;
  if (text[kept - 1] == '.') --kept;
  return text.erase(kept, end - kept);
}

std::vector<double> nice_ticks(Range range, Scale scale, std::size_t at_most) {
  return scale == Scale::log ? log_ticks(range, at_most) : linear_ticks(range, at_most);
}

Axis::Axis(const AxisOptions& options, const std::vector<double>& data, Range pixels)
    : options_(options), pixels_(pixels) {
  Range covered{scaled(value_max, options.scale), scaled(value_min, options.scale)};
  bool is_empty = true;
  for (const double value : data) {
    if (!has_place(value, options.scale)) continue;
    const double place = scaled(value, options.scale);
    covered = is_empty ? Range{place, place}
                       : Range{std::min(covered.low, place), std::max(covered.high, place)};
    is_empty = false;
  }
  if (is_empty) covered = {0, 1};
  values_ = widened(covered, options);
}

std::optional<double> Axis::at(double value) const {
  if (!has_place(value, options_.scale)) return std::nullopt;
  const double share = (scaled(value, options_.scale) - values_.low) / (values_.high - values_.low);
  return pixels_.low + share * (pixels_.high - pixels_.low);
}

Range Axis::values() const {
  return {unscaled(values_.low, options_.scale), unscaled(values_.high, options_.scale)};
}

std::vector<Tick> Axis::ticks(std::size_t at_most) const {
  const Range range = values();
  std::vector<Tick> out;
  for (const Tick& tick : options_.ticks) {
    if (range.low <= tick.value && tick.value <= range.high) out.push_back(tick);
  }
  if (!options_.ticks.empty()) return out;
  for (const double value : nice_ticks(range, options_.scale, at_most)) {
    out.push_back({value, without_zeros(options_.format(value))});
  }
  return out;
}

// With the gaps taken out, order is all that is asked for: isotonic regression by pooling adjacent
// violators (Barlow et al. 1972). Bounds on the whole are then bounds on every value.
std::vector<double> spread_labels(const std::vector<double>& wanted, double gap, Range range) {
  const std::size_t count = wanted.size();
  if (count > 1) gap = std::min(gap, (range.high - range.low) / static_cast<double>(count - 1));
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(wanted[i], i); });

  struct Pool {
    double sum = 0;
    std::size_t size = 0;
    double mean() const { return sum / static_cast<double>(size); }
  };
  std::vector<Pool> pools;
  for (std::size_t rank = 0; rank < count; ++rank) {
    pools.push_back({wanted[order[rank]] - gap * static_cast<double>(rank), 1});
    while (pools.size() > 1 && pools.back().mean() < pools[pools.size() - 2].mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().size += last.size;
    }
  }

  std::vector<double> out(count);
  const double highest =
      std::max(range.low, range.high - gap * static_cast<double>(count > 0 ? count - 1 : 0));
  std::size_t rank = 0;
  for (const Pool& pool : pools) {
    const double place = std::clamp(pool.mean(), range.low, highest);
    for (std::size_t i = 0; i < pool.size; ++i, ++rank) {
      out[order[rank]] = place + gap * static_cast<double>(rank);
    }
  }
  return out;
}

}  // namespace rps::report
