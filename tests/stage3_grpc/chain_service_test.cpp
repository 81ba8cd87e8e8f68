// The chain as callers of gRPC see it: statuses, their details, trailers.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/trace.hpp"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/running_server.hpp"
#include "tests/temporary_folder.hpp"

using namespace rps;
using namespace rps::rpc;

namespace {

// A file with one caller, whose token is "secret", and who may play and join.
struct TokensFile {
  TokensFile() {
    folder.write(
        "callers",
        "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b play,join ann\n");
  }
  chain::ChainSettings settings() const {
    return {.has_auth = true, .tokens_file = (folder.path / "callers").string()};
  }

  TemporaryFolder folder;
};

struct Headers {
  std::optional<std::string> token;
  std::optional<std::string> traceparent;
};

void add(const Headers& headers, grpc::ClientContext& context) {
  if (headers.token) context.AddMetadata("authorization", "Bearer " + *headers.token);
  if (headers.traceparent) context.AddMetadata("traceparent", *headers.traceparent);
}

struct Ended {
  grpc::Status status;
  std::multimap<std::string, std::string> trailers;

  std::string trailer(const std::string& name) const {
    const auto found = trailers.find(name);
    return found == trailers.end() ? "" : found->second;
  }
};

Ended ended(const grpc::Status& status, const grpc::ClientContext& context) {
  Ended result{.status = status};
  for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
    result.trailers.emplace(std::string(name.data(), name.size()),
                            std::string(value.data(), value.size()));
  }
  return result;
}

Ended play(RunningServer& at, const Headers& headers = {}) {
  grpc::ClientContext context;
  add(headers, context);
  v1::PlayRequest request;
  request.set_player_move(v1::ROCK);
  v1::PlayResponse response;
  return ended(at.stub->Play(&context, request, &response), context);
}

// Plays on one stream until a round is refused, at most `rounds_max` rounds.
struct Rallied {
  int rounds = 0;
  Ended end;
};
Rallied rally(RunningServer& at, int rounds_max, const Headers& headers = {}) {
  grpc::ClientContext context;
  add(headers, context);
  const auto stream = at.stub->Rally(&context);
  v1::PlayRequest request;
  request.set_player_move(v1::ROCK);
  v1::PlayResponse response;
  Rallied rallied;
  while (rallied.rounds < rounds_max && stream->Write(request) && stream->Read(&response)) {
    ++rallied.rounds;
  }
  stream->WritesDone();
  rallied.end = ended(stream->Finish(), context);
  return rallied;
}

