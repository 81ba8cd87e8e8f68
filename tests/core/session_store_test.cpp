#include "core/session_store.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

using namespace rps;
using namespace std::chrono_literals;

namespace {

const Clock::time_point start{};

std::string name(std::size_t i) {
  return "session-" + std::to_string(i);
}

// Plays one won round and returns how many the session has now.
std::uint64_t win(SessionStore& store, std::string_view id, Clock::time_point now) {
  return store.update(id, now, 0, [](Session& session) {
    session.score.add(Result::win);
    return session.score.wins;
  });
}

}  // namespace

TEST_CASE("A session is remembered under its id") {
  SessionStore store({.sessions_max = 10});
  CHECK(win(store, "a", start) == 1);
  CHECK(win(store, "b", start) == 1);
  CHECK(win(store, "a", start) == 2);
  CHECK(store.score("a", start)->wins == 2);
  CHECK_FALSE(store.score("c", start));
  CHECK(store.counts().sessions == 2);
}

TEST_CASE("A new session begins with the seed given, an old one keeps its own") {
  SessionStore store({.sessions_max = 10});
  const auto seed = [](Session& session) { return session.seed; };
  CHECK(store.update("a", start, 5, seed) == 5);
  CHECK(store.update("a", start, 6, seed) == 5);
}

TEST_CASE("An idle session is forgotten by the caller's clock, to the tick") {
  SessionStore store({.sessions_max = 10, .idle_max = 60s});
  win(store, "a", start);
  CHECK(store.score("a", start + 60s)->wins == 1);  // A use: idle from here on.
  CHECK(store.score("a", start + 120s)->wins == 1);
  CHECK_FALSE(store.score("a", start + 180s + 1ns));
  CHECK(store.counts().expired == 1);

  win(store, "b", start);
  CHECK(win(store, "b", start + 61s) == 1);  // Begins anew.
  CHECK(store.counts().expired == 2);
  CHECK(store.counts().sessions == 1);
}

TEST_CASE("A sweep forgets what is idle and keeps what is not") {
  SessionStore store({.sessions_max = 100'000, .idle_max = 60s});
  for (std::size_t i = 0; i < 1000; ++i) win(store, name(i), start + std::chrono::seconds(i));
  CHECK(store.sweep(start + 560s) == 500);
  CHECK(store.counts().sessions == 500);
  CHECK_FALSE(store.score(name(499), start + 560s));
  CHECK(store.score(name(500), start + 560s));
}

TEST_CASE("A full store forgets the least recently used, whatever it is asked for next") {
  SessionStore store({.sessions_max = 3});
  win(store, "a", start);
  win(store, "b", start);
  win(store, "c", start);
  win(store, "a", start);
  win(store, "d", start);  // One past the limit: "b" goes.
  CHECK(store.counts().sessions == 3);
  CHECK(store.counts().evicted == 1);
  CHECK(store.score("a", start)->wins == 2);
  CHECK_FALSE(store.score("b", start));
  CHECK(store.score("c", start));
  CHECK(store.score("d", start));
}

TEST_CASE("The bound holds over all shards, and eviction is the same every time") {
  const auto survivors = [] {
    SessionStore store({.sessions_max = 5'000, .hash_seed = 99});
    for (std::size_t i = 0; i < 20'000; ++i) win(store, name(i * 7919 % 12'345), start);
    CHECK(store.counts().sessions <= 5'000);
    std::vector<std::size_t> alive;
    for (std::size_t i = 0; i < 12'345; ++i) {
      if (store.score(name(i), start)) alive.push_back(i);
    }
    return alive;
  };
  const auto first = survivors();
  CHECK(first.size() > 4'500);
  CHECK(first == survivors());
}

TEST_CASE("It behaves as a map does, through any mixture of calls") {
  // A model without bound or expiry; the store is large enough to need neither.
  SessionStore store({.sessions_max = 4'000});
  std::map<std::string, std::uint64_t> model;
  std::uint64_t random = 1;
  for (int step = 0; step < 50'000; ++step) {
    random = mix(random);
    const std::string id = name(random % 700);
    if ((random >> 32) % 3 == 0) {
      const auto score = store.score(id, start);
      REQUIRE(score.has_value() == model.contains(id));
      if (score) REQUIRE(score->wins == model[id]);
    } else {
      REQUIRE(win(store, id, start) == ++model[id]);
    }
  }
}

TEST_CASE("Eight threads lose no round") {
  constexpr std::size_t threads = 8;
  constexpr std::size_t rounds = 20'000;
  constexpr std::size_t sessions = 37;
  SessionStore store({.sessions_max = 10'000});
  std::vector<std::jthread> players;
  for (std::size_t t = 0; t < threads; ++t) {
    players.emplace_back([&store, t] {
      for (std::size_t i = 0; i < rounds; ++i) win(store, name((i * 31 + t) % sessions), start);
    });
  }
  players.clear();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < sessions; ++i) total += store.score(name(i), start)->wins;
  CHECK(total == threads * rounds);
}

TEST_CASE("Eight threads in a full store keep to the bound") {
  SessionStore store({.sessions_max = 100, .idle_max = 1ms});
  std::vector<std::jthread> players;
  for (std::size_t t = 0; t < 8; ++t) {
    players.emplace_back([&store, t] {
      for (std::size_t i = 0; i < 5'000; ++i) {
        win(store, name(mix(i, t) % 1'000), start + std::chrono::microseconds(i));
        if (i % 500 == 0) store.sweep(start + std::chrono::microseconds(i));
      }
    });
  }
  players.clear();
  const auto counts = store.counts();
  CHECK(counts.sessions <= 100);
  CHECK(counts.created == counts.sessions + counts.evicted + counts.expired);
}
