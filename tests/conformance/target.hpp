// A server under test, and a player at it: the client seam made convenient for a test, which asks
// one thing after the other and looks at each answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/client.hpp"

namespace rps::conformance {

// A reply that owns its text.
struct Answer {
  Reply reply;
  std::string reason;
};

// One connection, for any number of players who use it in turns. Whatever takes longer than
// `patience` is a failure.
class Player final : private Sink {
 public:
  Player(std::unique_ptr<Client> client, std::chrono::milliseconds patience);

  // Sends the command and waits for its reply. Throws Failed when none comes, or more than one.
  Answer ask(const Command& command);

  // As ask(), for what must not be refused: throws Failed when it is.
  Answer ask_gladly(const Command& command);

  // The next event that `player_id` is told in this game, or nothing when none comes in time.
  std::optional<Event> next_event(std::string_view game_id, std::string_view player_id);

  // The next observation of this game, or nothing when none comes in time.
  std::optional<Observation> next_observation(std::string_view game_id);

  // An event that has come already and that nobody has asked for.
  std::optional<Event> left_over() const;

 private:
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override;
  void on_event(const Event& event) override;
  void on_observation(const Observation& seen) override;

  template <class Told, class IsMeant>
  std::optional<Told> next(std::deque<Told>& told, IsMeant is_meant);

  std::unique_ptr<Client> client_;
  std::chrono::milliseconds patience_;
  std::uint64_t asked_ = 0;  // The id of the newest call.
  std::optional<Answer> answer_;
  std::string surplus_;  // What is wrong with a reply that was not asked for.
  std::deque<Event> events_;
  std::deque<Observation> observations_;
};

struct Target {
  std::string name;  // The URL.
  std::function<std::unique_ptr<Client>(const ConnectOptions&)> connect;
  // Each connection is a world of its own (a child process): two of them never meet.
  bool connections_are_worlds = false;
  std::chrono::milliseconds patience{10'000};

  // Opens connections, for which there is as much time as `patience`.
  std::unique_ptr<Client> open(ConnectOptions options) const;
  std::unique_ptr<Player> open_player() const;
};

// The target behind a URL of any stage. Throws std::exception when the URL is none.
Target make_target(const std::string& url);

// An id that no other run and no other call has used; at most 32 characters.
std::string fresh_id();

}  // namespace rps::conformance
