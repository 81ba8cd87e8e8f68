#include "stage3_grpc/service.hpp"

#include <expected>

#include "stage3_grpc/duel_stream.hpp"
#include "stage3_grpc/round_streams.hpp"
#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

namespace {

// Ends a call of one request and one response.
template <class Response, class Value>
grpc::ServerUnaryReactor* finish(grpc::CallbackServerContext& context, grpc::ByteBuffer& bytes,
                                 const std::expected<Value, Error>& answer) {
  grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
  if (!answer) {
    reactor->Finish(refuse(context, answer.error()));
    return reactor;
  }
  Response response;
  write(*answer, response);
  bytes = to_bytes(response);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace

void Service::drain() {
  desk_.close();
  open_streams_.drain();
}

grpc::ServerUnaryReactor* Service::Play(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
  return finish<v1::PlayResponse>(*context, *response, desk_.play(*context, *request));
}

grpc::ServerUnaryReactor* Service::Score(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  return finish<v1::ScoreResponse>(*context, *response, desk_.score(*context, *request));
}

grpc::ServerReadReactor<grpc::ByteBuffer>* Service::PlayMany(grpc::CallbackServerContext* context,
                                                             grpc::ByteBuffer* response) {
  return new PlayManyStream(desk_, *context, *response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Service::Rally(
    grpc::CallbackServerContext* context) {
  return new RallyStream(desk_, open_streams_, *context);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Service::Duel(
    grpc::CallbackServerContext* context) {
  return DuelStream::open(desk_, game_, open_streams_, *context,
                          static_cast<std::size_t>(limits_.events_waiting_max));
}

}  // namespace rps::rpc
