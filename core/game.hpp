// The game, which every server calls. To add a transport, use this header and core/command.hpp; the
// rules of rock, paper, scissors are implemented behind them.
//
// Any number of threads may call Game at once. It reads no clock, writes no log, and waits for
// nothing but the lock of one shard, which is held for a short time.
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
  // With a seed the house's moves are reproducible: the same moves of a player in a session give
  // the same transcript in every process and on every transport. Without a seed they are not.
  std::optional<std::uint64_t> seed;
  // Replaces the seed when there is none. It comes from a random device and is never shown.
  std::uint64_t secret = 0;
  std::size_t sessions_max = limits::sessions_default;
  Clock::duration session_idle = limits::session_idle_default;
  std::size_t duels_max = limits::duels_default;
  Clock::duration duel_idle = limits::duel_idle_default;
  std::size_t spectators_per_duel_max = limits::spectators_per_duel_default;
  std::size_t spectators_max = limits::spectators_default;
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

  // Plays a round. With an empty session id the round belongs to no session and is not scored. With
  // any other id it is the next round of that session; a session begins with its first round.
  // Errors: invalid_move (`unspecified`), malformed_request (no id).
  std::expected<Round, Error> play(Move player, std::string_view session_id, Clock::time_point now);

  // Errors: malformed_request (no id), unknown_session.
  std::expected<Score, Error> score(std::string_view session_id, Clock::time_point now);

  // Executes a command of any operation. `caller` is the connection that sent it: duels send their
  // events and observations to it until it is destroyed. A caller who is no spectator gets
  // unknown_operation for a watch.
  Reply handle(const Command& command, Caller& caller, Clock::time_point now);

  // Frees the memory of idle sessions and duels. Only memory depends on it: they expire without it.
  void sweep(Clock::time_point now);

  SessionStore::Counts session_counts() const { return sessions_.counts(); }
  DuelTable::Counts duel_counts() const { return duels_.counts(); }

 private:
  friend class Caller;

  // One for each operation. On success they fill the members of `reply` that belong to it.
  std::expected<void, Error> handle_play(const Command& command, Clock::time_point now,
                                         Reply& reply);
  std::expected<void, Error> handle_score(const Command& command, Clock::time_point now,
                                          Reply& reply);
  std::expected<void, Error> handle_join(const Command& command, Caller& caller,
                                         Clock::time_point now, Reply& reply);
  std::expected<void, Error> handle_throw(const Command& command, Clock::time_point now);
  std::expected<void, Error> handle_leave(const Command& command, Caller& caller,
                                          Clock::time_point now);
  std::expected<void, Error> handle_watch(const Command& command, Caller& caller);

  std::uint64_t seed_at(Clock::time_point now) const;

  GameOptions options_;
  SessionStore sessions_;
  DuelTable duels_;
  // Counts rounds without a session, to give each another seed; alone on its cache line.
  alignas(64) std::atomic<std::uint64_t> lone_rounds_{0};
};

// What the game knows of one connection: the sinks of its events and observations, the seats in
// duels that it holds, and the duel that it watches. The connection owns it, and only the
// connection's thread uses it. REQUIRES: the game outlives it.
class Caller {
 public:
  // `sink` may be empty: then duels can be played, but send no events. Without a `spectator` no
  // duel can be watched.
  Caller(Game& game, std::weak_ptr<EventSink> sink, std::weak_ptr<SpectatorSink> spectator = {});
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // REQUIRES: disconnect() was called if any duel was joined or watched.
  ~Caller();

  // The connection holds a seat in a duel, be it over or not.
  bool has_seat() const { return !places_.empty(); }

  // The connection broke: the seats of its players stay reserved, and the players may join again.
  // It watches nothing any more.
  void disconnect(Clock::time_point now);

 private:
  friend class Game;

  struct Place {
    Id game;
    Id player;

    // The place that a command of a duel names; nothing if one of its ids is no id.
    static std::optional<Place> of(const Command& command);

    bool operator==(const Place&) const = default;
  };

  std::expected<DuelTable::Joined, Error> join(const Place& place, std::uint32_t best_of,
                                               Clock::time_point now);
  std::expected<void, Error> leave(const Place& place, Clock::time_point now);
  std::expected<void, Error> watch(const Id& game);
  void unwatch();

  Game& game_;
  std::weak_ptr<EventSink> sink_;
  std::weak_ptr<SpectatorSink> spectator_;
  std::vector<Place> places_;  // limits::places_per_caller_max at most.
  std::optional<Id> watched_;  // The duel watched last; it may be over.
};

}  // namespace rps