// Waits for what becomes true when the server has heard that a call is over.
bool becomes_true(const auto& condition) {
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(30);
  while (Clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

void check(const grpc::Status& status, Error error) {
  CHECK(status.error_code() == code_of(error));
  CHECK(status.error_message() == message_of(error));
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  REQUIRE(details.ParseFromString(status.error_details()));
  REQUIRE(details.details_size() >= 1);
  REQUIRE(details.details(0).UnpackTo(&info));
  CHECK(info.domain() == "rps");
}

}  // namespace

TEST_CASE("Whoever is not known is refused, and the refusal is counted") {
  const TokensFile file;
  RunningServer at({.chain = file.settings()});
  check(play(at).status, Error::unauthenticated);
  check(play(at, {.token = "wrong"}).status, Error::unauthenticated);
  CHECK(play(at, {.token = "secret"}).status.ok());
  CHECK(at.counted("play", "unauthenticated", 2));
  CHECK(at.counted("play", "ok", 1));
  CHECK(at.metrics.text().contains("rps_requests_in_flight 0\n"));
}

TEST_CASE("A stream is refused as a unary call is") {
  const TokensFile file;
  RunningServer at({.chain = file.settings()});
  const Rallied refused = rally(at, 5);
  CHECK(refused.rounds == 0);
  check(refused.end.status, Error::unauthenticated);
  const Rallied known = rally(at, 5, {.token = "secret"});
  CHECK(known.rounds == 5);
  CHECK(known.end.status.ok());
}

TEST_CASE("Whoever is known may do what the file says") {
  const TokensFile file;
  RunningServer at({.chain = file.settings()});
  grpc::ClientContext context;
  add({.token = "secret"}, context);
  v1::ScoreRequest request;
  request.set_session_id("s");
  v1::ScoreResponse response;
  check(at.stub->Score(&context, request, &response), Error::permission_denied);
  CHECK(at.counted("score", "permission_denied", 1));
}

TEST_CASE("A duel's stream goes on after what is not allowed, and ends for whom is not known") {
  const TokensFile file;
  RunningServer at({.chain = file.settings()});
  const auto ask = [](auto& stream, Operation operation) {
    v1::DuelRequest request;
    write({.operation = operation, .move = Move::rock, .game_id = "g", .player_id = "p"}, request);
    v1::DuelResponse response;
    REQUIRE(stream.Write(request));
    REQUIRE(stream.Read(&response));
    return read(response, operation).error;
  };
  grpc::ClientContext known_context;
  add({.token = "secret"}, known_context);
  const auto known = at.stub->Duel(&known_context);
  CHECK(ask(*known, Operation::join) == std::nullopt);
  CHECK(ask(*known, Operation::throw_move) == Error::permission_denied);
  CHECK(ask(*known, Operation::join) == std::nullopt);
  known->WritesDone();
  CHECK(known->Finish().ok());

  grpc::ClientContext context;
  const auto unknown = at.stub->Duel(&context);
  CHECK(ask(*unknown, Operation::join) == Error::unauthenticated);
  v1::DuelResponse response;
  CHECK_FALSE(unknown->Read(&response));
  check(unknown->Finish(), Error::unauthenticated);
}

TEST_CASE("A call above the rate is told when to come again, for people, programs and gRPC") {
  RunningServer at({.chain = {.calls_per_second_max = 1, .calls_burst_max = 2}});
  CHECK(play(at).status.ok());
  CHECK(play(at).status.ok());
  const Ended refused = play(at);
  check(refused.status, Error::overloaded);
  google::rpc::Status details;
  REQUIRE(details.ParseFromString(refused.status.error_details()));
  google::rpc::RetryInfo retry;
  REQUIRE(details.details_size() == 2);
  REQUIRE(details.details(1).UnpackTo(&retry));
  const auto wait_ms = retry.retry_delay().seconds() * 1000 + retry.retry_delay().nanos() / 1000000;
  CHECK(wait_ms > 0);
  CHECK(wait_ms <= 1000);
  CHECK(refused.trailer("retry-after-ms") == std::to_string(wait_ms));
  CHECK(refused.trailer("grpc-retry-pushback-ms") == std::to_string(wait_ms));
  CHECK(at.metric("rps_calls_refused_total{reason=\"rate\"}") == 1);
}

TEST_CASE("The messages of a stream count for the rate one by one") {
  RunningServer at({.chain = {.calls_per_second_max = 1, .calls_burst_max = 3}});
  const Rallied refused = rally(at, 1'000);
  CHECK(refused.rounds >= 3);
  CHECK(refused.rounds < 1'000);
  check(refused.end.status, Error::overloaded);
}

TEST_CASE("Calls in progress have a limit, and a stream is one") {
  RunningServer at({.chain = {.calls_in_progress_max = 1}});
  grpc::ClientContext context;
  const auto open = at.stub->Rally(&context);
  v1::PlayRequest request;
  request.set_player_move(v1::ROCK);
  v1::PlayResponse response;
  REQUIRE(open->Write(request));
  REQUIRE(open->Read(&response));
  const Ended refused = play(at);
  check(refused.status, Error::overloaded);
  CHECK(refused.trailer("grpc-retry-pushback-ms") == "100");
  CHECK(at.metric("rps_calls_refused_total{reason=\"in_progress\"}") == 1);
  REQUIRE(open->Write(request));  // The stream itself goes on.
  REQUIRE(open->Read(&response));
  open->WritesDone();
  CHECK(open->Finish().ok());
  CHECK(becomes_true([&] { return play(at).status.ok(); }));
}

TEST_CASE("A trace comes back with the response, of a unary call and of a stream") {
  const std::string theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  RunningServer at;
  const std::string unary = play(at, {.traceparent = theirs}).trailer("traceparent");
  CHECK(unary.substr(0, 36) == theirs.substr(0, 36));
  CHECK(unary != theirs);
  CHECK(parse_traceparent(unary));
  CHECK(rally(at, 3, {.traceparent = theirs}).end.trailers.count("traceparent") == 1);
  CHECK(play(at).trailers.empty());
  CHECK(play(at, {.traceparent = "00-no-trace-01"}).trailers.empty());
}

TEST_CASE("Links are switched while the server runs") {
  RunningServer at;
  CHECK(play(at).trailers.empty());
  at.server->reconfigure({.chain = {.trace_sampling = 1, .has_metrics = false}});
  CHECK(play(at).trailer("traceparent").ends_with("-01"));
  CHECK(at.counted("play", "ok", 1));  // The second was not counted.
  at.server->reconfigure({.chain = {.has_auth = true}});
  check(play(at).status, Error::unauthenticated);
  at.server->reconfigure({});
  CHECK(play(at).status.ok());
  CHECK(at.counted("play", "ok", 2));
}

TEST_CASE("A file of tokens with a mistake stops the start") {
  const TokensFile file;
  file.folder.write("callers", "nonsense\n");
  CHECK_THROWS_WITH(RunningServer({.chain = file.settings()}), Catch::Contains("--auth-tokens"));
}

TEST_CASE("A changed file of tokens is read while the server runs") {
  const TokensFile file;
  RunningServer at({.chain = file.settings()});
  CHECK(play(at, {.token = "secret"}).status.ok());
  file.folder.write("callers",
                    "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa * bob\n");
  CHECK(becomes_true([&] { return play(at, {.token = "other"}).status.ok(); }));
  check(play(at, {.token = "secret"}).status, Error::unauthenticated);
}
