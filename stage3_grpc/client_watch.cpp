#include "stage3_grpc/client_watch.hpp"

#include <utility>

#include "core/random.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"

namespace rps::rpc {

namespace {

constexpr std::string_view first_player = "first";
constexpr std::string_view second_player = "second";

// Requests of both players that may be on their way at once: to leave one game and to join the
// next, and what was said before in the game that is left.
constexpr std::size_t requests_max = 8;

bool is_decided(const v1::DuelState& state) {
  for (const v1::DuelPlayer& player : state.players()) {
    if (player.score().wins() > state.best_of() / 2) return true;
  }
  return false;
}

// The round as a play of the first player's. Error::internal when the spectator was shown other
// moves than those that were thrown, or something that is no result.
Reply read_round(const v1::RoundShown& round, Move first, Move second) {
  const auto result = from_wire(round.first_result());
  if (!result || from_wire(round.first_move()) != first ||
      from_wire(round.second_move()) != second) {
    return {.operation = Operation::play, .error = Error::internal};
  }
  return {.operation = Operation::play,
          .opponent_move = second,
          .result = *result,
          .reason = round.reason()};
}

}  // namespace

// ---- A call of Watch -----------------------------------------------------------------------

void WatchCall::start(Stub& stub, grpc::CompletionQueue& queue, std::string_view game_id) {
  context_.emplace();
  request_.mutable_game_id()->assign(game_id);
  reader_ = stub.AsyncWatch(&*context_, request_, &queue, &started_tag_);
}

void WatchCall::on_started(bool ok, Arrival&) {
  if (!ok) return reader_->Finish(&status_, &finished_tag_);
  reader_->Read(&response_, &read_tag_);
}

void WatchCall::on_read(bool ok, Arrival& arrival) {
  if (!ok) return reader_->Finish(&status_, &finished_tag_);
  take(response_, arrival);
  reader_->Read(&response_, &read_tag_);
}

void WatchCall::on_finished(bool, Arrival& arrival) {
  reader_.reset();
  const grpc::Status status = std::exchange(status_, grpc::Status());
  ended(status, *context_, arrival);
}

// ---- The parties of a watched duel -----------------------------------------------------------

WatchedDuel::Players::Players(WatchedDuel& duel, Stub& stub, grpc::CompletionQueue& queue)
    : ClientStream(requests_max), duel_(duel), stub_(stub), queue_(queue) {}

std::unique_ptr<WatchedDuel::Players::Wire> WatchedDuel::Players::start(
    grpc::ClientContext& context, void* tag) {
  return stub_.AsyncDuel(&context, &queue_, tag);
}

// What the players are told is not needed: the spectator sees it, too.
void WatchedDuel::Players::take(const v1::DuelResponse& response, Arrival& arrival) {
  if (!response.has_event()) answer(read(response, oldest_operation()), arrival);
}

void WatchedDuel::Players::deliver(const Answered& call, const Reply& reply, Arrival& arrival) {
  duel_.note_reply(call.id, reply, call.by_server, arrival);
}

void WatchedDuel::Spectator::take(const v1::WatchResponse& response, Arrival& arrival) {
  duel_.note_response(response, arrival);
}

void WatchedDuel::Spectator::ended(const grpc::Status& status, const grpc::ClientContext& context,
                                   Arrival& arrival) {
  duel_.note_end(status, context, arrival);
}

// ---- The duel ------------------------------------------------------------------------------

WatchedDuel::WatchedDuel(Stub& stub, grpc::CompletionQueue& queue, std::string name)
    : stub_(stub),
      queue_(queue),
      name_(std::move(name)),
      players_(*this, stub, queue),
      spectator_(*this),
      random_(hash_bytes(name_, 0)) {}

// While the spectator still waits for the end of the last game, note_end() opens the next one.
void WatchedDuel::play(std::uint64_t id, Move move) {
  open_ = id;
  sent_at_ = Clock::now();
  first_move_ = move;
  is_thrown_ = false;
  if (is_on_) {
    throw_moves();
  } else if (!spectator_.is_open()) {
    open_game();
  }
}

void WatchedDuel::cancel() {
  players_.cancel();
  spectator_.cancel();
}

void WatchedDuel::open_game() {
  game_id_ = name_ + "-" + std::to_string(++game_);
  joined_ = 0;
  is_left_ = false;
  say(Operation::join, first_player);
  say(Operation::join, second_player);
}

void WatchedDuel::leave_game() {
  is_on_ = false;
  is_left_ = true;
  say(Operation::leave, first_player);
  say(Operation::leave, second_player);
}

// The replies to the last moves may come later than the spectator sees their round: then
// note_reply() throws these.
void WatchedDuel::throw_moves() {
  if (!open_ || is_thrown_ || players_.open_calls() != 0) return;
  is_thrown_ = true;
  random_ = mix(random_);
  second_move_ = move_at(below(3, random_));
  sent_at_ = Clock::now();
  say(Operation::throw_move, first_player, first_move_);
  say(Operation::throw_move, second_player, second_move_);
}

void WatchedDuel::say(Operation operation, std::string_view player, Move move) {
  players_.submit(game_, {.operation = operation,
                          .move = move,
                          .game_id = game_id_,
                          .player_id = player,
                          .best_of = limits::best_of_max});
}

// Replies in a game that was left matter to nobody.
void WatchedDuel::note_reply(std::uint64_t game, const Reply& reply, bool by_server,
                             Arrival& arrival) {
  if (game != game_ || is_left_) return;
  if (reply.error) return fail(reply, by_server, arrival);
  if (reply.operation == Operation::join && ++joined_ == 2) {
    spectator_.start(stub_, queue_, game_id_);
  }
  if (is_on_) throw_moves();
}

void WatchedDuel::note_response(const v1::WatchResponse& response, Arrival& arrival) {
  if (is_left_) return;
  if (response.has_snapshot()) {
    is_on_ = true;
    throw_moves();
  } else if (response.has_round_over() && open_) {
    note_round(response, arrival);
  }
}

void WatchedDuel::note_round(const v1::WatchResponse& response, Arrival& arrival) {
  const Reply reply = read_round(response.round_over(), first_move_, second_move_);
  if (reply.error) return fail(reply, true, arrival);
  if (is_decided(response.state())) leave_game();
  answer(reply, true, arrival);
}

void WatchedDuel::note_end(const grpc::Status& status, const grpc::ClientContext& context,
                           Arrival& arrival) {
  if (is_left_) {
    if (open_) open_game();
    return;
  }
  const bool by_server = status.ok() || is_answer(status);
  fail(status.ok() ? Reply{.error = Error::unknown_game}  // The server has closed the duel.
                   : refusal(status, Operation::watch, context),
       by_server, arrival);
}

// The play, if one is open, has failed, and the next one begins another game.
void WatchedDuel::fail(Reply reply, bool by_server, Arrival& arrival) {
  leave_game();
  spectator_.cancel();
  reply.operation = Operation::play;
  if (open_) answer(reply, by_server, arrival);
}

void WatchedDuel::answer(const Reply& reply, bool by_server, Arrival& arrival) {
  const std::uint64_t id = *open_;
  open_.reset();
  settled();
  arrival.reply(id, reply, sent_at_, by_server);
}

}  // namespace rps::rpc
