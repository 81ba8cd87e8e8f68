// The lean client against the server of stage 3.
#include "bench/load/clients/grpc_lean_client.hpp"

#include <map>
#include <memory>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>

#include "core/judge.hpp"
#include "core/net/listen.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/peer_server.hpp"
#include "tests/stage3_grpc/running_server.hpp"

namespace rps::load {
namespace {

constexpr std::chrono::seconds patience{10};

struct Notes final : Sink {
  virtual ~Notes() = default;
  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    ++answers[id];
    replies[id] = reply;
    reasons[id] = reply.reason;
    CHECK(stamps.sent_at <= stamps.received_at);
  }
  void on_event(const Event&) override {}

  std::map<std::uint64_t, int> answers;
  std::map<std::uint64_t, Reply> replies;
  std::map<std::uint64_t, std::string> reasons;
};

std::unique_ptr<Client> open(const rpc::RunningServer& at, const ConnectOptions& options = {}) {
  const auto url = parse_url("grpc+lean://" + at.target());
  REQUIRE(url);
  return connect_grpc_lean(*url, options);
}

void poll_until_answered(Client& client, Notes& notes, std::size_t count) {
  const Clock::time_point deadline = Clock::now() + patience;
  while (notes.answers.size() < count && Clock::now() < deadline) client.poll(deadline, notes);
  REQUIRE(notes.answers.size() == count);
}

TEST_CASE("The lean client plays and asks for the score") {
  rpc::RunningServer at;
  const auto client = open(at);
  Notes notes;
  client->submit(1, {.move = Move::rock, .session_id = "s"});
  poll_until_answered(*client, notes, 1);
  const Reply& played = notes.replies[1];
  REQUIRE_FALSE(played.error);
  CHECK(played.result == judge(Move::rock, played.opponent_move));
  CHECK(notes.reasons[1] == reason(Move::rock, played.opponent_move));
  CHECK(played.round == 1);
  client->submit(2, {.operation = Operation::score, .session_id = "s"});
  poll_until_answered(*client, notes, 2);
  CHECK(notes.replies[2].operation == Operation::score);
  CHECK(notes.replies[2].score == played.score);
}

TEST_CASE("The lean client hands on what the server refuses, and refuses duels itself") {
  rpc::RunningServer at;
  const auto client = open(at, {.connections = 2, .depth = 4});
  CHECK(client->in_flight_max() == 8);
  Notes notes;
  client->submit(1, {.move = Move::unspecified});
  client->submit(2, {.move = Move::rock, .session_id = std::string(65, 'x')});
  client->submit(3, {.operation = Operation::score, .session_id = "nobody"});
  client->submit(4, {.operation = Operation::join, .game_id = "g", .player_id = "p"});
  client->submit(5, {.move = Move::rock});
  poll_until_answered(*client, notes, 5);
  CHECK(notes.replies[1].error == Error::invalid_move);
  CHECK(notes.replies[2].error == Error::malformed_request);
  CHECK(notes.replies[3].error == Error::unknown_session);
  CHECK(notes.replies[4].error == Error::unknown_operation);
  CHECK(notes.replies[4].operation == Operation::join);
  CHECK_FALSE(notes.replies[5].error);
}

TEST_CASE("A server that drains and goes answers every call of the lean client once") {
  rpc::RunningServer at;
  const auto client = open(at, {.connections = 2, .depth = 8});
  Notes notes;
  at.server->stop_accepting();
  for (std::uint64_t id = 0; id < 16; ++id) client->submit(id, {.move = Move::rock});
  poll_until_answered(*client, notes, 16);
  at.server->drain(Clock::now() + std::chrono::milliseconds(100));
  client->poll(Clock::now() + std::chrono::milliseconds(100), notes);
  for (std::uint64_t id = 16; id < 32; ++id) client->submit(id, {.move = Move::rock});
  poll_until_answered(*client, notes, 32);
  for (const auto& [id, times] : notes.answers) CHECK(times == 1);
  for (const auto& [id, reply] : notes.replies) CHECK(reply.error == Error::unavailable);
}

TEST_CASE("The lean client keeps the calls of one id on one connection") {
  const rpc::PeerServer at;
  const auto client =
      connect_grpc_lean(*parse_url("grpc+lean://" + at.target()), {.connections = 3, .depth = 2});
  rpc::check_ids_stay(*client, 3, 6);
}

TEST_CASE("The lean client does not open what nobody serves") {
  CHECK_THROWS_AS(connect_grpc_lean(*parse_url("grpc+lean://127.0.0.1:1"), {}), std::exception);
}

// Why a client cannot be opened at a peer that says `greeting` and then, if so, closes.
std::string refusal_by(std::string_view greeting, bool closes,
                       const std::string& scheme = "grpc+lean") {
  const net::Fd listener =
      std::move(net::listen_on({.host = "127.0.0.1", .port = 0}, net::PortSharing::no).front());
  const std::jthread peer([&] {
    pollfd readable{.fd = listener.get(), .events = POLLIN, .revents = 0};
    ::poll(&readable, 1, -1);
    const net::Fd caller(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ::send(caller.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL);
    std::string heard(4096, '\0');
    if (closes) ::shutdown(caller.get(), SHUT_WR);
    while (::recv(caller.get(), heard.data(), heard.size(), 0) > 0) {
    }
  });
  const std::string url = scheme + "://127.0.0.1:" + std::to_string(net::port_of(listener));
  try {
    connect_grpc_lean(*parse_url(url), {.timeout_max = std::chrono::milliseconds(300)});
  } catch (const std::exception& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("The lean client says of a peer only what it has found") {
  CHECK(refusal_by("", false) == "the peer sent no HTTP/2 SETTINGS within the time for connecting");
  CHECK(refusal_by("", true) == "the peer closed the connection before it sent HTTP/2 SETTINGS");
  CHECK(refusal_by("HTTP/1.1 400 Bad Request\r\n\r\n", true) ==
        "what the peer sends is not HTTP/2 without TLS");
  CHECK(refusal_by("", true, "grpcs+lean") ==
        "TLS failed: the peer closed the connection during the handshake");
}

}  // namespace
}  // namespace rps::load
