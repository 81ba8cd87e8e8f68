#include "bench/scenarios/scrape.hpp"

#include "tests/catch.hpp"

using rps::scenarios::metric_sum;
using rps::scenarios::metric_value;

TEST_CASE("a metric is found by its whole name, with or without labels") {
  constexpr std::string_view text =
      "# HELP rps_observer_active Whether the programs are attached.\n"
      "# TYPE rps_observer_active gauge\n"
      "rps_observer_active_total 9\n"
      "rps_observer_active 1\n"
      "rps_requests_total{operation=\"play\",error_class=\"ok\"} 12345\n"
      "rps_last 2.5";
  CHECK(metric_value(text, "rps_observer_active") == 1);
  CHECK(metric_value(text, "rps_requests_total") == 12345);
  CHECK(metric_value(text, "rps_last") == 2.5);
  CHECK_FALSE(metric_value(text, "rps_observer"));
  CHECK_FALSE(metric_value("", "rps_last"));
  CHECK_FALSE(metric_value("rps_last broken\n", "rps_last"));
}

TEST_CASE("the samples of a metric are added up, whatever their labels") {
  constexpr std::string_view text =
      "rps_requests_total{operation=\"play\",error_class=\"ok\"} 40\n"
      "rps_requests_total_of_others 9\n"
      "rps_requests_total{operation=\"score\",error_class=\"ok\"} 2\n";
  CHECK(metric_sum(text, "rps_requests_total") == 42);
  CHECK(metric_sum(text, "rps_requests") == 0);
}

TEST_CASE("where nobody listens there is no page") {
  CHECK_FALSE(rps::scenarios::http_get({.host = "127.0.0.1", .port = 1}, "/metrics"));
}
