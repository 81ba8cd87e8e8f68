// A duel as its two players see it: every reply and every event is checked against the rules.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/command.hpp"
#include "tests/conformance/target.hpp"

namespace rps::conformance {

// Short names, for cases that tell who throws what.
inline constexpr Seat first = Seat::first;
inline constexpr Seat second = Seat::second;
inline constexpr Move rock = Move::rock;
inline constexpr Move paper = Move::paper;
inline constexpr Move scissors = Move::scissors;

class Table {
 public:
  // Whether the two share a connection. Where connections are worlds they always do.
  enum class Wiring : std::uint8_t { one_each, shared };

  // Nobody sits yet. Throws NotOffered when the server knows no duels. REQUIRES: the target
  // outlives the table.
  explicit Table(const Target& target, std::uint32_t best_of = limits::best_of_default,
                 Wiring wiring = Wiring::one_each);

  // The first sits down, then the second; both hear of the other.
  void sit_down();

  // A round, the first's throw before the second's. Checks the events of both, to the end of the
  // duel when this round decides it.
  void play_round(Move firsts, Move seconds);

  // Both stand up. REQUIRES: both sit. Throws Failed when anything was told that nobody expected.
  void finish();

  // One step, accepted. Events are left for expect().
  Reply join(Seat seat);
  void throw_move(Seat seat, Move move);
  void leave(Seat seat);

  // A throw, accepted, before the other's, who is told of it and no more.
  void throw_first(Seat seat, Move move);

  // What the server says to a throw.
  std::optional<Error> try_throw(Seat seat, Move move);

  // The next thing that this player is told must be `type`.
  Event expect(Seat seat, EventType type);
  void expect_both(EventType type);

  // The player's connection breaks, and is there again; the player does not sit any longer.
  // REQUIRES: each has a connection.
  void reconnect(Seat seat);

  const std::string& game_id() const { return game_id_; }
  const std::string& player_id(Seat seat) const { return chair(seat).player_id; }
  const Score& score(Seat seat) const { return chair(seat).score; }
  Player& connection(Seat seat) { return *chair(seat).connection; }

 private:
  struct Chair {
    std::string player_id;
    std::shared_ptr<Player> connection;
    Score score;  // As it must be.
  };

  Chair& chair(Seat seat) { return chairs_[seat == Seat::first ? 0 : 1]; }
  const Chair& chair(Seat seat) const { return chairs_[seat == Seat::first ? 0 : 1]; }
  void expect_round(Seat seat, Move own, Move others);
  void expect_end(Seat seat, Seat winner);

  const Target& target_;
  std::uint32_t best_of_;
  std::string game_id_;
  std::array<Chair, 2> chairs_;
  std::uint64_t rounds_ = 0;
};

}  // namespace rps::conformance
