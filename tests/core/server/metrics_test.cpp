#include "core/server/metrics.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "tests/catch.hpp"

namespace rps::server {

namespace {

using std::chrono::nanoseconds;

// The samples of a Prometheus text by their names with labels, as they stand in it.
std::map<std::string, double> samples(const Metrics& metrics) {
  std::map<std::string, double> found;
  std::istringstream text(metrics.text());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    const bool is_new = found.emplace(line.substr(0, space), std::stod(line.substr(space))).second;
    INFO(line);
    CHECK(is_new);
  }
  return found;
}

// The least upper bound of the histogram of `play` that holds its one observation.
std::string bound_of(nanoseconds took) {
  const Game game{{}};
  Metrics metrics(game);
  metrics.answered(Operation::play, {}, took);
  const std::string prefix = R"(rps_request_duration_seconds_bucket{operation="play",le=")";
  std::map<double, std::string> bounds;
  for (const auto& [name, value] : samples(metrics)) {
    if (!name.starts_with(prefix) || value == 0) continue;
    const std::string bound = name.substr(prefix.size(), name.size() - prefix.size() - 2);
    bounds[std::stod(bound)] = bound;
  }
  return bounds.begin()->second;
}

class Source final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::ClientMetric metric;
    metric.counter.value = 42;
    return {{"stage_things_total", "Things.", prometheus::MetricType::Counter, {metric}}};
  }
};

}  // namespace

TEST_CASE("an answer counts by operation and error class") {
  const Game game{{}};
  Metrics metrics(game);
  metrics.answered(Operation::play, {}, nanoseconds(1500));
  metrics.answered(Operation::play, Error::invalid_move, nanoseconds(500));
  metrics.answered(Operation::leave, Error::internal, nanoseconds(0));
  metrics.answered({}, Error::malformed_request, nanoseconds(0));
  const auto found = samples(metrics);
  CHECK(found.at(R"(rps_requests_total{operation="play",error_class="ok"})") == 1);
  CHECK(found.at(R"(rps_requests_total{operation="play",error_class="invalid_move"})") == 1);
  CHECK(found.at(R"(rps_requests_total{operation="leave",error_class="internal"})") == 1);
  CHECK(found.at(R"(rps_requests_total{operation="unknown",error_class="malformed_request"})") ==
        1);
  CHECK(found.at(R"(rps_requests_total{operation="throw",error_class="ok"})") == 0);
  CHECK(found.at(R"(rps_request_duration_seconds_count{operation="play"})") == 2);
  CHECK(found.at(R"(rps_request_duration_seconds_sum{operation="play"})") == Approx(2e-6));
}

TEST_CASE("a histogram bound is inclusive, in seconds, and the last is infinite") {
  CHECK(bound_of(nanoseconds(-1)) == "1.024e-06");
  CHECK(bound_of(nanoseconds(0)) == "1.024e-06");
  CHECK(bound_of(nanoseconds(1024)) == "1.024e-06");
  CHECK(bound_of(nanoseconds(1025)) == "2.048e-06");
  CHECK(bound_of(nanoseconds(2048)) == "2.048e-06");
  CHECK(bound_of(nanoseconds(2049)) == "4.096e-06");
  CHECK(std::stod(bound_of(std::chrono::seconds(1))) == Approx(1.073741824));
  CHECK(std::stod(bound_of(nanoseconds(1LL << 34))) == Approx(17.179869184));
  CHECK(bound_of(nanoseconds((1LL << 34) + 1)) == "+Inf");
  CHECK(bound_of(std::chrono::hours(1)) == "+Inf");
}

TEST_CASE("buckets are cumulative and end in the count") {
  const Game game{{}};
  Metrics metrics(game);
  for (int k = 0; k < 40; ++k) metrics.answered(Operation::score, {}, nanoseconds(1LL << k));
  const auto found = samples(metrics);
  const auto bucket = [&](const std::string& bound) {
    return found.at(R"(rps_request_duration_seconds_bucket{operation="score",le=")" + bound +
                    "\"}");
  };
  CHECK(bucket("1.024e-06") == 11);
  CHECK(bucket("2.048e-06") == 12);
  CHECK(bucket("+Inf") == 40);
  CHECK(found.at(R"(rps_request_duration_seconds_count{operation="score"})") == 40);
}

TEST_CASE("gauges rise and fall, on whichever thread") {
  const Game game{{}};
  Metrics metrics(game);
  metrics.connection_opened();
  metrics.connection_opened();
  metrics.call_began();
  std::jthread([&] {
    metrics.connection_closed();
    metrics.call_ended();
  }).join();
  metrics.connection_refused(Refusal::limit);
  metrics.connection_refused(Refusal::resources);
  metrics.connection_refused(Refusal::resources);
  const auto found = samples(metrics);
  CHECK(found.at("rps_connections") == 1);
  CHECK(found.at("rps_connections_total") == 2);
  CHECK(found.at(R"(rps_connections_refused_total{reason="limit"})") == 1);
  CHECK(found.at(R"(rps_connections_refused_total{reason="resources"})") == 2);
  CHECK(found.at("rps_requests_in_flight") == 0);
}

