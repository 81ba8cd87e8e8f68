#include "stage3_grpc/boundary/busy_poll.hpp"

#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc::boundary;
using namespace std::chrono_literals;

namespace {

constexpr Clock::duration limit = 20us;

// Waits as one whose events come `gap` after the wait began does. Returns how many of them began
// with busy polling.
int polls(BusyPoll& busy_poll, int waits, Clock::duration gap) {
  int polled = 0;
  for (int i = 0; i < waits; ++i) {
    if (busy_poll.is_worthwhile()) {
      busy_poll.polled(gap <= limit);
      ++polled;
    } else {
      busy_poll.slept(gap);
    }
  }
  return polled;
}

void on_a_thread(const std::function<void()>& run) {
  std::thread(run).join();
}

}  // namespace

TEST_CASE("A thread polls busily once a few waits in turn were short") {
  BusyPoll busy_poll(limit);
  CHECK(polls(busy_poll, 8, 10us) == 0);
  CHECK(polls(busy_poll, 100, 10us) == 100);
}

TEST_CASE("Waits that are long do not begin with busy polling") {
  BusyPoll busy_poll(limit);
  CHECK(polls(busy_poll, 1'000, 1ms) == 0);
  polls(busy_poll, 100, 10us);
  CHECK(polls(busy_poll, 1'000, 1ms) <= 4);
}

TEST_CASE("Attempts that always fail become rare") {
  BusyPoll busy_poll(limit);
  CHECK(polls(busy_poll, 10'000, 50us) < 20);
}

TEST_CASE("A thread that mostly waits in vain stops, and one that rarely does goes on") {
  BusyPoll busy_poll(limit);
  int half = 0;
  int most = 0;
  for (int i = 0; i < 1'000; ++i) half += polls(busy_poll, 1, i % 2 == 0 ? 10us : 50us);
  CHECK(half < 100);
  busy_poll = BusyPoll(limit);
  for (int i = 0; i < 1'000; ++i) most += polls(busy_poll, 1, i % 10 == 0 ? 50us : 10us);
  CHECK(most > 900);
}

TEST_CASE("Without a limit no thread polls busily") {
  BusyPoll busy_poll(0us);
  CHECK(polls(busy_poll, 1'000, 0us) == 0);
}

TEST_CASE("A wait is one call, unless it begins with busy polling") {
  on_a_thread([] {
    std::vector<int> waits;
    const auto nothing = [&waits](int ms) {
      waits.push_back(ms);
      return 0;
    };
    const auto at_once = [](int) { return 1; };

    CHECK(wait_for_events(nothing, -1) == 0);
    CHECK(waits == std::vector{-1});

    set_busy_poll_of_this_thread(1ms);
    for (int i = 0; i < 8; ++i) CHECK(wait_for_events(at_once, -1) == 1);
    waits.clear();
    CHECK(wait_for_events(nothing, 7) == 0);
    REQUIRE(waits.size() >= 2);
    CHECK(waits.front() == 0);
    CHECK(waits.back() == 7);

    waits.clear();
    CHECK(wait_for_events(nothing, 0) == 0);
    CHECK(waits == std::vector{0});
  });
}

TEST_CASE("An error ends busy polling") {
  on_a_thread([] {
    set_busy_poll_of_this_thread(1ms);
    for (int i = 0; i < 8; ++i) wait_for_events([](int) { return 1; }, -1);
    CHECK(wait_for_events([](int) { return -1; }, -1) == -1);
  });
}
