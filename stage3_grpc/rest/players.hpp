// The players of duels who play over HTTP. HTTP requests have no state in common, so the seats of
// these players are kept here: a player is present in a duel from the join until the leave, or
// until no request has come from the player for a time.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/clock.hpp"
#include "core/game.hpp"

namespace rps::rpc::rest {

// Used by one thread.
class Players {
 public:
  // At most `players_max` are kept; who has sent nothing for `idle_max` is no longer present.
  // REQUIRES: the game outlives this.
  Players(Game& game, std::size_t players_max, Clock::duration idle_max)
      : game_(game), players_max_(players_max), idle_max_(idle_max) {}
  Players(const Players&) = delete;
  Players& operator=(const Players&) = delete;
  ~Players();

  // Carries out a join, throw or leave. `overloaded` for a join while so many play as may.
  Reply handle(const Command& command, Clock::time_point now);

  // Ends the presence of those who have sent nothing for too long. To be called now and then.
  void sweep(Clock::time_point now);

  std::size_t size() const { return players_.size(); }

 private:
  struct Player {
    std::unique_ptr<Caller> caller;
    Clock::time_point asked_at;
  };
  using Key = std::pair<std::string, std::string>;  // The duel and the player.

  Reply join(const Command& command, Clock::time_point now);

  Game& game_;
  const std::size_t players_max_;
  const Clock::duration idle_max_;
  std::map<Key, Player> players_;
};

}  // namespace rps::rpc::rest
