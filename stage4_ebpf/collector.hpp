// The observer's counts as Prometheus metrics.
#pragma once

#include <optional>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "stage4_ebpf/observer.hpp"
#include "stage4_ebpf/reading.hpp"

namespace rps::observe {

// Pure. Without a reading there is only `rps_observer_active 0`: counters at zero would claim that
// nothing happened, although nothing was counted.
std::vector<prometheus::MetricFamily> to_families(const std::optional<Reading>& reading);

// Owns the observer; without one it reports that the observer is not active. Any thread may scrape.
class Collector final : public prometheus::Collectable {
 public:
  Collector() = default;
  explicit Collector(Observer observer) : observer_(std::move(observer)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::optional<Observer> observer_;
};

}  // namespace rps::observe
