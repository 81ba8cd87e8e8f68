#include "stage2_jsonrpc/limits.hpp"

#include <string>

#include <CLI/CLI.hpp>

#include "tests/catch.hpp"

namespace rps::jsonrpc {
namespace {

bool accepts(const std::string& flag, const std::string& value, Limits& limits) {
  CLI::App app;
  add_flags(app, limits);
  try {
    app.parse("test " + flag + " " + value, true);
    return true;
  } catch (const CLI::ParseError& error) {
    CHECK(std::string(error.what()).contains(flag));
    return false;
  }
}

TEST_CASE("A limit's flag sets it, up to its bound and not one past it") {
  struct Flag {
    std::string name;
    std::size_t Limits::* limit;
    std::size_t max;
  };
  const Flag flags[] = {{"--max-connections", &Limits::connections_max, 1'000'000},
                        {"--max-frame-bytes", &Limits::frame_bytes_max, 65'535},
                        {"--max-line-bytes", &Limits::line_bytes_max, 1 << 30},
                        {"--max-body-bytes", &Limits::body_bytes_max, 1 << 30},
                        {"--max-header-bytes", &Limits::header_bytes_max, 1 << 30},
                        {"--max-batch", &Limits::batch_calls_max, 100},
                        {"--max-unsent-bytes", &Limits::unsent_bytes_max, 1 << 30},
                        {"--max-waiting-events", &Limits::events_waiting_max, 1'000'000},
                        {"--calls-per-turn", &Limits::calls_per_turn, 1'000'000}};
  for (const Flag& flag : flags) {
    INFO(flag.name);
    Limits limits;
    CHECK(accepts(flag.name, std::to_string(flag.max), limits));
    CHECK(limits.*flag.limit == flag.max);
    CHECK(!accepts(flag.name, std::to_string(flag.max + 1), limits));
    CHECK(!accepts(flag.name, "0", limits));
    CHECK(!accepts(flag.name, "-1", limits));
    CHECK(!accepts(flag.name, "many", limits));
  }
}

TEST_CASE("A size's flag takes bytes and their units") {
  Limits limits;
  CHECK(accepts("--max-line-bytes", "1GiB", limits));
  CHECK(limits.line_bytes_max == 1 << 30);
  CHECK(accepts("--max-frame-bytes", "2kB", limits));
  CHECK(limits.frame_bytes_max == 2000);
  CHECK(!accepts("--max-frame-bytes", "64KiB", limits));
  CHECK(!accepts("--max-connections", "2k", limits));
}

TEST_CASE("A time's flag sets it, in milliseconds") {
  struct Flag {
    std::string name;
    std::chrono::milliseconds Limits::* limit;
  };
  const Flag flags[] = {{"--first-frame-timeout", &Limits::first_message_max},
                        {"--frame-timeout", &Limits::message_max},
                        {"--write-timeout", &Limits::write_stall_max},
                        {"--idle-timeout", &Limits::idle_max},
                        {"--linger", &Limits::linger_max},
                        {"--give-way-after", &Limits::in_use_max},
                        {"--overload-after", &Limits::pass_max}};
  for (const Flag& flag : flags) {
    INFO(flag.name);
    Limits limits;
    CHECK(accepts(flag.name, "1234", limits));
    CHECK(limits.*flag.limit == std::chrono::milliseconds(1234));
    CHECK(!accepts(flag.name, "0", limits));
    CHECK(!accepts(flag.name, "86400001", limits));
    CHECK(accepts(flag.name, "1.5s", limits));
    CHECK(limits.*flag.limit == std::chrono::milliseconds(1500));
    CHECK(accepts(flag.name, "24h", limits));
    CHECK(!accepts(flag.name, "1441m", limits));
    CHECK(!accepts(flag.name, "500us", limits));
  }
}

TEST_CASE("A rate's flag sets it; no rate is no limit, but a burst is at least one call") {
  Limits limits;
  CHECK(accepts("--rate-limit", "1000000", limits));
  CHECK(limits.calls_per_second_max == 1'000'000);
  CHECK(accepts("--rate-limit", "0", limits));
  CHECK(!accepts("--rate-limit", "1000001", limits));
  CHECK(accepts("--rate-limit", "1.5k", limits));
  CHECK(limits.calls_per_second_max == 1500);
  CHECK(!accepts("--rate-limit", "0.5", limits));
  CHECK(!accepts("--rate-limit", "2M", limits));
  CHECK(accepts("--rate-burst", "1", limits));
  CHECK(limits.calls_burst_max == 1);
  CHECK(!accepts("--rate-burst", "0", limits));
}

TEST_CASE("Who accepts is one of two") {
  Limits limits;
  CHECK(accepts("--accept", "single", limits));
  CHECK(limits.accepting == Accepting::single);
  CHECK(accepts("--accept", "shared-port", limits));
  CHECK(limits.accepting == Accepting::shared_port);
  CHECK(!accepts("--accept", "nobody", limits));
}

}  // namespace
}  // namespace rps::jsonrpc
