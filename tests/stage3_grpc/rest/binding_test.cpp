#include "stage3_grpc/rest/binding.hpp"

#include <string>
#include <vector>

#include "rps/v1/rps.pb.h"
#include "tests/catch.hpp"

namespace rps::rpc::rest {

namespace {

struct Binder {
  RouteTable table{
      *v1::PlayRequest::descriptor()->file()->FindServiceByName("RockPaperScissorsService")};

  template <class Request>
  std::optional<Request> operator()(std::string_view verb, std::string_view path,
                                    std::string_view query, std::string_view body) const {
    const RouteTable::Found found = table.find(verb, path);
    REQUIRE(found.route != nullptr);
    Request request;
    if (!read_request(*found.route, found.values, query, body, request)) return std::nullopt;
    return request;
  }

  std::optional<v1::PlayRequest> play(std::string_view body) const {
    return (*this).operator()<v1::PlayRequest>("POST", "/v1/play", "", body);
  }
};

}  // namespace

TEST_CASE("A body is the JSON of the request") {
  const Binder bind;
  const auto request = bind.play(R"({"player_move": "PAPER", "session_id": "s\u00e9"})");
  REQUIRE(request);
  CHECK(request->player_move() == v1::PAPER);
  CHECK(request->session_id() == "s\u00e9");
  CHECK(bind.play(R"({"playerMove": 3})")->player_move() == v1::SCISSORS);
  CHECK(bind.play("{}")->player_move() == v1::MOVE_UNSPECIFIED);
}

TEST_CASE("Fields and names that are not known are ignored") {
  const Binder bind;
  CHECK(bind.play(R"({"player_move": "ROCK", "more": [1, {"a": null}]})")->player_move() ==
        v1::ROCK);
  CHECK(bind.play(R"({"player_move": "LIZARD"})")->player_move() == v1::MOVE_UNSPECIFIED);
}

TEST_CASE("A body that is no JSON of a message is refused") {
  const Binder bind;
  const auto* const body =
      GENERATE("", " ", "{", "[]", "1", "\"a\"", "{\"player_move\":}", "{} {}",
               "{\"session_id\": 1}", "{\"session_id\": \"\xff\"}", "{\"session_id\": [\"a\"]}");
  INFO(body);
  CHECK_FALSE(bind.play(body));
}

TEST_CASE("The path decides, whatever the body says") {
  const Binder bind;
  const auto request = bind.operator()<v1::DuelRequest>(
      "POST", "/v1/games/g%2F1/join", "", R"({"game_id": "other", "player_id": "ann"})");
  REQUIRE(request);
  REQUIRE(request->has_join());
  CHECK(request->join().game_id() == "g/1");
  CHECK(request->join().player_id() == "ann");
  CHECK_FALSE(request->join().has_best_of());
  const auto thrown =
      bind.operator()<v1::DuelRequest>("POST", "/v1/games/g/throw", "", R"({"move": "ROCK"})");
  REQUIRE(thrown);
  CHECK(thrown->throw_().move() == v1::ROCK);
}

TEST_CASE("A variable with a malformed escape or no UTF-8 is refused") {
  const Binder bind;
  CHECK_FALSE(bind.operator()<v1::ScoreRequest>("GET", "/v1/sessions/%zz/score", "", ""));
  CHECK_FALSE(bind.operator()<v1::ScoreRequest>("GET", "/v1/sessions/%ff/score", "", ""));
}

// No method of the service has a query, as all fields of those without a body are in the path; so a
// route of another message is made here.
TEST_CASE("A query sets fields of a request without a body") {
  const google::protobuf::MethodDescriptor& method =
      *v1::PlayRequest::descriptor()->file()->service(0)->method(0);
  const Route route{.method = &method};
  const auto read = [&route](std::string_view query) {
    std::optional<v1::PlayRequest> request(std::in_place);
    if (!read_request(route, {}, query, "", *request)) request.reset();
    return request;
  };
  const auto request = read("session_id=a+b%26c&&player_move=ROCK&unknown=1");
  REQUIRE(request);
  CHECK(request->session_id() == "a b&c");
  CHECK(request->player_move() == v1::ROCK);
  CHECK(read("player_move=2")->player_move() == v1::PAPER);
  CHECK(read("player_move=LIZARD")->player_move() == v1::MOVE_UNSPECIFIED);
  CHECK(read("session_id")->session_id().empty());
  CHECK_FALSE(read("session_id=%"));
  CHECK_FALSE(read("session_id=%ff"));

  v1::DuelRequest duel;
  CHECK(read_request(route, {}, "join.player_id=ann&join.best_of=5", "", duel));
  CHECK(duel.join().best_of() == 5);
  CHECK_FALSE(read_request(route, {}, "join.best_of=-1", "", duel));
}

}  // namespace rps::rpc::rest
