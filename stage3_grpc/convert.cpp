#include "stage3_grpc/convert.hpp"

#include <string_view>

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

void write(const Command& command, v1::PlayRequest& out) {
  out.set_player_move(to_wire(command.move));
  out.mutable_session_id()->assign(command.session_id);
}

void write(const Command& command, v1::ScoreRequest& out) {
  out.mutable_session_id()->assign(command.session_id);
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
      const std::uint32_t seat = response.joined().seat();
      if (asked != Operation::join || seat < 1 || seat > 2) break;
      return {.operation = asked,
              .seat = static_cast<Seat>(seat),
              .best_of = response.joined().best_of()};
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
  switch (event.event_case()) {
    case v1::GameEvent::kOpponentJoined: out.type = EventType::opponent_joined; return out;
    case v1::GameEvent::kOpponentReady: out.type = EventType::opponent_ready; return out;
    case v1::GameEvent::kOpponentLeft: out.type = EventType::opponent_left; return out;
    case v1::GameEvent::kRoundOver: {
      const v1::RoundOver& over = event.round_over();
      const auto result = from_wire(over.result());
      if (!result) return std::nullopt;
      out.type = EventType::round_over;
      out.player_move = from_wire(over.player_move());
      out.opponent_move = from_wire(over.opponent_move());
      out.result = *result;
      out.round = over.round();
      out.score = read(over.score());
      return out;
    }
    case v1::GameEvent::kGameOver: {
      const v1::GameOver& over = event.game_over();
      const auto winner = Id::parse(over.winner());
      if (!winner && !over.winner().empty()) return std::nullopt;
      out.type = EventType::game_over;
      out.winner = winner.value_or(Id());
      out.score = read(over.score());
      return out;
    }
    case v1::GameEvent::EVENT_NOT_SET: break;
  }
  return std::nullopt;
}

}  // namespace rps::rpc
