#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"
#include "core/net/http.hpp"
#include "core/net/listen.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/protocol.hpp"
#include "tests/bench/synthetic/due_queue.hpp"
#include "tests/bench/synthetic/server.hpp"

namespace rps::synthetic {

namespace {

using jsonrpc::Call;
using jsonrpc::Limits;
using jsonrpc::Progress;
using jsonrpc::Protocol;

// A turn of the protocol is one message, so that each reply gets a deadline of its own.
Limits one_message_a_turn() {
  Limits limits;
  limits.calls_per_turn = 1;
  return limits;
}

// Answers as the script says, and remembers how long the answer is to wait.
class ScriptedContext final : public jsonrpc::Context {
 public:
  ScriptedContext(const Limits& limits, Game& game, Script& script)
      : Context(limits), game_(game), script_(script), caller_(game, {}) {}

  void begin_message(Clock::time_point read_at) {
    read_at_ = read_at;
    delay_ = {};
    failed_ = false;
  }
  Clock::time_point due_at() const { return read_at_ + delay_; }
  bool failed() const { return failed_; }

  Reply execute(const Call& call) override {
    const Script::Step step = script_.next();
    delay_ = std::max(delay_, step.delay);  // A batch waits for the longest of its calls.
    if (step.fate == Fate::error) {
      failed_ = true;
      return {.operation = call.command.operation, .error = Error::internal};
    }
    Reply reply = game_.handle(call.command, caller_, read_at_);
    if (step.fate == Fate::wrong) reply.result = falsified(reply.result);
    return reply;
  }
  void count_refusal(Error) override {}

  bool is_ready() const override { return true; }
  std::string metrics_text() const override { return {}; }
  bool accepts(const net::HttpAuthority&) const override { return true; }
  std::string_view http_date() override { return http_date_.now(); }

 private:
  Game& game_;
  Script& script_;
  net::HttpDate http_date_;
  Caller caller_;
  Clock::time_point read_at_;
  Clock::duration delay_{};
  bool failed_ = false;
};

struct Connection {
  Connection(net::Fd fd, const Limits& limits, Game& game, Script& script)
      : socket(std::move(fd)), context(limits, game, script) {}

  net::Fd socket;
  ScriptedContext context;
  std::unique_ptr<Protocol> protocol;
  bool is_http = false;
  bool has_ended = false;  // What still comes is not read.
  std::string unread;
  Clock::time_point last_due_at;
};

class Server {
 public:
  Server(const HostPort& listen, Game& game, Script& script)
      : game_(game),
        script_(script),
        listener_(std::move(net::listen_on(listen, net::PortSharing::no).front())),
        address_{.host = listen.host, .port = net::port_of(listener_)} {
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    signals_ = net::Fd(::signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!signals_ || !epoll_.add(signals_.get(), EPOLLIN, signal_tag) ||
        !epoll_.add(listener_.get(), EPOLLIN, listener_tag)) {
      throw std::system_error(errno, std::generic_category(), "epoll");
    }
  }

  const HostPort& address() const { return address_; }

  void run() {
    while (!ended_) {
      for (const epoll_event& event : epoll_.wait(wake_at())) {
        on_ready(event.data.u64);
        send_due();  // However many there are to be read.
      }
      send_due();
    }
  }

 private:
  static constexpr std::uint64_t signal_tag = 0;
  static constexpr std::uint64_t listener_tag = 1;
  static constexpr std::uint64_t first_connection_tag = 2;

  struct Answer {
    std::uint64_t connection;
    std::string bytes;
    bool is_last;
  };

  // With a deadline near, epoll returns at once: then the loop spins, but goes on reading.
  Clock::time_point wake_at() const {
    return queue_.empty() ? Clock::now() + std::chrono::seconds(1) : queue_.next_at() - spin_max;
  }

  void on_ready(std::uint64_t tag) {
    if (tag == signal_tag) {
      ended_ = true;
    } else if (tag == listener_tag) {
      accept_one();
    } else if (const auto found = connections_.find(tag); found != connections_.end()) {
      read(tag, *found->second);
    }
  }

  void accept_one() {
    net::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    const std::uint64_t tag = next_tag_++;
    epoll_.add(socket.get(), EPOLLIN, tag);
    connections_.emplace(tag,
                         std::make_unique<Connection>(std::move(socket), limits_, game_, script_));
  }

  void read(std::uint64_t tag, Connection& connection) {
    const ssize_t size = ::recv(connection.socket.get(), room_.data(), room_.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      connections_.erase(tag);
      return;
    }
    if (connection.has_ended) return;
    const Clock::time_point read_at = Clock::now();
    connection.unread.append(room_.data(), static_cast<std::size_t>(size));
    if (!connection.protocol) choose_protocol(connection);
    while (answer_one(tag, connection, read_at)) {
    }
  }

  void choose_protocol(Connection& connection) {
    const char first = connection.unread.front();
    connection.is_http = first >= 'A' && first <= 'Z';
    connection.protocol = make_protocol(first, limits_);
  }

  // False when no whole message is left.
  bool answer_one(std::uint64_t tag, Connection& connection, Clock::time_point read_at) {
    ScriptedContext& context = connection.context;
    context.begin_message(read_at);
    std::string bytes;
    const Progress progress = connection.protocol->take_messages(connection.unread, context, bytes);
    connection.unread.erase(0, progress.consumed);
    if (connection.is_http && context.failed()) {
      bytes.clear();
      net::append_http({.keep_open = !progress.end},
                       net::status_page(net::HttpStatus::internal_server_error),
                       context.http_date(), bytes);
    }
    if (!bytes.empty()) {
      connection.last_due_at = std::max(connection.last_due_at, context.due_at());
      queue_.push(connection.last_due_at, {tag, std::move(bytes), progress.end});
    }
    connection.has_ended = progress.end;
    return progress.more && !progress.end;
  }

  void send_due() {
    while (!queue_.empty()) {
      const Clock::time_point due_at = queue_.next_at();
      const Clock::time_point now = Clock::now();
      if (due_at > now) return;
      send(queue_.pop());
      script_.answered(now - due_at);
    }
  }

  // Who does not take a reply at once is cut off: the callers here read what they asked for.
  void send(const Answer& answer) {
    const auto found = connections_.find(answer.connection);
    if (found == connections_.end()) return;
    const ssize_t size =
        ::send(found->second->socket.get(), answer.bytes.data(), answer.bytes.size(), MSG_NOSIGNAL);
    if (size != static_cast<ssize_t>(answer.bytes.size()) || answer.is_last) {
      connections_.erase(found);
    }
  }

  Game& game_;
  Script& script_;
  const Limits limits_ = one_message_a_turn();
  net::Epoll epoll_;
  net::Fd listener_;
  HostPort address_;
  net::Fd signals_;
  bool ended_ = false;
  std::array<char, 65'536> room_{};
  std::uint64_t next_tag_ = first_connection_tag;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  DueQueue<Answer> queue_;
};

}  // namespace

void keep_time_exactly() {
  ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

void serve_jsonrpc(const HostPort& listen, Game& game, Script& script, const Ready& ready) {
  keep_time_exactly();
  Server server(listen, game, script);
  ready(server.address());
  server.run();
}

}  // namespace rps::synthetic
