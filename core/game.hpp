// The game: the one thing every server calls. Whoever adds a transport needs this header and
// core/command.hpp, and decides nothing about rock, paper or scissors.
//
// All of it may be called from any number of threads at once. Nothing here reads a clock, writes a
// log or waits for anything but a shard's short lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/duel_table.hpp"
#include "core/judge.hpp"
#include "core/session_store.hpp"
#include "core/strategy.hpp"

namespace rps {

struct GameOptions {
  Strategy house = Strategy::fair;
  // With a seed the house can be foreseen: the same moves in a session give the same transcript in
  // every process and on every transport. Without one nobody can foresee it.
  std::optional<std::uint64_t> seed;
  // What stands in for the seed when there is none; from a random device. Never told to anyone.
  std::uint64_t secret = 0;
  std::size_t sessions_max = limits::sessions_default;
  Clock::duration session_idle = limits::session_idle_default;
  std::size_t duels_max = limits::duels_default;
  Clock::duration duel_idle = limits::duel_idle_default;
};

// One round against the house, as the player sees it.
struct Round {
  Move opponent_move = Move::unspecified;
  Result result = Result::draw;
  std::string_view reason;  // Points to a constant.
  std::uint64_t round = 0;  // Of the session, from 1; 0 without a session.
  Score score;              // After this round; all zero without a session.
};

class Caller;

class Game {
 public:
  explicit Game(const GameOptions& options);

  // Plays a round. With an empty session id the round stands alone and is not scored; with any
  // other, it is the next of that session, which begins with its first round.
  // Errors: invalid_move (`unspecified`), malformed_request (no id).
  std::expected<Round, Error> play(Move player, std::string_view session_id, Clock::time_point now);

  // Errors: malformed_request (no id), unknown_session.
  std::expected<Score, Error> score(std::string_view session_id, Clock::time_point now);

  // The five operations behind one call, for transports that carry them as commands. `caller` is
  // the connection that asks: duels tell it their events, and lose it when it is destroyed.
  Reply handle(const Command& command, Caller& caller, Clock::time_point now);

  // Gives idle sessions and duels back. Correctness does not need it, memory likes it.
  void sweep(Clock::time_point now);

  SessionStore::Counts session_counts() const { return sessions_.counts(); }
  DuelTable::Counts duel_counts() const { return duels_.counts(); }

 private:
  friend class Caller;

  std::uint64_t seed_at(Clock::time_point now) const;

  GameOptions options_;
  SessionStore sessions_;
  DuelTable duels_;
  // Tells rounds without a session apart; alone on its cache line.
  alignas(64) std::atomic<std::uint64_t> lone_rounds_{0};
};

// One connection as the game sees it: where its events go and which chairs it sits on. Owned by
// the connection and used by its thread only. REQUIRES: the game outlives it.
class Caller {
 public:
  // `sink` may be empty: then duels can be played, but tell nothing.
  Caller(Game& game, std::weak_ptr<EventSink> sink);
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // REQUIRES: disconnect() was called if any duel was joined.
  ~Caller();

  // The connection broke: its players lose their chairs to nobody and may join again.
  void disconnect(Clock::time_point now);

 private:
  friend class Game;

  struct Place {
    Id game;
    Id player;
    bool operator==(const Place&) const = default;
  };

  std::expected<DuelTable::Joined, Error> join(const Place& place, std::uint32_t best_of,
                                               Clock::time_point now);
  std::expected<void, Error> leave(const Place& place, Clock::time_point now);

  Game& game_;
  std::weak_ptr<EventSink> sink_;
  std::vector<Place> places_;  // limits::places_per_caller_max at most.
};

}  // namespace rps
