// A real server in this process, attacked through sockets. Limits are made small where a test trips
// them; nothing here asserts how long anything took.
#include "stage2_jsonrpc/server.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "bench/micro/allocations.hpp"
#include "core/judge.hpp"
#include "core/net/endpoint.hpp"
#include "core/server/log.hpp"
#include "stage2_jsonrpc/client.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/frames.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;
using namespace std::literals;

// Long enough for any machine; only a broken server makes a test wait for it.
constexpr std::chrono::seconds patience{20};

class House {
 public:
  explicit House(const Limits& limits = {}, unsigned threads = 2)
      : flags_{.threads = threads},
        server_(make_server({flags_, game_, metrics_, log_.logger(), log_.bulk()}, limits)) {}

  Url url() const { return *parse_url(server_->url()); }
  server::Server& server() { return *server_; }
  Game& game() { return game_; }

  // The value of the metric whose line begins with `name`.
  double metric(const std::string& name) const {
    const std::string text = metrics_.text();
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

 private:
  server::ServerFlags flags_;
  Game game_{{.seed = 7}};
  server::Metrics metrics_{game_};
  server::Log log_{"test", {.level = server::LogLevel::off}};
  std::unique_ptr<server::Server> server_;
};

bool eventually(const std::function<bool()>& holds) {
  const auto deadline = Clock::now() + patience;
  while (!holds()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

// A client that sends whatever it is told and knows only frames.
class Peer {
 public:
  explicit Peer(const House& house)
      : fd_(net::connect_tcp(house.url().host, house.url().port, patience)) {
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    ::fcntl(fd_.get(), F_SETFL, flags & ~O_NONBLOCK);
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }

  // False when the server would not take all of it.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }

  // Sends until the socket takes no more, and says how much that was.
  std::size_t flood(std::string_view bytes) {
    constexpr int quiet_ms = 1000;
    const std::size_t all = bytes.size();
    pollfd writable{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    while (!bytes.empty() && ::poll(&writable, 1, quiet_ms) > 0) {
      const ssize_t size =
          ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size < 0 && errno != EAGAIN) break;
      if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return all - bytes.size();
  }

  // Whether the server says anything, or ends the connection, within `time`.
  bool hears(std::chrono::milliseconds time) {
    pollfd readable{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&readable, 1, static_cast<int>(time.count())) > 0;
  }

  struct Message {
    int type = 0;
    std::string payload;
    Json json() const { return Json::parse(payload); }
  };

  // Nothing when the server has closed.
  std::optional<Message> receive() {
    const auto header = take(5);
    if (!header) return std::nullopt;
    REQUIRE(header->starts_with("\xCA\xFE"));
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>((*header)[i]); };
    const auto payload = take(static_cast<std::size_t>(byte(3) * 256 + byte(4)));
    REQUIRE(payload);
    return Message{.type = byte(2), .payload = *payload};
  }

  Json ask(std::string_view payload) {
    REQUIRE(send(frame_of(payload)));
    const auto message = receive();
    REQUIRE(message);
    CHECK(message->type == 2);
    return message->json();
  }

  // Everything until the server closes or `end` has come; empty for the first.
  std::string receive_text(std::string_view end) {
    while (end.empty() || !in_.contains(end)) {
      char block[65536];
      const ssize_t got = ::recv(fd_.get(), block, sizeof block, 0);
      if (got <= 0) break;
      in_.append(block, static_cast<std::size_t>(got));
    }
    const std::size_t at = end.empty() ? std::string::npos : in_.find(end);
    const std::size_t size = at == std::string::npos ? in_.size() : at + end.size();
    std::string text = in_.substr(0, size);
    in_.erase(0, size);
    return text;
  }

  // What one read brings.
  ssize_t receive_into(std::span<char> room) {
    return ::recv(fd_.get(), room.data(), room.size(), 0);
  }

  // Throws away what has come, without waiting.
  void discard() {
    static std::array<char, 1 << 20> scrap;
    while (::recv(fd_.get(), scrap.data(), scrap.size(), MSG_DONTWAIT) > 0) {
    }
  }

  // Ends both directions; a send that waits in another thread ends.
  void shut() { ::shutdown(fd_.get(), SHUT_RDWR); }

  void half_close() { ::shutdown(fd_.get(), SHUT_WR); }

  // Closes so that the server gets a reset instead of an end.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_ = net::Fd();
  }

 private:
  std::optional<std::string> take(std::size_t size) {
    while (in_.size() < size) {
      char block[65536];
      const ssize_t got = ::recv(fd_.get(), block, sizeof block, 0);
      if (got <= 0) {
        CHECK((got == 0 || errno == ECONNRESET));  // And not: nothing came for all of `patience`.
        return std::nullopt;
      }
      in_.append(block, static_cast<std::size_t>(got));
    }
    std::string taken = in_.substr(0, size);
    in_.erase(0, size);
    return taken;
  }

  net::Fd fd_;
  std::string in_;
};

std::string play(int id) {
  return frame_of(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                  R"(,"method":"play","params":["ROCK","s"]})");
}

// More than the sockets on both sides can hold, as requests or as their replies.
std::string more_than_sockets_hold() {
  const std::string one = play(1);
  std::string bytes;
  while (bytes.size() < 40'000'000) bytes += one;
  return bytes;
}

// Served as if nobody else were there: its own reply, and nothing of what others were told.
void check_normal(const House& house) {
  Peer peer(house);
  for (const int id : {987'654, 987'655}) {
    peer.send(play(id));
    const auto reply = peer.receive();
    REQUIRE(reply);
    CHECK(reply->json()["id"] == id);
    CHECK(reply->json().contains("result"));
  }
}

TEST_CASE("Pipelined requests are answered in order, however they are packed") {
  for (const std::size_t per_turn : {1U, 128U}) {
    const House house({.calls_per_turn = per_turn});
    Peer peer(house);
    std::string bytes;
    for (int id = 1; id <= 2000; ++id) bytes += play(id);
    std::thread sender([&] {
      for (std::size_t at = 0; at < bytes.size(); at += 7919) peer.send(bytes.substr(at, 7919));
    });
    for (int id = 1; id <= 2000; ++id) {
      const auto message = peer.receive();
      REQUIRE(message);
      CHECK(message->json()["id"] == id);
      CHECK(message->json()["result"]["round"] == id);
    }
    sender.join();
  }
}

TEST_CASE("A request that comes byte by byte is answered") {
  const House house;
  Peer peer(house);
  for (const char byte : play(1)) REQUIRE(peer.send({&byte, 1}));
  CHECK(peer.receive()->json()["id"] == 1);
}

TEST_CASE("A notification has no reply and a batch has one") {
  const House house;
  Peer peer(house);
  peer.send(frame_of(R"({"jsonrpc":"2.0","method":"play","params":["ROCK","s"]})"));
  const Json replies = peer.ask(R"([{"jsonrpc":"2.0","id":1,"method":"score","params":["s"]},
                                    {"jsonrpc":"2.0","method":"play","params":["ROCK","s"]},
                                    {"jsonrpc":"2.0","id":2,"method":"score","params":["s"]}])");
  REQUIRE(replies.size() == 2);
  CHECK(replies[0]["result"]["rounds"] == 1);
  CHECK(replies[1]["result"]["rounds"] == 2);
}

// Sends `request` and reads until the server closes or `end` has come.
std::string exchange(const House& house, std::string_view request, std::string_view end) {
  Peer peer(house);
  REQUIRE(peer.send(request));
  return peer.receive_text(end);
}

TEST_CASE("The first byte says which protocol a connection speaks") {
  const House house;
  const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK","s"]})";
  CHECK(Json::parse(exchange(house, call + "\n", "\n"))["result"]["round"] == 1);
  CHECK(Json::parse(exchange(house, " " + call + "\n", "\n"))["result"]["round"] == 2);
  const std::string answer = exchange(house,
                                      "POST /rpc HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n"
                                      "Content-Type: application/json\r\nContent-Length: " +
                                          std::to_string(call.size()) + "\r\n\r\n" + call,
                                      {});
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(Json::parse(answer.substr(answer.find("\r\n\r\n") + 4))["result"]["round"] == 3);
  CHECK(exchange(house, "GET /metrics HTTP/1.0\r\n\r\n", {})
            .contains(R"(rps_requests_total{operation="play",error_class="ok"} 3)"));
  check_normal(house);
}

TEST_CASE("A duel over lines is told in lines, to a player who sits elsewhere in frames") {
  const House house;
  Peer a(house);
  a.send(R"({"jsonrpc":"2.0","id":1,"method":"join","params":["g","a"]})"
         "\n");
  CHECK(a.receive_text("\n").contains(R"("seat":1)"));
  Peer b(house);
  b.send(frame_of(R"({"jsonrpc":"2.0","id":1,"method":"join","params":["g","b"]})"));
  CHECK(b.receive()->json()["result"]["seat"] == 2);
  CHECK(Json::parse(a.receive_text("\n"))["method"] == "opponent_joined");
  CHECK(b.receive()->json()["method"] == "opponent_joined");
}

TEST_CASE("A peer may make as many calls as its rate says, on however many connections") {
  const House house({.calls_per_second_max = 1, .calls_burst_max = 3});
  Peer first(house);
  for (int id = 1; id <= 2; ++id) {
    first.send(play(id));
    CHECK(first.receive()->json().contains("result"));
  }
  Peer second(house);
  const std::string call = R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"]})";
  const Json replies = second.ask("[" + call + "," + call + "]");
  CHECK(replies[0].contains("result"));
  CHECK(replies[1]["error"]["code"] == -32000);
  CHECK(replies[1]["error"]["data"]["error"] == "overloaded");
  const int wait_ms = replies[1]["error"]["data"]["retry_after_ms"];
  CHECK(wait_ms >= 1);
  CHECK(wait_ms <= 1000);
  CHECK(house.metric("rps_calls_refused_total{reason=\"rate\"}") == 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  CHECK(second.ask(R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"]})")
            .contains("result"));
}

// A pass that serves a connection a deep pipeline takes longer than a millisecond on any machine.
TEST_CASE("A thread that cannot keep up refuses all but one call of a turn, and recovers") {
  const House house({.calls_per_turn = 100'000, .pass_max = 1ms}, 1);
  std::string bytes;
  for (int id = 1; id <= 200'000; ++id) bytes += play(1);
  std::vector<Peer> peers;
  std::vector<std::thread> senders;
  for (int i = 0; i < 40; ++i) peers.emplace_back(house);
  for (Peer& peer : peers) senders.emplace_back([&] { peer.send(bytes); });
  const bool shed = eventually([&] {
    for (Peer& peer : peers) peer.discard();
    return house.metric("rps_calls_refused_total{reason=\"overload\"}") > 0;
  });
  CHECK(shed);
  for (Peer& peer : peers) peer.shut();
  for (std::thread& sender : senders) sender.join();
  peers.clear();
  CHECK(eventually([&] { return house.metric("rps_connections") == 0; }));
  check_normal(house);
}

TEST_CASE("One acceptor deals the connections out evenly") {
  const House house({.accepting = Accepting::single}, 4);
  std::vector<Peer> peers;
  for (int i = 0; i < 20; ++i) {
    peers.emplace_back(house).send(play(1));
    CHECK(peers.back().receive());
  }
  for (int worker = 0; worker < 4; ++worker) {
    CHECK(house.metric("rps_worker_connections{worker=\"" + std::to_string(worker) + "\"}") == 5);
  }
}

// All threads of the process are counted, so the client allocates nothing either.
TEST_CASE("Serving calls in frames allocates nothing") {
  const House house({}, 1);
  Peer peer(house);
  const std::string one = play(1);
  std::array<char, 4096> scrap;
  const auto round_trip = [&] {
    if (!peer.send(one)) return false;
    return peer.receive_into(scrap) > 0;
  };
  for (int i = 0; i < 100; ++i) REQUIRE(round_trip());
  const std::uint64_t before = micro::allocation_count();
  bool all = true;
  for (int i = 0; i < 2000; ++i) all &= round_trip();
  CHECK(micro::allocation_count() == before);
  CHECK(all);
}

TEST_CASE("Garbage gets an error and then the end, though more garbage is on its way") {
  const std::pair<std::string, int> cases[] = {{"\x01", -32700},
                                               {std::string().append(10'000'000, 'x'), -32700},
                                               {"\xCA\xFE\x09", -32600},
                                               {frame_of("{}", 0x02), -32600},
                                               {frame_of(std::string(1001, ' ')), -32003}};
  const House house({.frame_bytes_max = 1000, .linger_max = 10s});
  for (const auto& [bytes, code] : cases) {
    Peer peer(house);
    REQUIRE(peer.send(play(1)));
    std::thread sender([&] { peer.send(bytes); });
    CHECK(peer.receive()->json()["id"] == 1);
    const auto refusal = peer.receive();
    REQUIRE(refusal);
    CHECK(refusal->json()["error"]["code"] == code);
    CHECK(!peer.receive());
    sender.join();
    check_normal(house);
  }
  CHECK(house.metric(R"(rps_requests_total{operation="unknown",error_class="too_large"})") == 1);
}

TEST_CASE("The longest frame is read, and a bad payload does not end the connection") {
  const House house;
  Peer peer(house);
  CHECK(peer.ask(std::string(limits::frame_payload_bytes_max, ' '))["error"]["code"] == -32700);
  CHECK(peer.ask(std::string(60'000, '['))["error"]["code"] == -32600);
  CHECK(peer.ask("\xff\xfe")["error"]["code"] == -32700);
  CHECK(
      peer.ask(R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"]})").contains("result"));
}

TEST_CASE("Who falls silent is cut: before a frame, inside one, after one") {
  const auto soon = 50ms;
  const auto scan = 10ms;
  const std::string cut = "rps_connections_cut_total{reason=\"";
  SECTION("before a frame") {
    const House house({.first_message_max = soon, .scan_period = scan});
    CHECK(!Peer(house).receive());
    CHECK(house.metric(cut + "first_frame\"}") == 1);
  }
  SECTION("inside the first frame") {
    const House house({.first_message_max = soon, .scan_period = scan});
    Peer peer(house);
    peer.send(play(1).substr(0, 20));
    CHECK(!peer.receive());
    CHECK(house.metric(cut + "first_frame\"}") == 1);
  }
  SECTION("inside a later frame, though single bytes keep coming") {
    const House house({.message_max = soon, .scan_period = scan});
    Peer peer(house);
    peer.send(play(1) + play(2).substr(0, 5));
    CHECK(peer.receive());
    while (!peer.hears(5ms)) peer.send(" ");
    CHECK(!peer.receive());
    CHECK(house.metric(cut + "slow_frame\"}") == 1);
  }
  SECTION("after a frame") {
    const House house({.idle_max = soon, .scan_period = scan});
    Peer peer(house);
    peer.send(play(1));
    CHECK(peer.receive());
    CHECK(!peer.receive());
    CHECK(house.metric(cut + "idle\"}") == 1);
    check_normal(house);
  }
}

TEST_CASE("Who does not read its replies is not read either, and in the end cut") {
  const House house({.write_stall_max = 300ms, .scan_period = 10ms});
  const std::string bytes = more_than_sockets_hold();
  Peer peer(house);
  CHECK(peer.flood(bytes) < bytes.size());
  check_normal(house);
  CHECK(eventually(
      [&] { return house.metric("rps_connections_cut_total{reason=\"write_stall\"}") == 1; }));
  CHECK(eventually([&] { return house.metric("rps_connections") == 0; }));
}

TEST_CASE("Who reads late gets every reply") {
  const House house;
  constexpr int count = 300'000;
  std::string bytes;
  for (int id = 1; id <= count; ++id) bytes += play(id);
  Peer peer(house);
  const std::size_t taken = peer.flood(bytes);
  CHECK(taken < bytes.size());
  std::thread sender([&] { peer.send(std::string_view(bytes).substr(taken)); });
  for (int id = 1; id <= count; ++id) {
    const auto message = peer.receive();
    REQUIRE(message);
    if (id % 1000 == 0) CHECK(message->json()["id"] == id);
  }
  sender.join();
}

TEST_CASE("A connection that is cut mid-reply hurts nobody, and its replies reach nobody") {
  const House house({}, 1);
  for (int i = 0; i < 50; ++i) {
    Peer peer(house);
    std::string bytes;
    for (int id = 1; id <= 5000; ++id) bytes += play(id);
    peer.flood(bytes);
    peer.reset();
    check_normal(house);
  }
  CHECK(eventually([&] { return house.metric("rps_connections") == 0; }));
  CHECK(house.metric("rps_requests_in_flight") == 0);
}

TEST_CASE("A client that half-closes still gets its replies, and then the end") {
  const House house;
  Peer peer(house);
  peer.send(play(1) + play(2));
  peer.half_close();
  CHECK(peer.receive()->json()["id"] == 1);
  CHECK(peer.receive()->json()["id"] == 2);
  CHECK(!peer.receive());
}

TEST_CASE("While all connections are in use, one more is closed at once; a free place is taken") {
  const House house({.connections_max = 2, .in_use_max = patience});
  std::optional<Peer> first(house);
  Peer second(house);
  first->send(play(1));
  CHECK(first->receive());
  second.send(play(1));
  CHECK(second.receive());
  CHECK(!Peer(house).receive());
  CHECK(house.metric("rps_connections_refused_total{reason=\"limit\"}") == 1);
  first.reset();
  CHECK(eventually([&] { return house.metric("rps_connections") == 1; }));
  check_normal(house);
}

std::string seated(std::string_view method, std::string_view player, std::string_view more = "") {
  return frame_of(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) +
                  R"(","params":["g",")" + std::string(player) + '"' + std::string(more) + "]}");
}

// What a message is, in a word: the method of an event, or the kind of a reply.
std::string word(const std::optional<Peer::Message>& message) {
  if (!message) return "end";
  const Json json = message->json();
  CHECK(json.contains("method") == (message->type == 3));
  if (json.contains("method")) return json["method"];
  return json.contains("result") ? "result" : json["error"]["data"]["error"];
}

TEST_CASE("Two connections play a duel: each reply first, then what it caused, in order") {
  const House house;
  Peer a(house);
  Peer b(house);
  a.send(seated("join", "a", ",1"));
  CHECK(word(a.receive()) == "result");
  b.send(seated("join", "b", ",1"));
  CHECK(word(b.receive()) == "result");
  CHECK(word(b.receive()) == "opponent_joined");
  CHECK(word(a.receive()) == "opponent_joined");

  a.send(seated("throw", "a", R"(,"ROCK")"));
  CHECK(word(a.receive()) == "result");
  CHECK(word(b.receive()) == "opponent_ready");
  b.send(seated("throw", "b", R"(,"PAPER")"));
  CHECK(word(b.receive()) == "result");

  const auto told = a.receive();
  CHECK(word(told) == "round_over");
  const Json params = told->json()["params"];
  CHECK(params["player_move"] == "ROCK");
  CHECK(params["opponent_move"] == "PAPER");
  CHECK(params["result"] == "LOSE");
  CHECK(params["score"] == Json({{"wins", 0}, {"draws", 0}, {"losses", 1}, {"rounds", 1}}));
  CHECK(a.receive()->json()["params"]["winner"] == "b");
  CHECK(word(b.receive()) == "round_over");
  CHECK(word(b.receive()) == "game_over");
}

TEST_CASE("A player whose connection breaks is missed, and may come back") {
  const House house;
  Peer a(house);
  std::optional<Peer> b(house);
  a.send(seated("join", "a"));
  CHECK(word(a.receive()) == "result");
  b->send(seated("join", "b"));
  CHECK(word(a.receive()) == "opponent_joined");
  b.reset();
  CHECK(word(a.receive()) == "opponent_left");
  b.emplace(house);
  b->send(seated("join", "b"));
  CHECK(word(a.receive()) == "opponent_joined");
  check_normal(house);
}

TEST_CASE("Events for a player who does not read are kept up to a limit, then it is cut") {
  House house({.unsent_bytes_max = 1000, .events_waiting_max = 10});
  Peer b(house);
  b.send(seated("join", "b"));
  CHECK(word(b.receive()) == "result");
  const std::string bytes = more_than_sockets_hold();
  CHECK(b.flood(bytes) < bytes.size());  // From here on nothing can be sent to b.

  // a comes and goes; b would have to be told each time.
  Peer a(house);
  for (int i = 0; i < 50; ++i) a.send(seated("join", "a") + seated("leave", "a"));
  CHECK(eventually(
      [&] { return house.metric("rps_connections_cut_total{reason=\"events\"}") == 1; }));
  check_normal(house);
}

TEST_CASE("A server that drains refuses new calls, and ends when its connections have") {
  House house({.linger_max = 10s});
  Peer peer(house);
  peer.send(play(1));
  CHECK(word(peer.receive()) == "result");
  house.server().stop_accepting();
  CHECK(eventually([&] {
    peer.send(play(2));
    return word(peer.receive()) == "unavailable";
  }));
  std::thread reader([&] {
    CHECK(word(peer.receive()) == "end");
    peer.reset();
  });
  CHECK(house.server().drain(Clock::now() + patience));
  reader.join();
}

TEST_CASE("A drain that is out of time cuts off who does not read") {
  House house;
  Peer peer(house);
  const std::string bytes = more_than_sockets_hold();
  CHECK(peer.flood(bytes) < bytes.size());
  house.server().stop_accepting();
  CHECK(!house.server().drain(Clock::now() + 50ms));
}

struct Inbox final : Sink {
  void on_reply(std::uint64_t, const Reply& reply, const Stamps&) override {
    replies.push_back(reply);
  }
  void on_event(const Event& event) override { events.push_back(event); }
  std::vector<Reply> replies;
  std::vector<Event> events;
};

TEST_CASE("The stage's own client plays through the seam") {
  const House house;
  const auto client = connect(house.url(), {.connections = 4, .depth = 8});
  REQUIRE(client->in_flight_max() == 32);
  Inbox inbox;
  for (std::uint64_t id = 0; id < 32; ++id) client->submit(id, {.move = Move::rock});
  while (inbox.replies.size() < 32) {
    REQUIRE(client->poll(Clock::now() + patience, inbox) > 0);
  }
  for (const Reply& reply : inbox.replies) {
    REQUIRE(!reply.error);
    CHECK(reply.result == judge(Move::rock, reply.opponent_move));
    CHECK(reply.round == 0);
  }
}

TEST_CASE("Two of the stage's clients play a duel") {
  const House house;
  const auto a = connect(house.url(), {});
  const auto b = connect(house.url(), {});
  Inbox at_a;
  Inbox at_b;
  const auto ask = [](Client& client, Inbox& inbox, const Command& command) {
    client.submit(1, command);
    const std::size_t before = inbox.replies.size();
    while (inbox.replies.size() == before) {
      REQUIRE(client.poll(Clock::now() + patience, inbox) > 0);
    }
    CHECK(!inbox.replies.back().error);
  };
  const auto seat = [](Operation operation, std::string_view player, Move move) {
    return Command{
        .operation = operation, .move = move, .game_id = "g", .player_id = player, .best_of = 1};
  };
  ask(*a, at_a, seat(Operation::join, "a", {}));
  ask(*b, at_b, seat(Operation::join, "b", {}));
  ask(*a, at_a, seat(Operation::throw_move, "a", Move::rock));
  ask(*b, at_b, seat(Operation::throw_move, "b", Move::scissors));
  while (at_a.events.size() < 3) REQUIRE(a->poll(Clock::now() + patience, at_a) > 0);
  while (at_b.events.size() < 4) REQUIRE(b->poll(Clock::now() + patience, at_b) > 0);
  CHECK(at_a.events[0].type == EventType::opponent_joined);
  CHECK(at_a.events[1].type == EventType::round_over);
  CHECK(at_a.events[2].winner == Id("a"));
  CHECK(at_b.events[1].type == EventType::opponent_ready);
  CHECK(at_b.events[2].result == Result::lose);
  CHECK(at_b.events[3].winner == Id("a"));
}

TEST_CASE("A port that is taken is refused, whether or not it would be shared") {
  const House house;
  server::ServerFlags flags;
  flags.listen.port = house.url().port;
  Game game({.seed = 1});
  server::Metrics metrics(game);
  server::Log log("test", {.level = server::LogLevel::off});
  for (const unsigned threads : {1U, 2U}) {
    flags.threads = threads;
    CHECK_THROWS(make_server({flags, game, metrics, log.logger(), log.bulk()}, {}));
  }
}

}  // namespace
}  // namespace rps::jsonrpc
