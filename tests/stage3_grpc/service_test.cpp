#include "stage3_grpc/service.hpp"

#include <chrono>
#include <string>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/running_server.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

grpc::Status play(RunningServer& at, v1::Move move, const std::string& session,
                  v1::PlayResponse& response) {
  grpc::ClientContext context;
  v1::PlayRequest request;
  request.set_player_move(move);
  request.set_session_id(session);
  return at.stub->Play(&context, request, &response);
}

grpc::Status play(RunningServer& at, v1::Move move, const std::string& session = "") {
  v1::PlayResponse response;
  return play(at, move, session, response);
}

grpc::Status score(RunningServer& at, const std::string& session, v1::ScoreResponse& response) {
  grpc::ClientContext context;
  v1::ScoreRequest request;
  request.set_session_id(session);
  return at.stub->Score(&context, request, &response);
}

// One unary call with a body of our own.
grpc::Status call_with_bytes(RunningServer& at, const std::string& method,
                             const std::string& bytes) {
  const std::string path = "/rps.v1.RockPaperScissorsService/" + method;
  const grpc::internal::RpcMethod raw_method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      at.channel.get(), raw_method, &context, request, &response);
}

// Channels with the same arguments would share one connection.
grpc::ChannelArguments own_connection() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

void check(const grpc::Status& status, Error error) {
  CHECK(status.error_code() == code_of(error));
  CHECK(status.error_message() == to_status(error).error_message());
  CHECK(status.error_details() == to_status(error).error_details());
}

}  // namespace

TEST_CASE("A session is played and its score told") {
  RunningServer at;
  Score expected;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    v1::PlayResponse response;
    const Move move = move_at(i % 3);
    REQUIRE(play(at, to_wire(move), "s", response).ok());
    const Move opponent = from_wire(response.opponent_move());
    CHECK(from_wire(response.result()) == judge(move, opponent));
    CHECK(response.reason() == reason(move, opponent));
    CHECK(response.round() == i);
    expected.add(judge(move, opponent));
    CHECK(response.score().wins() == expected.wins);
    CHECK(response.score().rounds() == i);
  }
  v1::ScoreResponse told;
  REQUIRE(score(at, "s", told).ok());
  CHECK(told.wins() == expected.wins);
  CHECK(told.draws() == expected.draws);
  CHECK(told.losses() == expected.losses);
  CHECK(told.rounds() == 30);
  CHECK(at.counted("play", "ok", 30));
  CHECK(at.metrics.text().contains("rps_requests_in_flight 0\n"));
}

TEST_CASE("A round without a session is not scored") {
  RunningServer at;
  v1::PlayResponse response;
  REQUIRE(play(at, v1::ROCK, "", response).ok());
  CHECK(response.round() == 0);
  CHECK_FALSE(response.has_score());
}

TEST_CASE("What is no move is refused") {
  RunningServer at;
  for (const int number : {0, 4, -1, 1 << 30}) {
    check(play(at, static_cast<v1::Move>(number)), Error::invalid_move);
  }
  CHECK(at.counted("play", "invalid_move", 4));
}

TEST_CASE("Ids outside their limits are refused, and sessions that nobody played unknown") {
  RunningServer at;
  v1::ScoreResponse response;
  CHECK(play(at, v1::ROCK, std::string(64, 'a')).ok());
  for (const std::string& id :
       {std::string(65, 'a'), std::string("a b"), std::string("caf\u00e9")}) {
    check(play(at, v1::ROCK, id), Error::malformed_request);
    check(score(at, id, response), Error::malformed_request);
  }
  check(score(at, "", response), Error::malformed_request);
  check(score(at, "nobody", response), Error::unknown_session);
}

TEST_CASE("Bytes that are no message are a malformed request") {
  RunningServer at;
  const std::string cut_off{
      "\x12\x05"
      "abc"};
  const std::string invalid_utf8{"\x08\x01\x12\x02\xc3\x28"};
  for (const std::string& bytes : {std::string("\xff\xff\xff"), cut_off, invalid_utf8}) {
    check(call_with_bytes(at, "Play", bytes), Error::malformed_request);
    check(call_with_bytes(at, "Score", bytes), Error::malformed_request);
  }
  // Fields that we do not know are no mistake: a newer client may send them.
  CHECK(call_with_bytes(at, "Play", "\x08\x01\x9a\x06\x01x").ok());
}

TEST_CASE("An empty message is a message: one without a move") {
  RunningServer at;
  check(call_with_bytes(at, "Play", ""), Error::invalid_move);
}

TEST_CASE("A method that does not exist is unimplemented") {
  RunningServer at;
  CHECK(call_with_bytes(at, "Cheat", "").error_code() == grpc::UNIMPLEMENTED);
}

TEST_CASE("A message may be as long as the limit and no longer") {
  constexpr int limit = 1000;
  RunningServer at({.message_bytes_max = limit});
  // A request with an unknown field that fills it up: tag 100, length, bytes.
  const auto request_of = [](std::size_t size) {
    const std::size_t length = size - 6;
    std::string bytes{"\x08\x01\xa2\x06"};
    bytes += static_cast<char>(length % 128 + 128);
    bytes += static_cast<char>(length / 128);
    return bytes + std::string(length, 'x');
  };
  CHECK(call_with_bytes(at, "Play", request_of(limit)).ok());
  const grpc::Status refused = call_with_bytes(at, "Play", request_of(limit + 1));
  CHECK(refused.error_code() == grpc::RESOURCE_EXHAUSTED);
  CHECK(error_of(refused, Operation::play) == Error::too_large);
  CHECK(play(at, v1::ROCK).ok());
}

TEST_CASE("Metadata past its limit is refused, and others are not disturbed") {
  RunningServer at({.metadata_bytes_max = 1024});
  REQUIRE(play(at, v1::ROCK).ok());
  const auto greedy = v1::RockPaperScissorsService::NewStub(
      grpc::CreateCustomChannel(at.target(), grpc::InsecureChannelCredentials(), own_connection()));
  grpc::ClientContext context;
  context.AddMetadata("filler", std::string(2000, 'x'));
  v1::PlayRequest request;
  request.set_player_move(v1::ROCK);
  v1::PlayResponse response;
  CHECK(greedy->Play(&context, request, &response).error_code() == grpc::RESOURCE_EXHAUSTED);
  CHECK(play(at, v1::ROCK).ok());
}

TEST_CASE("A call whose deadline has passed is not played") {
  RunningServer at;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() - std::chrono::seconds(1));
  v1::PlayRequest request;
  request.set_player_move(v1::ROCK);
  request.set_session_id("s");
  v1::PlayResponse response;
  CHECK(at.stub->Play(&context, request, &response).error_code() == grpc::DEADLINE_EXCEEDED);
  v1::ScoreResponse told;
  check(score(at, "s", told), Error::unknown_session);
}
