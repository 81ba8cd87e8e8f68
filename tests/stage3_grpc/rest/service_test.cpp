#include "stage3_grpc/rest/service.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/server/log.hpp"
#include "core/server/metrics.hpp"
#include "tests/catch.hpp"

namespace rps::rpc::rest {

namespace {

struct Owner final : FeedOwner {
  void feed_filled(const std::shared_ptr<Feed>& feed) noexcept override {
    filled.push_back(feed->key());
  }
  std::vector<std::uint64_t> filled;
};

std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
         fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

// A service of its own, and requests to it as bytes.
struct Served {
  explicit Served(const chain::ChainSettings& settings = {}, std::size_t spectators_max = 2,
                  std::size_t players_max = 4)
      : chain(settings, chain::GameChain::Certificates::none, metrics, log.logger(), log.bulk()),
        service({.game = game,
                 .chain = chain,
                 .names = net::HostNames({"game.example"}),
                 .events_waiting_max = 8,
                 .spectators_max = spectators_max,
                 .players_max = players_max,
                 .players_idle_max = std::chrono::seconds(60)}) {}

  // The request must outlive its answer's watch.
  struct Asked {
    net::HttpReader reader{{.header_bytes_max = 8192, .body_bytes_max = 65536}};
    Service::Answer answer;
  };
  std::unique_ptr<Asked> ask(const std::string& bytes) {
    auto asked = std::make_unique<Asked>();
    std::size_t consumed = 0;
    REQUIRE(asked->reader.read(bytes, consumed) == net::HttpReader::Outcome::request);
    asked->answer =
        service.answer(asked->reader, {.address = "ipv4:127.0.0.1:4242", .owner = owner, .key = 7});
    return asked;
  }
  net::HttpPage page(const std::string& bytes) { return ask(bytes)->answer.page; }
  unsigned status(const std::string& bytes) { return static_cast<unsigned>(page(bytes).status); }

