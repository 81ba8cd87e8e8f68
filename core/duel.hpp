// One duel: two people, best of N, throws hidden until both are in. A state machine that takes
// inputs and emits events; it knows no transport, no clock and no lock.
//
//            join            join                     both have thrown
//   (empty) ─────▶ waiting ─────────▶ playing ─────────────────────────▶ over
//                                     ▲  │ leave          one has won most of N rounds
//                                join │  ▼
//                                     away: nobody throws until the other is back
//
// Two rules hold for every interleaving of inputs, and tests try them all: a move leaves the duel
// only in round_over, when both are in; and a round is scored exactly once. They hold for what is
// told to players and for what is shown to spectators.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "core/command.hpp"
#include "core/observation.hpp"

namespace rps {

// What one input leads to, in order: events, each with the seat of the player whom it is for, and
// what spectators see.
class Outbox {
 public:
  struct Letter {
    Seat to = Seat::none;
    Event event;
  };

  // Without spectators no observation is made.
  explicit Outbox(bool has_spectators = false) : has_spectators_(has_spectators) {}

  void post(Seat to, const Event& event) {
    assert(size_ < letters_.size());
    letters_[size_++] = {.to = to, .event = event};
  }
  std::span<const Letter> letters() const { return {letters_.data(), size_}; }

  bool has_spectators() const { return has_spectators_; }
  void show(const Observation& seen) {
    assert(shown_ < observations_.size());
    observations_[shown_++] = seen;
  }
  std::span<const Observation> observations() const { return {observations_.data(), shown_}; }

 private:
  std::array<Letter, 4> letters_;  // A deciding throw: round_over and game_over, to both.
  std::size_t size_ = 0;
  bool has_spectators_;
  std::array<Observation, 2> observations_;  // A deciding throw: round_over and game_over.
  std::size_t shown_ = 0;
};

class Duel {
 public:
  // REQUIRES: best_of is odd and at most limits::best_of_max.
  Duel(const Id& game_id, std::uint32_t best_of);

  // The player joins, or comes back: a player who joined before keeps the seat, the score and a
  // throw already made, and gets the events that show the state of the duel. A third player gets
  // game_full.
  std::expected<Seat, Error> join(const Id& player, Outbox& out);

  // Throws, hidden. Refused with not_your_turn when the player has no seat or is not present, the
  // other is not present, this round's throw was made already, or the duel is over.
  // REQUIRES: `move` is real.
  std::expected<void, Error> throw_move(const Id& player, Move move, Outbox& out);

  // The player leaves; the seat stays reserved. Leaving again has no effect. A player without a
  // seat gets not_your_turn.
  std::expected<void, Error> leave(const Id& player, Outbox& out);

  // Ends the duel without a winner, if it is not over; players who are present are told.
  void give_up(Outbox& out);

  // The duel as a spectator finds it.
  Observation snapshot() const;

  std::uint32_t best_of() const { return best_of_; }
  bool is_over() const { return over_; }
  bool is_empty() const { return !present(Seat::first) && !present(Seat::second); }
  Seat seat_of(const Id& player) const;

 private:
  struct Chair {
    Id player;
    bool present = false;
    std::optional<Move> thrown;
    Score score;
  };

  Chair& chair(Seat seat) { return chairs_[index_of(seat)]; }
  const Chair& chair(Seat seat) const { return chairs_[index_of(seat)]; }
  bool present(Seat seat) const { return chair(seat).present; }
  void tell(Seat to, Event event, Outbox& out) const;
  void show(ObservationType type, Seat seat, Outbox& out) const;
  void close_round(Outbox& out);
  void show_round(const std::array<Move, 2>& moves, Outbox& out) const;
  void end(Outbox& out);

  Id game_id_;
  std::uint32_t best_of_;
  std::array<Chair, 2> chairs_;
  std::uint64_t round_ = 1;  // The one being played.
  bool over_ = false;
  Id winner_;
};

}  // namespace rps