TEST_CASE("open connections are what the server says, if it counts them at the scrape") {
  const Game game{{}};
  Metrics metrics(game);
  std::optional<std::size_t> open = 3;
  metrics.count_open_connections([&open] { return open; });
  metrics.connection_opened();
  CHECK(samples(metrics).at("rps_connections") == 3);
  open = 0;
  const auto found = samples(metrics);
  CHECK(found.at("rps_connections") == 0);
  CHECK(found.at("rps_connections_total") == 1);
  open.reset();
  CHECK_FALSE(samples(metrics).contains("rps_connections"));
}

TEST_CASE("sessions and duels are the game's") {
  Game game{{.sessions_max = 1'000}};
  Metrics metrics(game);
  REQUIRE(game.play(Move::rock, "a", Clock::time_point{}));
  REQUIRE(game.play(Move::rock, "b", Clock::time_point{}));
  Caller caller(game, {});
  const Command join{.operation = Operation::join, .game_id = "g", .player_id = "p"};
  REQUIRE_FALSE(game.handle(join, caller, Clock::time_point{}).error);
  game.sweep(Clock::time_point{} + std::chrono::hours(48));
  const auto found = samples(metrics);
  CHECK(found.at("rps_sessions") == 0);
  CHECK(found.at("rps_sessions_created_total") == 2);
  CHECK(found.at("rps_sessions_expired_total") == 2);
  CHECK(found.at("rps_sessions_evicted_total") == 0);
  CHECK(found.at("rps_duels") == 0);
  CHECK(found.at("rps_duels_created_total") == 1);
  CHECK(found.at("rps_duels_evicted_total") == 0);
  CHECK(found.at("rps_duels_expired_total") == 1);
  CHECK(found.at("rps_spectators") == 0);
  caller.disconnect(Clock::time_point{});
}

TEST_CASE("spectators are counted") {
  struct Eye final : SpectatorSink {
    bool on_observation(const Observation&) override { return true; }
  };
  Game game{{}};
  Metrics metrics(game);
  const auto eye = std::make_shared<Eye>();
  Caller caller(game, {}, eye);
  game.handle({.operation = Operation::join, .game_id = "g", .player_id = "p"}, caller, {});
  game.handle({.operation = Operation::watch, .game_id = "g"}, caller, {});
  metrics.answered(Operation::watch, std::nullopt, nanoseconds(0));
  const auto found = samples(metrics);
  CHECK(found.at("rps_spectators") == 1);
  CHECK(found.at(R"(rps_requests_total{operation="watch",error_class="ok"})") == 1);
  caller.disconnect({});
}

TEST_CASE("no count is lost under eight threads and a scraper") {
  const Game game{{}};
  Metrics metrics(game);
  constexpr int rounds = 20'000;
  {
    const std::jthread scraper([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) metrics.text();
    });
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < rounds; ++n) {
          metrics.connection_opened();
          metrics.call_began();
          metrics.answered(Operation::play, {}, nanoseconds(1000));
          metrics.call_ended();
          metrics.connection_closed();
        }
      });
    }
    threads.clear();
  }
  const auto found = samples(metrics);
  CHECK(found.at(R"(rps_requests_total{operation="play",error_class="ok"})") == 8 * rounds);
  CHECK(found.at(R"(rps_request_duration_seconds_count{operation="play"})") == 8 * rounds);
  CHECK(found.at(R"(rps_request_duration_seconds_sum{operation="play"})") ==
        Approx(8 * rounds * 1e-6));
  CHECK(found.at("rps_connections_total") == 8 * rounds);
  CHECK(found.at("rps_connections") == 0);
  CHECK(found.at("rps_requests_in_flight") == 0);
}

TEST_CASE("more threads than cells share them and lose nothing") {
  const Game game{{}};
  Metrics metrics(game);
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] { metrics.connection_refused(Refusal::limit); });
  }
  CHECK(samples(metrics).at(R"(rps_connections_refused_total{reason="limit"})") == 160);
}

TEST_CASE("a source is scraped with the rest, which says what was built") {
  const Game game{{}};
  Metrics metrics(game);
  metrics.add(std::make_shared<Source>());
  const auto found = samples(metrics);
  CHECK(found.at("stage_things_total") == 42);
  const std::string text = metrics.text();
  CHECK(text.contains("# TYPE rps_requests_total counter\n"));
  CHECK(text.contains("# TYPE rps_request_duration_seconds histogram\n"));
  CHECK(text.contains("rps_build_info{version=\""));
}

}  // namespace rps::server