  Owner owner;
  Game game{{.seed = 1}};
  server::Metrics metrics{game};
  server::Log log{"test", {.level = server::LogLevel::off}};
  chain::GameChain chain;
  Service service;
};

const std::string rock = R"({"player_move":"ROCK"})";

}  // namespace

TEST_CASE("The page and what it loads are served, and load from nowhere else") {
  Served served;
  for (const std::string path : {"/", "/page.css", "/page.js", "/icon.svg", "/openapi.json"}) {
    INFO(path);
    const net::HttpPage page = served.page(get(path));
    CHECK(page.status == net::HttpStatus::ok);
    CHECK(!page.body.empty());
    CHECK(page.cache_control == "no-cache");
    CHECK(page.fields.contains("Content-Security-Policy: default-src 'self'"));
    CHECK(page.fields.contains("X-Content-Type-Options: nosniff\r\n"));
    CHECK(page.fields.contains("Referrer-Policy: no-referrer\r\n"));
    CHECK(served.status("HEAD " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200);
    const net::HttpPage refused = served.page(post(path, "{}"));
    CHECK(refused.status == net::HttpStatus::method_not_allowed);
    CHECK(refused.allow == "GET, HEAD, OPTIONS");
  }
}

TEST_CASE("A client that has a document already is told so") {
  Served served;
  const std::string fields = served.page(get("/")).fields;
  const std::string etag = fields.substr(6, fields.find("\r\n") - 6);
  CHECK(served.status(get("/", "If-None-Match: " + etag + "\r\n")) == 304);
  CHECK(served.status(get("/", "If-None-Match: \"other\", W/" + etag + "\r\n")) == 304);
  CHECK(served.status(get("/", "If-None-Match: *\r\n")) == 304);
  CHECK(served.status(get("/", "If-None-Match: \"other\"\r\n")) == 200);
}

TEST_CASE("A round is played, and its session is scored") {
  Served served;
  const net::HttpPage page =
      served.page(post("/v1/play", R"({"player_move":"ROCK","session_id":"s"})"));
  CHECK(page.status == net::HttpStatus::ok);
  CHECK(page.type == "application/json");
  CHECK(page.body.contains(R"("round":"1")"));
  CHECK(served.page(get("/v1/sessions/s/score")).body.contains(R"("rounds":"1")"));
}

TEST_CASE("Each fault of a request has its status") {
  Served served;
  CHECK(served.status(post("/v1/play", "{")) == 400);
  CHECK(served.status(post("/v1/play", "{}")) == 400);
  CHECK(served.status(post("/v1/play", rock, "Origin: http://evil.example\r\n")) == 403);
  CHECK(served.status(post("/v1/other", rock)) == 404);
  CHECK(served.status(get("/v1/sessions/none/score")) == 404);
  CHECK(served.status(get("/v1/play")) == 405);
  CHECK(served.page(get("/v1/play")).fields == "Allow: OPTIONS, POST\r\n");
  CHECK(served.status(post("/v1/play", rock, "Accept: text/html\r\n")) == 406);
  CHECK(served.status(get("/v1/games/g/events", "Accept: application/json\r\n")) == 406);
  CHECK(served.status(post("/v1/games/g/throw", R"({"player_id":"a","move":"ROCK"})")) == 404);
  CHECK(served.status(post("/v1/games/g/throw", R"({"player_id":"a","move":"ROCK"})",
                           "Accept: application/json\r\n")) == 404);
  CHECK(served.status(post("/v1/games/g/throw", R"({"player_id":"a","move":"ROCK"})",
                           "Accept: application/x-ndjson\r\n")) == 406);
  CHECK(served.status(post("/v1/play", rock, "Content-Encoding: gzip\r\n")) == 415);
  CHECK(served.status("POST /v1/play HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n") ==
        415);
  CHECK(served.status("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n") == 421);
  CHECK(served.status("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n") == 501);
  CHECK(served.status("OPTIONS /v1/play HTTP/1.1\r\nHost: game.example\r\n\r\n") == 204);
}

TEST_CASE("A duel is played by requests that know nothing of each other") {
  Served served;
  const auto join = [&](const std::string& player) {
    return served.page(post("/v1/games/g/join", R"({"player_id":")" + player + R"("})")).body;
  };
  const auto throws = [&](const std::string& player, const std::string& move) {
    return served.status(
        post("/v1/games/g/throw", R"({"player_id":")" + player + R"(","move":")" + move + R"("})"));
  };
  CHECK(join("ann") == R"({"joined":{"seat":1,"best_of":3}})");
  CHECK(throws("ann", "ROCK") == 409);
  CHECK(join("bob") == R"({"joined":{"seat":2,"best_of":3}})");
  CHECK(served.status(post("/v1/games/g/join", R"({"player_id":"eve"})")) == 409);
  CHECK(throws("ann", "ROCK") == 200);
  CHECK(throws("ann", "ROCK") == 409);
  CHECK(throws("bob", "WELL") == 400);
  CHECK(throws("bob", "SCISSORS") == 200);
  CHECK(served.page(post("/v1/games/g/leave", R"({"player_id":"ann"})")).body == R"({"done":{}})");
}

TEST_CASE("A player who sends nothing for too long is no longer present") {
  Served served;
  served.page(post("/v1/games/g/join", R"({"player_id":"ann"})"));
  served.page(post("/v1/games/g/join", R"({"player_id":"bob"})"));
  served.service.sweep(Clock::now() + std::chrono::seconds(61));
  CHECK(served.status(post("/v1/games/g/throw", R"({"player_id":"ann","move":"ROCK"})")) == 409);
  CHECK(served.status(post("/v1/games/g/join", R"({"player_id":"ann"})")) == 200);
}

TEST_CASE("So many play duels as may, and no more") {
  Served served({}, 2, 1);
  CHECK(served.status(post("/v1/games/g/join", R"({"player_id":"ann"})")) == 200);
  const net::HttpPage page = served.page(post("/v1/games/g/join", R"({"player_id":"bob"})"));
  CHECK(page.status == net::HttpStatus::too_many_requests);
  CHECK(page.fields.contains("Retry-After: 1\r\n"));
  CHECK(served.status(post("/v1/games/g/join", R"({"player_id":"ann"})")) == 200);
}

TEST_CASE("HEAD for the events of a duel is answered as GET is, without a stream") {
  Served served;
  const std::string head = "HEAD /v1/games/g/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
  CHECK(served.status(head) == 404);
  served.page(post("/v1/games/g/join", R"({"player_id":"ann"})"));
  for (int i = 0; i < 3; ++i) {  // One more than there may be spectators.
    const auto asked = served.ask(head);
    CHECK(static_cast<unsigned>(asked->answer.page.status) == 200);
    CHECK(asked->answer.page.type == "application/x-ndjson");
    CHECK_FALSE(asked->answer.watch);
  }
}

TEST_CASE("A spectator sees a duel as lines, or as events") {
  Served served;
  served.page(post("/v1/games/g/join", R"({"player_id":"ann"})"));
  const auto lines = served.ask(get("/v1/games/g/events"));
  const auto events = served.ask(get("/v1/games/g/events", "Accept: text/event-stream\r\n"));
  CHECK(lines->answer.page.type == "application/x-ndjson");
  CHECK(events->answer.page.type == "text/event-stream");
  REQUIRE(lines->answer.watch);
  REQUIRE(events->answer.watch);
  std::string out;
  CHECK(lines->answer.watch->append_waiting(out));
  CHECK(out.starts_with(R"({"state":{"game_id":"g")"));
  CHECK(out.ends_with("\"snapshot\":{}}\n"));
  out.clear();
  CHECK(events->answer.watch->append_waiting(out));
  CHECK(out.starts_with("id: "));
  CHECK(out.contains("\nevent: snapshot\ndata: {"));
  CHECK(out.ends_with("}\n\n"));
  served.owner.filled.clear();
  served.page(post("/v1/games/g/join", R"({"player_id":"bob"})"));
  CHECK(served.owner.filled == std::vector<std::uint64_t>{7, 7});
  out.clear();
  CHECK(lines->answer.watch->append_waiting(out));
  CHECK(out.ends_with("\"joined\":{\"seat\":2}}\n"));
}

TEST_CASE("A spectator who comes back with the id of the last event is not shown it again") {
  Served served;
  served.page(post("/v1/games/g/join", R"({"player_id":"ann"})"));
  std::string out;
  {
    const auto first = served.ask(get("/v1/games/g/events", "Accept: text/event-stream\r\n"));
    REQUIRE(first->answer.watch);
    CHECK(first->answer.watch->append_waiting(out));
  }
  served.service.watch_ended();
  const std::string id = out.substr(4, out.find('\n') - 4);
  const std::string again = "Accept: text/event-stream\r\nLast-Event-ID: " + id + "\r\n";
  {
    const auto second = served.ask(get("/v1/games/g/events", again));
    REQUIRE(second->answer.watch);
    out.clear();
    CHECK(second->answer.watch->append_waiting(out));
    CHECK(out.empty());
  }
  served.service.watch_ended();
  served.page(post("/v1/games/g/join", R"({"player_id":"bob"})"));
  const auto third = served.ask(get("/v1/games/g/events", again));
  REQUIRE(third->answer.watch);
  CHECK(third->answer.watch->append_waiting(out));
  CHECK(out.contains("event: snapshot\n"));
}

TEST_CASE("A browser that has seen the end of a duel is told not to come back") {
  Served served;
  for (const char* const player : {"ann", "bob"}) {
    served.page(
        post("/v1/games/g/join", R"({"best_of":1,"player_id":")" + std::string(player) + R"("})"));
  }
  const auto watching = served.ask(get("/v1/games/g/events", "Accept: text/event-stream\r\n"));
  served.page(post("/v1/games/g/throw", R"({"player_id":"ann","move":"ROCK"})"));
  served.page(post("/v1/games/g/throw", R"({"player_id":"bob","move":"PAPER"})"));
  std::string out;
  CHECK_FALSE(watching->answer.watch->append_waiting(out));
  CHECK(out.contains("event: game_over\n"));
  const std::size_t at = out.rfind("id: ") + 4;
  const std::string id = out.substr(at, out.find('\n', at) - at);
  CHECK(served.status(get("/v1/games/g/events",
                          "Accept: text/event-stream\r\nLast-Event-ID: " + id + "\r\n")) == 204);
}

TEST_CASE("There are so many spectators as may be, and no more") {
  Served served({}, 1);
  served.page(post("/v1/games/g/join", R"({"player_id":"ann"})"));
  const auto first = served.ask(get("/v1/games/g/events"));
  CHECK(first->answer.watch);
  CHECK(served.status(get("/v1/games/g/events")) == 429);
  served.service.watch_ended();
  CHECK(served.ask(get("/v1/games/g/events"))->answer.watch);
}

TEST_CASE("A spectator who leaves too much unread is told so at the end") {
  Served served;
  served.page(post("/v1/games/g/join", R"({"player_id":"ann"})"));
  const auto watching = served.ask(get("/v1/games/g/events"));
  for (int i = 0; i < 5; ++i) {
    served.page(post("/v1/games/g/leave", R"({"player_id":"ann"})"));
    served.page(post("/v1/games/g/join", R"({"player_id":"ann"})"));
  }
  std::string out;
  CHECK_FALSE(watching->answer.watch->append_waiting(out));
}

TEST_CASE("Rounds on lines are answered up to the first that is refused") {
  Served served;
  CHECK(served.page(post("/v1/play:many", rock + "\n\r\n" + rock + "\n"))
            .body.contains(R"({"rounds":"2",)"));
  CHECK(served.status(post("/v1/play:many", rock + "\n{}\n")) == 400);
  const net::HttpPage page = served.page(post("/v1/play:rally", rock + "\n{}\n" + rock));
  CHECK(page.status == net::HttpStatus::ok);
  CHECK(page.type == "application/x-ndjson");
  CHECK(std::ranges::count(page.body, '\n') == 2);
  CHECK(page.body.contains("\n{\"error\":{\"code\":3,"));
  CHECK(served.status(post("/v1/play:rally", "{}")) == 400);
}

TEST_CASE("The chain holds for HTTP as well") {
  Served served({.trace_sampling = 1, .calls_per_second_max = 1, .calls_burst_max = 2});
  const net::HttpPage first =
      served.page(post("/v1/play", rock,
                       "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n"));
  CHECK(first.fields.starts_with("traceparent: 00-0123456789abcdef0123456789abcdef-"));
  served.page(post("/v1/play", rock));
  const net::HttpPage third = served.page(post("/v1/play", rock));
  CHECK(third.status == net::HttpStatus::too_many_requests);
  CHECK(third.fields.contains("Retry-After: 1\r\n"));
  CHECK(served.metrics.answered_so_far().all == 3);
}

TEST_CASE("A server that drains refuses calls") {
  Served served;
  served.service.close();
  CHECK(served.status(post("/v1/play", rock)) == 503);
  CHECK(served.status(get("/v1/games/g/events")) == 503);
}

}  // namespace rps::rpc::rest
