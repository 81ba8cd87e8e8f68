#include "stage3_grpc/contract/convert.hpp"

#include <initializer_list>
#include <string_view>

#include "core/judge.hpp"

namespace rps::rpc {

namespace {

Score read(const v1::GameScore& score) {
  return {.wins = score.wins(), .draws = score.draws(), .losses = score.losses()};
}

bool is_consistent(const v1::GameScore& score) {
  return score.rounds() == read(score).rounds();
}

template <class Message>
void write_score(const Score& score, Message& out) {
  out.set_wins(score.wins);
  out.set_draws(score.draws);
  out.set_losses(score.losses);
  out.set_rounds(score.rounds());
}

// Nothing when the number names no seat.
std::optional<Seat> seat_from_wire(std::uint32_t number) {
  if (number != 1 && number != 2) return std::nullopt;
  return static_cast<Seat>(number);
}

void write(Seat seat, const Observation::Player& player, v1::DuelPlayer& out) {
  out.set_seat(static_cast<std::uint32_t>(seat));
  out.mutable_player_id()->assign(player.id.view());
  out.set_present(player.present);
  out.set_ready(player.ready);
  write_score(player.score, *out.mutable_score());
}

void write(const Observation& seen, v1::DuelState& out) {
  out.mutable_game_id()->assign(seen.game_id.view());
  out.set_best_of(seen.best_of);
  out.set_rounds(seen.rounds);
  for (const Seat seat : {Seat::first, Seat::second}) {
    const Observation::Player& player = seen.players[index_of(seat)];
    if (!player.id.empty()) write(seat, player, *out.add_players());
  }
  out.set_over(seen.is_over);
  out.mutable_winner()->assign(seen.winner.view());
}

void write_round(const Observation& seen, v1::RoundShown& out) {
  const auto [first, second] = seen.moves;
  out.set_round(seen.rounds);
  out.set_first_move(to_wire(first));
  out.set_second_move(to_wire(second));
  out.set_first_result(to_wire(judge(first, second)));
  out.mutable_reason()->assign(reason(first, second));
}

bool read(const v1::DuelPlayer& player, Observation& out) {
  const auto seat = seat_from_wire(player.seat());
  const auto id = Id::parse(player.player_id());
  if (!seat || !id || !is_consistent(player.score())) return false;
  out.players[index_of(*seat)] = {.id = *id,
                                  .present = player.present(),
                                  .ready = player.ready(),
                                  .score = read(player.score())};
  return true;
}

bool read(const v1::DuelState& state, Observation& out) {
  const auto game = Id::parse(state.game_id());
  const auto winner = Id::parse(state.winner());
  if (!game || (!winner && !state.winner().empty())) return false;
  out.game_id = *game;
  out.best_of = state.best_of();
  out.rounds = state.rounds();
  out.is_over = state.over();
  out.winner = winner.value_or(Id());
  for (const v1::DuelPlayer& player : state.players()) {
    if (!read(player, out)) return false;
  }
  return true;
}

// What has happened to a player: false when the number names no seat.
bool read_seat(ObservationType type, std::uint32_t number, Observation& out) {
  const auto seat = seat_from_wire(number);
  out.type = type;
  out.seat = seat.value_or(Seat::none);
  return seat.has_value();
}

bool read_round(const v1::RoundShown& round, Observation& out) {
  out.type = ObservationType::round_over;
  out.moves = {from_wire(round.first_move()), from_wire(round.second_move())};
  return out.moves[0] != Move::unspecified && out.moves[1] != Move::unspecified &&
         from_wire(round.first_result()) && round.round() == out.rounds;
}

// What has happened. REQUIRES: the state has been read.
bool read_event(const v1::WatchResponse& response, Observation& out) {
  switch (response.event_case()) {
    case v1::WatchResponse::kSnapshot: out.type = ObservationType::snapshot; return true;
    case v1::WatchResponse::kGameOver: out.type = ObservationType::game_over; return true;
    case v1::WatchResponse::kJoined:
      return read_seat(ObservationType::joined, response.joined().seat(), out);
    case v1::WatchResponse::kReady:
      return read_seat(ObservationType::ready, response.ready().seat(), out);
    case v1::WatchResponse::kLeft:
      return read_seat(ObservationType::left, response.left().seat(), out);
    case v1::WatchResponse::kRoundOver: return read_round(response.round_over(), out);
    case v1::WatchResponse::EVENT_NOT_SET: break;
  }
  return false;
}

bool read(const v1::RoundOver& over, Event& out) {
  const auto result = from_wire(over.result());
  out.type = EventType::round_over;
  out.player_move = from_wire(over.player_move());
  out.opponent_move = from_wire(over.opponent_move());
  out.result = result.value_or(Result::draw);
  out.round = over.round();
  out.score = read(over.score());
  return result && out.player_move != Move::unspecified && out.opponent_move != Move::unspecified &&
         is_consistent(over.score());
}

bool read(const v1::GameOver& over, Event& out) {
  const auto winner = Id::parse(over.winner());
  out.type = EventType::game_over;
  out.winner = winner.value_or(Id());
  out.score = read(over.score());
  return (winner || over.winner().empty()) && is_consistent(over.score());
}

// What has happened to a player.
bool read_event(const v1::GameEvent& event, Event& out) {
  switch (event.event_case()) {
    case v1::GameEvent::kOpponentJoined: out.type = EventType::opponent_joined; return true;
    case v1::GameEvent::kOpponentReady: out.type = EventType::opponent_ready; return true;
    case v1::GameEvent::kOpponentLeft: out.type = EventType::opponent_left; return true;
    case v1::GameEvent::kRoundOver: return read(event.round_over(), out);
    case v1::GameEvent::kGameOver: return read(event.game_over(), out);
    case v1::GameEvent::EVENT_NOT_SET: break;
  }
  return false;
}

Reply refused(Operation operation, Error error, std::uint32_t retry_after_ms = 0) {
  return {.operation = operation, .error = error, .retry_after_ms = retry_after_ms};
}

}  // namespace

Command read(const v1::PlayRequest& request) {
  return {.operation = Operation::play,
          .move = from_wire(request.player_move()),
          .session_id = request.session_id()};
}

Command read(const v1::ScoreRequest& request) {
  return {.operation = Operation::score, .session_id = request.session_id()};
}

Command read(const v1::WatchRequest& request) {
  return {.operation = Operation::watch, .game_id = request.game_id()};
}

std::optional<Command> read(const v1::DuelRequest& request) {
  switch (request.request_case()) {
    case v1::DuelRequest::kJoin: {
      const v1::JoinRequest& join = request.join();
      return Command{.operation = Operation::join,
                     .game_id = join.game_id(),
                     .player_id = join.player_id(),
                     .best_of = join.has_best_of() ? join.best_of() : limits::best_of_default};
    }
    case v1::DuelRequest::kThrow:
      return Command{.operation = Operation::throw_move,
                     .move = from_wire(request.throw_().move()),
                     .game_id = request.throw_().game_id(),
                     .player_id = request.throw_().player_id()};
    case v1::DuelRequest::kLeave:
      return Command{.operation = Operation::leave,
                     .game_id = request.leave().game_id(),
                     .player_id = request.leave().player_id()};
    case v1::DuelRequest::REQUEST_NOT_SET: break;
  }
  return std::nullopt;
}

void write(const Reply& reply, v1::PlayResponse& out) {
  out.set_opponent_move(to_wire(reply.opponent_move));
  out.set_result(to_wire(reply.result));
  out.set_reason(reply.reason.data(), reply.reason.size());
  out.set_round(reply.round);
  if (reply.round > 0) write(reply.score, *out.mutable_score());
}

void write(const Reply& reply, v1::ScoreResponse& out) {
  write_score(reply.score, out);
}

void write(const Score& score, v1::GameScore& out) {
  write_score(score, out);
}

void write(const Reply& reply, v1::DuelResponse& out) {
  if (reply.error) {
    v1::DuelRefusal& refusal = *out.mutable_refused();
    const std::string_view name = to_string(*reply.error);
    const std::string_view message = explain(*reply.error);
    refusal.set_error(name.data(), name.size());
    refusal.set_message(message.data(), message.size());
    refusal.set_retry_after_ms(reply.retry_after_ms);
    return;
  }
  switch (reply.operation) {
    case Operation::join:
      out.mutable_joined()->set_seat(static_cast<std::uint32_t>(reply.seat));
      out.mutable_joined()->set_best_of(reply.best_of);
      break;
    case Operation::throw_move: out.mutable_accepted(); break;
    case Operation::leave: out.mutable_done(); break;
    case Operation::play:
    case Operation::score:
    case Operation::watch: break;  // No duel's request reads as one of these.
  }
}

void write(const Event& event, v1::GameEvent& out) {
  const std::string_view game = event.game_id.view();
  const std::string_view player = event.player_id.view();
  out.set_game_id(game.data(), game.size());
  out.set_player_id(player.data(), player.size());
  switch (event.type) {
    case EventType::opponent_joined: out.mutable_opponent_joined(); break;
    case EventType::opponent_ready: out.mutable_opponent_ready(); break;
    case EventType::opponent_left: out.mutable_opponent_left(); break;
    case EventType::round_over: {
      v1::RoundOver& over = *out.mutable_round_over();
      over.set_player_move(to_wire(event.player_move));
      over.set_opponent_move(to_wire(event.opponent_move));
      over.set_result(to_wire(event.result));
      over.set_round(event.round);
      write(event.score, *over.mutable_score());
      break;
    }
    case EventType::game_over: {
      v1::GameOver& over = *out.mutable_game_over();
      over.set_winner(event.winner.view().data(), event.winner.view().size());
      write(event.score, *over.mutable_score());
      break;
    }
  }
}

void write(const Observation& seen, v1::WatchResponse& out) {
  write(seen, *out.mutable_state());
  const auto seat = static_cast<std::uint32_t>(seen.seat);
  switch (seen.type) {
    case ObservationType::snapshot: out.mutable_snapshot(); break;
    case ObservationType::joined: out.mutable_joined()->set_seat(seat); break;
    case ObservationType::ready: out.mutable_ready()->set_seat(seat); break;
    case ObservationType::round_over: write_round(seen, *out.mutable_round_over()); break;
    case ObservationType::game_over: out.mutable_game_over(); break;
    case ObservationType::left: out.mutable_left()->set_seat(seat); break;
  }
}

void write(const Command& command, v1::PlayRequest& out) {
  out.set_player_move(to_wire(command.move));
  out.mutable_session_id()->assign(command.session_id);
}

void write(const Command& command, v1::ScoreRequest& out) {
  out.mutable_session_id()->assign(command.session_id);
}

void write(const Command& command, v1::WatchRequest& out) {
  out.mutable_game_id()->assign(command.game_id);
}

void write(const Command& command, v1::DuelRequest& out) {
  const auto set_ids = [&](auto& request) {
    request.set_game_id(command.game_id.data(), command.game_id.size());
    request.set_player_id(command.player_id.data(), command.player_id.size());
  };
  switch (command.operation) {
    case Operation::join:
      set_ids(*out.mutable_join());
      out.mutable_join()->set_best_of(command.best_of);
      break;
    case Operation::throw_move:
      set_ids(*out.mutable_throw_());
      out.mutable_throw_()->set_move(to_wire(command.move));
      break;
    case Operation::leave: set_ids(*out.mutable_leave()); break;
    case Operation::play:
    case Operation::score:
    case Operation::watch: break;  // These have calls of their own.
  }
}

Reply read(const v1::PlayResponse& response) {
  const Move opponent_move = from_wire(response.opponent_move());
  const std::optional<Result> result = from_wire(response.result());
  if (opponent_move == Move::unspecified || !result || !is_consistent(response.score())) {
    return refused(Operation::play, Error::internal);
  }
  return {.operation = Operation::play,
          .opponent_move = opponent_move,
          .result = *result,
          .reason = response.reason(),
          .round = response.round(),
          .score = read(response.score())};
}

Reply read(const v1::ScoreResponse& response) {
  const Score score{
      .wins = response.wins(), .draws = response.draws(), .losses = response.losses()};
  if (response.rounds() != score.rounds()) return refused(Operation::score, Error::internal);
  return {.operation = Operation::score, .score = score};
}

Reply read(const v1::DuelResponse& response, Operation asked) {
  switch (response.response_case()) {
    case v1::DuelResponse::kJoined: {
      const auto seat = seat_from_wire(response.joined().seat());
      if (asked != Operation::join || !seat) break;
      return {.operation = asked, .seat = *seat, .best_of = response.joined().best_of()};
    }
    case v1::DuelResponse::kAccepted:
      if (asked != Operation::throw_move) break;
      return {.operation = asked};
    case v1::DuelResponse::kDone:
      if (asked != Operation::leave) break;
      return {.operation = asked};
    case v1::DuelResponse::kRefused:
      return refused(asked, parse_error(response.refused().error()).value_or(Error::internal),
                     response.refused().retry_after_ms());
    case v1::DuelResponse::kEvent:
    case v1::DuelResponse::RESPONSE_NOT_SET: break;
  }
  return refused(asked, Error::internal);
}

std::optional<Event> read(const v1::GameEvent& event) {
  const auto game = Id::parse(event.game_id());
  const auto player = Id::parse(event.player_id());
  if (!game || !player) return std::nullopt;
  Event out{.game_id = *game, .player_id = *player};
  if (!read_event(event, out)) return std::nullopt;
  return out;
}

std::optional<Observation> read(const v1::WatchResponse& response) {
  Observation out;
  if (!read(response.state(), out) || !read_event(response, out)) return std::nullopt;
  return out;
}

}  // namespace rps::rpc
