#include "core/duel.hpp"

#include "core/judge.hpp"

namespace rps {

Duel::Duel(const Id& game_id, std::uint32_t best_of) : game_id_(game_id), best_of_(best_of) {
  assert(best_of % 2 == 1 && best_of <= limits::best_of_max);
}

std::expected<Seat, Error> Duel::join(const Id& player, Outbox& out) {
  Seat seat = seat_of(player);
  if (seat == Seat::none) {
    if (chair(Seat::first).player.empty()) {
      seat = Seat::first;
    } else if (chair(Seat::second).player.empty()) {
      seat = Seat::second;
    } else {
      return std::unexpected(Error::game_full);
    }
    chair(seat).player = player;
  }
  const bool was_present = present(seat);
  chair(seat).present = true;
  if (!was_present) show(ObservationType::joined, seat, out);

  if (over_) {
    tell(seat, {.type = EventType::game_over}, out);
  } else if (present(other(seat))) {
    if (!was_present) tell(other(seat), {.type = EventType::opponent_joined}, out);
    tell(seat, {.type = EventType::opponent_joined}, out);
    if (chair(other(seat)).thrown) tell(seat, {.type = EventType::opponent_ready}, out);
    if (!was_present && chair(seat).thrown) {
      tell(other(seat), {.type = EventType::opponent_ready}, out);
    }
  }
  return seat;
}

std::expected<void, Error> Duel::throw_move(const Id& player, Move move, Outbox& out) {
  const Seat seat = seat_of(player);
  if (seat == Seat::none || over_ || !present(seat) || !present(other(seat)) ||
      chair(seat).thrown) {
    return std::unexpected(Error::not_your_turn);
  }
  chair(seat).thrown = move;
  if (chair(other(seat)).thrown) {
    close_round(out);
  } else {
    tell(other(seat), {.type = EventType::opponent_ready}, out);
    show(ObservationType::ready, seat, out);
  }
  return {};
}

std::expected<void, Error> Duel::leave(const Id& player, Outbox& out) {
  const Seat seat = seat_of(player);
  if (seat == Seat::none) return std::unexpected(Error::not_your_turn);
  if (!present(seat)) return {};
  chair(seat).present = false;
  tell(other(seat), {.type = EventType::opponent_left}, out);
  show(ObservationType::left, seat, out);
  return {};
}

void Duel::give_up(Outbox& out) {
  if (!over_) end(out);
}

void Duel::end(Outbox& out) {
  over_ = true;
  tell(Seat::first, {.type = EventType::game_over}, out);
  tell(Seat::second, {.type = EventType::game_over}, out);
  show(ObservationType::game_over, Seat::none, out);
}

Observation Duel::snapshot() const {
  Observation seen{.game_id = game_id_,
                   .best_of = best_of_,
                   .rounds = round_ - 1,
                   .is_over = over_,
                   .winner = winner_};
  for (const Seat seat : {Seat::first, Seat::second}) {
    const Chair& taken = chair(seat);
    seen.players[index_of(seat)] = {.id = taken.player,
                                    .present = taken.present,
                                    .ready = taken.thrown.has_value(),
                                    .score = taken.score};
  }
  return seen;
}

Seat Duel::seat_of(const Id& player) const {
  if (chair(Seat::first).player == player) return Seat::first;
  if (chair(Seat::second).player == player) return Seat::second;
  return Seat::none;
}

// Fills in what every event says, and adds the event to the outbox if a player has this seat.
void Duel::tell(Seat to, Event event, Outbox& out) const {
  if (!present(to)) return;
  event.game_id = game_id_;
  event.player_id = chair(to).player;
  if (event.type == EventType::game_over) {
    event.score = chair(to).score;
    event.winner = winner_;
  }
  out.post(to, event);
}

void Duel::show(ObservationType type, Seat seat, Outbox& out) const {
  if (!out.has_spectators()) return;
  Observation seen = snapshot();
  seen.type = type;
  seen.seat = seat;
  out.show(seen);
}

void Duel::show_round(const std::array<Move, 2>& moves, Outbox& out) const {
  if (!out.has_spectators()) return;
  Observation seen = snapshot();
  seen.type = ObservationType::round_over;
  seen.moves = moves;
  out.show(seen);
}

void Duel::close_round(Outbox& out) {
  const std::array<Move, 2> moves{*chair(Seat::first).thrown, *chair(Seat::second).thrown};
  std::array<Event, 2> events;
  for (const Seat seat : {Seat::first, Seat::second}) {
    const Move own = moves[index_of(seat)];
    const Move others = moves[index_of(other(seat))];
    const Result result = judge(own, others);
    chair(seat).score.add(result);
    events[index_of(seat)] = {.type = EventType::round_over,
                              .player_move = own,
                              .opponent_move = others,
                              .result = result,
                              .round = round_,
                              .score = chair(seat).score};
  }
  for (const Seat seat : {Seat::first, Seat::second}) {
    chair(seat).thrown.reset();
    tell(seat, events[index_of(seat)], out);
  }
  ++round_;
  show_round(moves, out);
  for (const Seat seat : {Seat::first, Seat::second}) {
    if (chair(seat).score.wins <= best_of_ / 2) continue;
    winner_ = chair(seat).player;
    return end(out);
  }
}

}  // namespace rps
