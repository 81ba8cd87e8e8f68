#include "bench/model/metric.hpp"

#include <algorithm>

#include "bench/model/format.hpp"

namespace rps::model {

namespace {

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < all_metrics.size(); ++i) {
    if (static_cast<std::size_t>(all_metrics[i].metric) != i) return false;
  }
  return static_cast<std::size_t>(Metric::micro_allocations) + 1 == all_metrics.size();
}
static_assert(is_in_order());

std::string format_bytes(double bytes) {
  if (bytes >= 1e9) return format_number(bytes / 1e9) + " GB";
  if (bytes >= 1e6) return format_number(bytes / 1e6) + " MB";
  if (bytes >= 1e3) return format_number(bytes / 1e3) + " kB";
  return format_number(bytes) + " B";
}

}  // namespace

std::optional<Metric> parse_metric(std::string_view name) {
  const auto found = std::ranges::find_if(all_metrics, [name](const MetricInfo& each) {
    return each.key == name || each.column == name;
  });
  return found == all_metrics.end() ? std::nullopt : std::optional(found->metric);
}

std::string format_metric(Metric metric, double value) {
  switch (info(metric).unit) {
    case Unit::per_second: return format_rate(value);
    case Unit::nanoseconds: return format_nanoseconds(value);
    case Unit::microseconds: return format_nanoseconds(value * 1e3);
    case Unit::bytes: return format_bytes(value);
    case Unit::share: return format_number(value * 100) + " %";
    case Unit::count: return format_number(value);
  }
  return format_number(value);
}

}  // namespace rps::model
