// What a client hands over, kept for a test to look at.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/client.hpp"
#include "tests/catch.hpp"

namespace rps::rpc {

inline constexpr std::chrono::seconds patience{10};

struct Notes final : Sink {
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    ++answers[id];
    replies[id] = reply;
    reasons[id] = reply.reason;
    CHECK(stamps.sent_at <= stamps.received_at);
    CHECK(stamps.received_at <= Clock::now());
    if (again) again(id);
  }
  void on_event(const Event& event) override { events.push_back(event); }
  void on_observation(const Observation& observation) override { seen.push_back(observation); }
  void on_watch_ended(std::uint64_t id, const Reply& reply) override { ended.emplace(id, reply); }

  std::map<std::uint64_t, int> answers;
  std::map<std::uint64_t, Reply> replies;
  std::map<std::uint64_t, std::string> reasons;
  std::vector<Event> events;
  std::vector<Observation> seen;
  std::multimap<std::uint64_t, Reply> ended;  // Watches, before their duels were over.
  std::function<void(std::uint64_t)> again;
};

template <class Done>
void poll_until(Client& client, Notes& notes, Done done) {
  const Clock::time_point deadline = Clock::now() + patience;
  while (!done() && Clock::now() < deadline) client.poll(deadline, notes);
  REQUIRE(done());
}

inline Reply ask(Client& client, Notes& notes, std::uint64_t id, const Command& command) {
  client.submit(id, command);
  poll_until(client, notes, [&] { return notes.answers.contains(id); });
  return notes.replies[id];
}

}  // namespace rps::rpc
