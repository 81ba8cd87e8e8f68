#include "stage3_grpc/service.hpp"

#include "stage3_grpc/duel_stream.hpp"
#include "stage3_grpc/round_streams.hpp"
#include "stage3_grpc/watch_stream.hpp"
#include "stage3_grpc/wire.hpp"

namespace rps::rpc {

namespace {

// Ends itself when the answer is with the peer, or the peer has gone.
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  UnaryReactor(OpenCalls& open, const ServedCall::Shared& shared,
               grpc::CallbackServerContext& context, std::string_view method)
      : open_(open), call_(shared, context, method) {}

  ServedCall& call() { return call_; }
  void OnDone() override { delete this; }

 private:
  // Lets gRPC call OnDone() on the thread that finds the call done, as it does for its own default
  // reactor. Otherwise another thread would be woken for each call.
  bool InternalInlineable() override { return true; }

  const OpenCalls::Call open_;
  ServedCall call_;
};

}  // namespace

void Service::drain() {
  dispatcher_.close();
  open_calls_.drain();
}

// A call of one request and one response.
template <class Request, class Response>
grpc::ServerUnaryReactor* Service::answer(grpc::CallbackServerContext& context,
                                          std::string_view method, const grpc::ByteBuffer& request,
                                          grpc::ByteBuffer& response) {
  auto* const reactor = new UnaryReactor(open_calls_, shared_, context, method);
  if (!request.Valid() && context.IsCancelled()) {
    // The peer has hung up before its request was complete: there was none to answer or to count.
    reactor->Finish(grpc::Status::CANCELLED);
    return reactor;
  }
  Caller caller(game_, {});
  const Reply reply =
      dispatcher_.answer<Request>(reactor->call(), request, caller, [&response](const Reply& made) {
        if (!made.error) response = encode<Response>(made);
      });
  reactor->Finish(status_of(reply, context));
  return reactor;
}

grpc::ServerUnaryReactor* Service::Play(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
  return answer<v1::PlayRequest, v1::PlayResponse>(*context, method::play, *request, *response);
}

grpc::ServerUnaryReactor* Service::Score(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  return answer<v1::ScoreRequest, v1::ScoreResponse>(*context, method::score, *request, *response);
}

grpc::ServerReadReactor<grpc::ByteBuffer>* Service::PlayMany(grpc::CallbackServerContext* context,
                                                             grpc::ByteBuffer* response) {
  return new PlayManyStream(dispatcher_, game_, open_calls_, shared_, *context, *response);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* Service::Watch(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request) {
  return WatchStream::open(dispatcher_, game_, *cuts_.watches, watch_writer_, open_calls_, shared_,
                           *context, *request, waiting_max());
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Service::Rally(
    grpc::CallbackServerContext* context) {
  return new RallyStream(dispatcher_, game_, open_calls_, shared_, *context);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Service::Duel(
    grpc::CallbackServerContext* context) {
  return DuelStream::open(dispatcher_, game_, *cuts_.duels, open_calls_, shared_, *context,
                          waiting_max());
}

}  // namespace rps::rpc
