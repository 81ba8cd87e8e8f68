#include "stage3_grpc/desk.hpp"

#include <optional>
#include <type_traits>

#include <grpcpp/server_context.h>

#include "stage3_grpc/convert.hpp"
#include "stage3_grpc/time.hpp"
#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

namespace {

// Counts one request, from its bytes to its answer.
class Visit {
 public:
  explicit Visit(server::Metrics& metrics) : metrics_(metrics) { metrics_.call_began(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() { metrics_.call_ended(); }

  Clock::time_point began_at() const { return began_at_; }

  void answered(std::optional<Operation> operation, std::optional<Error> error) {
    metrics_.answered(operation, error, Clock::now() - began_at_);
  }

 private:
  server::Metrics& metrics_;
  Clock::time_point began_at_ = Clock::now();
};

// A call whose deadline has passed is not carried out: nobody waits for the answer any more.
std::optional<Error> turn_down(const grpc::CallbackServerContext& context, bool closed,
                               Clock::time_point now) {
  if (closed) return Error::unavailable;
  if (to_time_point(context.raw_deadline()) <= now) return Error::deadline_exceeded;
  return std::nullopt;
}

// One request, from its bytes to its answer; `ask` takes it to the game at that instant. A call
// without a message is refused and not counted: it is mostly a peer that hung up after its headers.
template <class Message, class Ask>
auto answer(server::Metrics& metrics, Operation operation,
            const grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes, bool closed,
            Ask ask) {
  using Answer = std::invoke_result_t<Ask, const Message&, Clock::time_point>;
  if (!bytes.Valid()) return Answer(std::unexpected(Error::malformed_request));
  Visit visit(metrics);
  const auto work = [&]() -> Answer {
    const auto error = turn_down(context, closed, visit.began_at());
    if (error) return std::unexpected(*error);
    const auto message = parse<Message>(bytes);
    if (!message) return std::unexpected(Error::malformed_request);
    return ask(*message, visit.began_at());
  };
  const Answer answer = work();
  visit.answered(operation, answer ? std::nullopt : std::optional(answer.error()));
  return answer;
}

}  // namespace

std::expected<Round, Error> Desk::play(const grpc::CallbackServerContext& context,
                                       const grpc::ByteBuffer& request) {
  return play(context, request, is_closed());
}

std::expected<Round, Error> Desk::play_on(const grpc::CallbackServerContext& context,
                                          const grpc::ByteBuffer& request) {
  return play(context, request, false);
}

std::expected<Round, Error> Desk::play(const grpc::CallbackServerContext& context,
                                       const grpc::ByteBuffer& request, bool closed) {
  return answer<v1::PlayRequest>(metrics_, Operation::play, context, request, closed,
                                 [this](const v1::PlayRequest& message, Clock::time_point now) {
                                   return game_.play(from_wire(message.player_move()),
                                                     message.session_id(), now);
                                 });
}

std::expected<Score, Error> Desk::score(const grpc::CallbackServerContext& context,
                                        const grpc::ByteBuffer& request) {
  return answer<v1::ScoreRequest>(metrics_, Operation::score, context, request, is_closed(),
                                  [this](const v1::ScoreRequest& message, Clock::time_point now) {
                                    return game_.score(message.session_id(), now);
                                  });
}

Reply Desk::duel(const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
                 Caller& caller) {
  Visit visit(metrics_);
  const auto message = parse<v1::DuelRequest>(request);
  const auto command = message ? read(*message) : std::nullopt;
  Reply reply;
  if (const auto error = turn_down(context, is_closed(), visit.began_at())) {
    reply.error = error;
  } else if (!command) {
    reply.error = Error::malformed_request;
  } else {
    reply = game_.handle(*command, caller, visit.began_at());
  }
  visit.answered(command ? std::optional(command->operation) : std::nullopt, reply.error);
  return reply;
}

}  // namespace rps::rpc
