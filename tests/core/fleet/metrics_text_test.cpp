#include "core/fleet/metrics_text.hpp"

#include "tests/catch.hpp"

namespace rps::fleet {
namespace {

TEST_CASE("Every counter has a metric, and every instance its gauges") {
  Stats stats;
  stats.calls = 7;
  stats.slow_attempts = 3;
  const std::string text =
      metrics_text(stats,
                   {{.url = "grpc://a:1", .is_up = true, .open_calls = 5, .connections = 2},
                    {.url = "line://b:2", .breaker = CircuitBreaker::State::open}},
                   true);
  CHECK_THAT(text, Catch::Contains("# TYPE rps_fleet_calls_total counter\n"
                                   "rps_fleet_calls_total 7\n"));
  CHECK_THAT(text, Catch::Contains("\nrps_fleet_slow_attempts_total 3\n"));
  CHECK_THAT(text, Catch::Contains("\nrps_fleet_instance_up{instance=\"grpc://a:1\"} 1\n"
                                   "rps_fleet_instance_up{instance=\"line://b:2\"} 0\n"));
  CHECK_THAT(text, Catch::Contains("\nrps_fleet_instance_breaker{instance=\"line://b:2\","
                                   "state=\"open\"} 1\n"));
  CHECK_THAT(text, Catch::Contains("\nrps_fleet_instance_breaker{instance=\"grpc://a:1\","
                                   "state=\"open\"} 0\n"));
  CHECK_THAT(text, Catch::Contains("\nrps_fleet_instance_open_calls{instance=\"grpc://a:1\"} 5\n"));
  CHECK_THAT(text,
             Catch::Contains("\nrps_fleet_instance_connections{instance=\"grpc://a:1\"} 2\n"));
  CHECK_THAT(text, Catch::Contains("\nrps_fleet_list_current 1\n"));
  std::size_t counters = 0;
  for (std::size_t at = text.find(" counter\n"); at != std::string::npos;
       at = text.find(" counter\n", at + 1)) {
    ++counters;
  }
  CHECK(counters == sizeof(Stats) / sizeof(std::uint64_t));
}

TEST_CASE("An instance's URL is quoted") {
  const std::string text = metrics_text({}, {{.url = "line://a\"b\\c\nd"}}, false);
  CHECK_THAT(text, Catch::Contains("\nrps_fleet_list_current 0\n"));
  CHECK_THAT(text, Catch::Contains("{instance=\"line://a\\\"b\\\\c\\nd\"}"));
}

}  // namespace
}  // namespace rps::fleet
