#include "core/game.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/random.hpp"

namespace rps {

namespace {

Round make_round(Move player, Move opponent) {
  return {.opponent_move = opponent,
          .result = judge(player, opponent),
          .reason = reason(player, opponent),
          .round = 0,
          .score = {}};
}

bool is_best_of(std::uint32_t best_of) {
  return best_of % 2 == 1 && best_of <= limits::best_of_max;
}

}  // namespace

Game::Game(const GameOptions& options)
    : options_(options),
      sessions_({.sessions_max = options.sessions_max,
                 .idle_max = options.session_idle,
                 .hash_seed = mix(options.seed.value_or(options.secret), 1)}),
      duels_({.duels_max = options.duels_max,
              .spectators_per_duel_max = options.spectators_per_duel_max,
              .spectators_max = options.spectators_max,
              .idle_max = options.duel_idle,
              .hash_seed = mix(options.seed.value_or(options.secret), 2)}) {}

std::expected<Round, Error> Game::play(Move player, std::string_view session_id,
                                       Clock::time_point now) {
  if (player == Move::unspecified) return std::unexpected(Error::invalid_move);
  if (session_id.empty()) {
    const std::uint64_t count = lone_rounds_.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t seed = mix(options_.seed.value_or(options_.secret), count);
    return make_round(player, house_move(options_.house, seed, History{}));
  }
  if (!is_id(session_id)) return std::unexpected(Error::malformed_request);
  return sessions_.update(session_id, now, seed_at(now), [&](Session& session) {
    Round round = make_round(player, house_move(options_.house, session.seed, session.history));
    session.history.record(player);
    session.score.add(round.result);
    round.round = session.history.rounds;
    round.score = session.score;
    return round;
  });
}

std::expected<Score, Error> Game::score(std::string_view session_id, Clock::time_point now) {
  if (!is_id(session_id)) return std::unexpected(Error::malformed_request);
  const auto score = sessions_.score(session_id, now);
  if (!score) return std::unexpected(Error::unknown_session);
  return *score;
}

Reply Game::handle(const Command& command, Caller& caller, Clock::time_point now) {
  Reply reply{.operation = command.operation};
  const auto done = [&]() -> std::expected<void, Error> {
    switch (command.operation) {
      case Operation::play: return handle_play(command, now, reply);
      case Operation::score: return handle_score(command, now, reply);
      case Operation::join: return handle_join(command, caller, now, reply);
      case Operation::throw_move: return handle_throw(command, now);
      case Operation::leave: return handle_leave(command, caller, now);
      case Operation::watch: return handle_watch(command, caller);
    }
    std::unreachable();
  }();
  if (!done) {
    reply.error = done.error();
    if (reply.error == Error::overloaded) reply.retry_after_ms = limits::retry_after_ms;
  }
  return reply;
}

std::expected<void, Error> Game::handle_play(const Command& command, Clock::time_point now,
                                             Reply& reply) {
  const auto round = play(command.move, command.session_id, now);
  if (!round) return std::unexpected(round.error());
  reply.opponent_move = round->opponent_move;
  reply.result = round->result;
  reply.reason = round->reason;
  reply.round = round->round;
  reply.score = round->score;
  return {};
}

std::expected<void, Error> Game::handle_score(const Command& command, Clock::time_point now,
                                              Reply& reply) {
  const auto so_far = score(command.session_id, now);
  if (!so_far) return std::unexpected(so_far.error());
  reply.score = *so_far;
  return {};
}

std::expected<void, Error> Game::handle_join(const Command& command, Caller& caller,
                                             Clock::time_point now, Reply& reply) {
  const auto place = Caller::Place::of(command);
  if (!place || !is_best_of(command.best_of)) return std::unexpected(Error::malformed_request);
  const auto joined = caller.join(*place, command.best_of, now);
  if (!joined) return std::unexpected(joined.error());
  reply.seat = joined->seat;
  reply.best_of = joined->best_of;
  return {};
}

std::expected<void, Error> Game::handle_throw(const Command& command, Clock::time_point now) {
  const auto place = Caller::Place::of(command);
  if (!place) return std::unexpected(Error::malformed_request);
  if (command.move == Move::unspecified) return std::unexpected(Error::invalid_move);
  const auto thrown = duels_.throw_move(place->game, place->player, command.move, now);
  if (!thrown) return std::unexpected(thrown.error());
  return {};
}

std::expected<void, Error> Game::handle_leave(const Command& command, Caller& caller,
                                              Clock::time_point now) {
  const auto place = Caller::Place::of(command);
  if (!place) return std::unexpected(Error::malformed_request);
  return caller.leave(*place, now);
}

std::expected<void, Error> Game::handle_watch(const Command& command, Caller& caller) {
  const auto game = Id::parse(command.game_id);
  if (!game) return std::unexpected(Error::malformed_request);
  return caller.watch(*game);
}

void Game::sweep(Clock::time_point now) {
  sessions_.sweep(now);
  duels_.sweep(now);
}

// With a given seed every session starts from it. Without one a session's seed is computed from the
// secret and the instant at which the session began, so that an evicted session does not begin
// again with the same moves.
std::uint64_t Game::seed_at(Clock::time_point now) const {
  if (options_.seed) return *options_.seed;
  return mix(options_.secret, static_cast<std::uint64_t>(now.time_since_epoch().count()));
}

std::optional<Caller::Place> Caller::Place::of(const Command& command) {
  const auto game = Id::parse(command.game_id);
  const auto player = Id::parse(command.player_id);
  if (!game || !player) return std::nullopt;
  return Place{*game, *player};
}

Caller::Caller(Game& game, std::weak_ptr<EventSink> sink, std::weak_ptr<SpectatorSink> spectator)
    : game_(game), sink_(std::move(sink)), spectator_(std::move(spectator)) {}

Caller::~Caller() {
  assert(places_.empty() && !watched_);
}

void Caller::disconnect(Clock::time_point now) {
  for (const Place& place : places_) {
    game_.duels_.disconnect(place.game, place.player, sink_, now);
  }
  places_.clear();
  unwatch();
}

std::expected<DuelTable::Joined, Error> Caller::join(const Place& place, std::uint32_t best_of,
                                                     Clock::time_point now) {
  const bool known = std::ranges::find(places_, place) != places_.end();
  if (!known && places_.size() == limits::places_per_caller_max) {
    return std::unexpected(Error::overloaded);
  }
  if (!known) places_.reserve(places_.size() + 1);  // Nothing fails once the player is seated.
  const auto joined = game_.duels_.join(place.game, place.player, best_of, sink_, now);
  if (joined && !known) places_.push_back(place);
  return joined;
}

std::expected<void, Error> Caller::leave(const Place& place, Clock::time_point now) {
  const auto left = game_.duels_.leave(place.game, place.player, now);
  std::erase(places_, place);
  return left;
}

// One duel at a time: who watches another one, or the same one again, watches the first no more.
std::expected<void, Error> Caller::watch(const Id& game) {
  const auto sink = spectator_.lock();
  if (!sink) return std::unexpected(Error::unknown_operation);
  unwatch();
  watched_ = game;
  return game_.duels_.watch(game, sink);
}

void Caller::unwatch() {
  if (watched_) game_.duels_.unwatch(*watched_, spectator_);
  watched_.reset();
}

}  // namespace rps
