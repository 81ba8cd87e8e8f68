// A server of a made-up line protocol, and the codec of its clients. It runs in the test's own
// thread: between two polls of the client the test lets it do what it is told to do.
//
//     call   "<sequence> <operation> <session or game>\n"
//     reply  "<sequence> ok\n", "<sequence> unavailable\n", "<sequence> overloaded <ms>\n",
//            "<sequence> last\n", behind which the server closes the connection
//     event  "!<game>\n"
#pragma once

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/net/wire_codec.hpp"
#include "tests/catch.hpp"

namespace rps::fleet {

class LineCodec final : public net::WireCodec {
 public:
  explicit LineCodec(bool has_last_replies = false) : has_last_replies_(has_last_replies) {}

  bool has_last_replies() const override { return has_last_replies_; }

  // There is no line for a spectator.
  std::optional<Error> refusal(const Command& command) const override {
    const bool is_refused = command.operation == Operation::watch;
    return is_refused ? std::optional(Error::unknown_operation) : std::nullopt;
  }

  void encode(std::uint64_t sequence, const Command& command, std::string& out) override {
    const std::string_view whose = command.game_id.empty() ? command.session_id : command.game_id;
    std::array<char, 20> digits;
    out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), sequence).ptr);
    out.append(" ").append(to_string(command.operation)).append(" ").append(whose).append("\n");
  }

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return Outcome::need_more;
    consumed = end + 1;
    const std::string_view line = bytes.substr(0, end);
    if (line.starts_with('!')) {
      event.type = EventType::opponent_ready;
      event.game_id = Id(line.substr(1));
      return Outcome::event;
    }
    if (expected == nullptr) return Outcome::broken;
    std::uint64_t sequence = 0;
    const char* const rest = std::from_chars(line.data(), line.data() + end, sequence).ptr;
    if (sequence != expected->sequence) return Outcome::broken;
    const std::string_view what(rest, line.data() + end);
    reply.operation = expected->operation;
    if (what == " ok") return Outcome::reply;
    if (what == " last") return Outcome::last_reply;
    reply.error = what == " unavailable" ? Error::unavailable : Error::overloaded;
    const std::string_view overloaded = " overloaded ";
    if (what.starts_with(overloaded)) {
      std::from_chars(rest + overloaded.size(), line.data() + end, reply.retry_after_ms);
    }
    return Outcome::reply;
  }

 private:
  bool has_last_replies_;
};

class FakeServer {
 public:
  FakeServer() { listen(0); }

  std::string url() const { return "line://127.0.0.1:" + std::to_string(port_); }

  // What calls are answered with; nothing at all when it is empty.
  std::string answer = "ok";

  // A connection is closed behind so many answers, the last of which says so. 0: never.
  std::size_t answers_max = 0;

  // The calls that have come, each as "<operation> <session or game>".
  std::vector<std::string> calls;
  std::size_t accepted = 0;  // Connections, ever.

  // The connections that are open.
  std::size_t connections() const { return peers_.size(); }

  // Takes in what has come and answers it. Nothing while the server is down.
  void work() {
    if (!listener_) return;
    for (;;) {
      net::Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!peer) break;
      ++accepted;
      peers_.push_back({.socket = std::move(peer), .bytes = {}, .answers = 0});
    }
    std::erase_if(peers_, [&](Peer& peer) { return !serve(peer) && forget(peer); });
  }

  // Answers what it did not answer when it came, on all connections.
  void answer_late(int count) {
    for (int i = 0; i < count; ++i) say_reply(unanswered_.at(static_cast<std::size_t>(i)));
    unanswered_.erase(unanswered_.begin(), unanswered_.begin() + count);
  }
  std::size_t unanswered() const { return unanswered_.size(); }

  // Tells everybody something.
  void say(std::string_view bytes) {
    for (const Peer& peer : peers_) send(peer.socket.get(), bytes);
  }

  void hang_up() {
    peers_.clear();
    unanswered_.clear();
  }

  void die() {
    hang_up();
    listener_ = net::Fd();
  }
  void come_back() { listen(port_); }

 private:
  struct Peer {
    net::Fd socket;
    std::string bytes;
    std::size_t answers = 0;
  };
  struct Unanswered {
    int socket = -1;
    std::string sequence;
  };

  void listen(std::uint16_t port) {
    listener_ = net::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), any, sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 128) == 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_.get(), any, &size);
    port_ = ntohs(address.sin_port);
  }

  // False when the peer has gone.
  bool serve(Peer& peer) {
    std::array<char, 65536> buffer;
    const ssize_t count = ::recv(peer.socket.get(), buffer.data(), buffer.size(), 0);
    if (count < 0) return errno == EAGAIN;
    if (count == 0) return false;
    peer.bytes.append(buffer.data(), static_cast<std::size_t>(count));
    for (;;) {
      const std::size_t end = peer.bytes.find('\n');
      if (end == std::string::npos) return true;
      const std::string line = peer.bytes.substr(0, end);
      peer.bytes.erase(0, end + 1);
      if (++peer.answers == answers_max) {
        say_last(peer, line);
        return false;
      }
      take_call(peer, line);
    }
  }

  // Nobody waits there for an answer any longer.
  bool forget(const Peer& peer) {
    std::erase_if(unanswered_,
                  [&](const Unanswered& call) { return call.socket == peer.socket.get(); });
    return true;
  }

  void take_call(const Peer& peer, const std::string& line) {
    const std::size_t space = line.find(' ');
    calls.push_back(line.substr(space + 1));
    const Unanswered call{.socket = peer.socket.get(), .sequence = line.substr(0, space)};
    if (answer.empty()) {
      unanswered_.push_back(call);
    } else {
      say_reply(call);
    }
  }

  void say_last(const Peer& peer, const std::string& line) {
    const std::size_t space = line.find(' ');
    calls.push_back(line.substr(space + 1));
    send(peer.socket.get(), line.substr(0, space) + " last\n");
  }

  void say_reply(const Unanswered& call) {
    send(call.socket, call.sequence + " " + (answer.empty() ? "ok" : answer) + "\n");
  }

  static void send(int socket, std::string_view bytes) {
    ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  net::Fd listener_;
  std::uint16_t port_ = 0;
  std::deque<Peer> peers_;
  std::deque<Unanswered> unanswered_;
};

}  // namespace rps::fleet
