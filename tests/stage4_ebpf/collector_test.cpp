#include "stage4_ebpf/collector.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "tests/catch.hpp"

namespace rps::observe {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

const MetricFamily& find(const std::vector<MetricFamily>& families, const std::string& name) {
  const auto found = std::ranges::find(families, name, &MetricFamily::name);
  REQUIRE(found != families.end());
  return *found;
}

double single(const std::vector<MetricFamily>& families, const std::string& name) {
  const MetricFamily& family = find(families, name);
  REQUIRE(family.type == MetricType::Counter);
  REQUIRE(family.metric.size() == 1);
  return family.metric[0].counter.value;
}

// Every counter has a value of its own, so that none can stand for another.
Reading distinct_reading() {
  return {.counters = {.reads = 1,
                       .read_bytes = 2,
                       .writes = 3,
                       .write_bytes = 4,
                       .retransmits = 5,
                       .connections_opened = 6,
                       .connections_closed = 7,
                       .listeners = 8,
                       .listeners_lost = 9},
          .missed = 10};
}

}  // namespace

TEST_CASE("without an observer nothing is counted, not even zero") {
  for (const auto& families : {to_families(std::nullopt), Collector().Collect()}) {
    REQUIRE(families.size() == 1);
    CHECK(families[0].name == "rps_observer_active");
    CHECK(families[0].type == MetricType::Gauge);
    CHECK(families[0].metric.at(0).gauge.value == 0);
  }
}

TEST_CASE("every counter reaches its own metric") {
  const auto families = to_families(distinct_reading());
  CHECK(find(families, "rps_observer_active").metric.at(0).gauge.value == 1);
  CHECK(single(families, "rps_observer_reads_total") == 1);
  CHECK(single(families, "rps_observer_read_bytes_total") == 2);
  CHECK(single(families, "rps_observer_writes_total") == 3);
  CHECK(single(families, "rps_observer_write_bytes_total") == 4);
  CHECK(single(families, "rps_observer_retransmits_total") == 5);
  CHECK(single(families, "rps_observer_connections_opened_total") == 6);
  CHECK(single(families, "rps_observer_connections_closed_total") == 7);
  CHECK(single(families, "rps_observer_listeners_total") == 8);
}

TEST_CASE("losses are told apart by their reason") {
  const auto families = to_families(distinct_reading());
  const MetricFamily& lost = find(families, "rps_observer_lost_total");
  REQUIRE(lost.metric.size() == 2);
  CHECK(lost.metric[0].label.at(0).value == "memory");
  CHECK(lost.metric[0].counter.value == 9);
  CHECK(lost.metric[1].label.at(0).value == "recursion");
  CHECK(lost.metric[1].counter.value == 10);
}

TEST_CASE("every metric is named once and explained") {
  std::set<std::string> names;
  for (const MetricFamily& family : to_families(Reading{})) {
    CHECK(names.insert(family.name).second);
    CHECK(family.name.starts_with("rps_observer_"));
    CHECK(family.help.ends_with("."));
    CHECK((family.type == MetricType::Counter) == family.name.ends_with("_total"));
  }
}

}  // namespace rps::observe
