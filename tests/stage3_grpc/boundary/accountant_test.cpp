#include "stage3_grpc/boundary/accountant.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "stage3_grpc/boundary/self_check.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/boundary/frames.hpp"

using namespace rps;
using namespace rps::rpc::boundary;

namespace {

// A client and the server's socket, which is watched.
struct Watched {
  explicit Watched(
      std::shared_ptr<OpenConnections> among = std::make_shared<OpenConnections>(1'000))
      : connections(std::move(among)) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    client = net::Fd(ends[0]);
    server = net::Fd(ends[1]);
    auto accountant =
        std::make_unique<Accountant>(server.get(),
                                     Budgets{.unanswered_calls = {.max = 2, .per_second = 0},
                                             .control_frames = {.max = 4, .per_second = 0}},
                                     connections, std::make_unique<SocketFilter>());
    account = accountant.get();
    attach(server.get(), std::move(accountant));
  }

  void client_sends(const Bytes& bytes) const {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), 0) == std::ssize(bytes));
  }

  // Into two buffers, the first of `first` bytes.
  ssize_t server_receives(std::size_t first = 11, int flags = 0) {
    std::array<iovec, 2> pieces{iovec{buffer.data(), first},
                                iovec{buffer.data() + first, buffer.size() - first}};
    msghdr message{.msg_iov = pieces.data(), .msg_iovlen = pieces.size()};
    return ::recvmsg(server.get(), &message, flags);
  }

  void server_sends(Bytes bytes) const {
    std::array<iovec, 2> pieces{iovec{bytes.data(), 5}, iovec{bytes.data() + 5, bytes.size() - 5}};
    const msghdr message{.msg_iov = pieces.data(), .msg_iovlen = pieces.size()};
    REQUIRE(::sendmsg(server.get(), &message, 0) == std::ssize(bytes));
  }

  std::uint64_t cut_count() const {
    const CutCounts counts = connections->cuts().counts();
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }

  std::uint64_t cut_count(Breach breach) const {
    return connections->cuts().counts()[static_cast<std::size_t>(breach)];
  }

  std::shared_ptr<OpenConnections> connections = std::make_shared<OpenConnections>(1'000);
  Accountant* account = nullptr;  // Until the server's socket is closed.
  net::Fd client;
  net::Fd server;
  std::array<char, 4096> buffer{};
};

Bytes call(std::uint32_t stream = 1) {
  return frame(Frame::headers, 60, 0, stream);
}

}  // namespace

TEST_CASE("A watched socket gives its bytes as any other") {
  Watched socket;
  const Bytes bytes = preface() + call() + call();
  socket.client_sends(bytes);
  CHECK(socket.server_receives() == std::ssize(bytes));
  CHECK(std::equal(bytes.begin(), bytes.end(),
                   reinterpret_cast<std::uint8_t*>(socket.buffer.data())));
  errno = 0;
  CHECK(socket.server_receives() == -1);
  CHECK(errno == EAGAIN);
  CHECK(socket.cut_count() == 0);
}

TEST_CASE("A connection that exceeds a budget is shut down, counted once and read no more") {
  for (std::size_t first = 1; first < 200; ++first) {
    Watched socket;
    socket.client_sends(preface() + repeated(call(), 3));
    REQUIRE(socket.server_receives(first) == -1);
    REQUIRE(errno == ECONNRESET);
    REQUIRE(socket.server_receives(first) <= 0);
    char byte = 0;
    REQUIRE(::recv(socket.client.get(), &byte, 1, 0) == 0);
    REQUIRE(socket.cut_count() == 1);
    REQUIRE(socket.cut_count(Breach::unanswered_calls) == 1);
  }
}

TEST_CASE("What the server sends pays back") {
  Watched socket;
  socket.client_sends(preface() + repeated(call(), 2));
  REQUIRE(socket.server_receives() > 0);
  socket.server_sends(frame(Frame::headers, 20, Frame::end_stream));
  socket.client_sends(repeated(call(), 2));
  CHECK(socket.server_receives() > 0);
  socket.client_sends(call());
  CHECK(socket.server_receives() == -1);
}

namespace {

// Several connections of one server.
struct Crowd {
  Crowd(int size, int calls_max) : connections(std::make_shared<OpenConnections>(calls_max)) {
    for (int i = 0; i < size; ++i) sockets.push_back(std::make_unique<Watched>(connections));
  }

  // The connection's client sends, and gRPC reads; then one's time is less than the next one's.
  void receive(std::size_t number, const Bytes& bytes) const {
    Watched& socket = *sockets[number];
    socket.client_sends(bytes);
    socket.server_receives();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }

  bool is_cut(std::size_t number) const { return sockets[number]->account->is_cut(); }

  std::shared_ptr<OpenConnections> connections;
  std::vector<std::unique_ptr<Watched>> sockets;
};

}  // namespace

TEST_CASE("Idle connections give way: one without a call before those that had one long ago") {
  const Crowd crowd(5, 1'000);
  const Bytes end = frame(Frame::headers, 15, Frame::end_stream);
  for (const std::size_t number : {0U, 1U}) {
    crowd.receive(number, preface() + call());
    crowd.sockets[number]->server_sends(end);
  }
  crowd.receive(3, preface());
  crowd.sockets[2]->client_sends(preface());
  crowd.receive(4, preface() + call());  // Open.
  const auto give_way = [&](std::size_t count) {
    return crowd.connections->close_idle(count, Clock::now());
  };
  const auto cut = [&] {
    std::vector<bool> all;
    for (std::size_t i = 0; i < crowd.sockets.size(); ++i) all.push_back(crowd.is_cut(i));
    return all;
  };
  CHECK(give_way(1));
  CHECK(cut() == std::vector{false, false, true, false, false});
  CHECK(give_way(2));
  CHECK(cut() == std::vector{true, false, true, true, false});
  CHECK(crowd.connections->close_idle(9, Clock::now() - std::chrono::hours(1)));  // None, but some
  CHECK_FALSE(crowd.is_cut(1));                                                   // are closing.
  CHECK(give_way(9));
  CHECK(cut() == std::vector{true, true, true, true, false});
  CHECK(crowd.sockets[0]->cut_count(Breach::gave_way) == 4);
  CHECK(crowd.sockets[2]->server_receives() == -1);  // gRPC gets nothing of what has come.
  CHECK_FALSE(OpenConnections(1'000).close_idle(9, Clock::now()));
}

TEST_CASE("A connection whose long call has just ended is not idle") {
  const Crowd crowd(1, 1'000);
  crowd.receive(0, preface() + call());
  const Clock::time_point before_the_end = Clock::now();
  crowd.sockets[0]->server_sends(frame(Frame::headers, 15, Frame::end_stream));
  CHECK_FALSE(crowd.connections->close_idle(1, before_the_end));
  CHECK(crowd.connections->close_idle(1, Clock::now()));
}

TEST_CASE("When the pool is full, the connections that wait for an answer longest give way") {
  const Crowd crowd(20, 16);
  for (std::size_t number = 0; number < 16; ++number) crowd.receive(number, preface() + call());
  CHECK(crowd.is_cut(0));  // A sixteenth is free again.
  CHECK_FALSE(crowd.is_cut(1));
  crowd.sockets[1]->server_sends(frame(Frame::headers, 15, Frame::end_stream));
  crowd.receive(1, call(3));  // It was served just now.
  crowd.receive(16, preface() + call());
  CHECK(crowd.is_cut(2));
  CHECK_FALSE(crowd.is_cut(1));
  CHECK(crowd.sockets[0]->cut_count(Breach::longest_wait) == 2);
  CHECK_FALSE(crowd.is_cut(19));  // It has no call.
}

namespace {

// GOAWAY and PING.
constexpr std::size_t goodbye_size = 34;

Bytes client_takes(const Watched& socket) {
  Bytes bytes(100'000);
  const ssize_t count = ::recv(socket.client.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

bool is_goodbye(const Bytes& bytes) {
  const Bytes goaway{0, 0, 8, Frame::goaway, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0};
  const Bytes ping{0, 0, 8, Frame::ping, 0, 0, 0, 0, 0};
  const Bytes start = goaway + ping;
  return bytes.size() == goodbye_size && std::equal(start.begin(), start.end(), bytes.begin());
}

const Bytes pong = frame(Frame::ping, 8, Frame::ack, 0);

}  // namespace

TEST_CASE("A goodbye comes behind the greeting, and is said once") {
  const Watched socket;
  socket.account->say_goodbye();
  CHECK(client_takes(socket).empty());
  socket.server_sends(frame(Frame::settings, 6, 0, 0));
  CHECK(client_takes(socket).size() == 15);
  socket.account->say_goodbye();
  CHECK(is_goodbye(client_takes(socket)));
  socket.account->say_goodbye();
  CHECK(client_takes(socket).empty());
}

TEST_CASE("A goodbye stands between frames, and not in the middle of headers") {
  const Bytes settings = frame(Frame::settings, 0, 0, 0);
  const Bytes headers = frame(Frame::headers, 10, Frame::end_stream) +
                        frame(Frame::continuation, 10) +
                        frame(Frame::continuation, 10, Frame::end_headers);
  for (std::size_t first = 10; first < headers.size() - 6; ++first) {
    const Watched socket;
    const auto middle = headers.begin() + static_cast<std::ptrdiff_t>(first);
    socket.server_sends(settings + Bytes(headers.begin(), middle));
    socket.account->say_goodbye();
    socket.server_sends(Bytes(middle, headers.end()));
    CHECK(client_takes(socket) == settings + headers);
    socket.server_sends(frame(Frame::data, 10));
    const Bytes rest = client_takes(socket);
    REQUIRE(rest.size() == goodbye_size + 19);
    CHECK(is_goodbye(Bytes(rest.begin(), rest.begin() + goodbye_size)));
  }
}

TEST_CASE("A goodbye that the socket does not take whole is completed before anything else") {
  const Watched socket;
  int size = 1;  // The smallest that the kernel allows.
  REQUIRE(::setsockopt(socket.server.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
  const Bytes greeting = frame(Frame::settings, 6, 0, 0);
  socket.server_sends(greeting);
  const Bytes more = frame(Frame::data, 100);
  iovec piece{.iov_base = const_cast<std::uint8_t*>(more.data()), .iov_len = more.size()};
  const msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
  std::size_t sent = 0;
  while (::sendmsg(socket.server.get(), &message, MSG_DONTWAIT) == std::ssize(more)) ++sent;
  socket.account->say_goodbye();
  errno = 0;
  CHECK(::sendmsg(socket.server.get(), &message, MSG_DONTWAIT) == -1);
  CHECK(errno == EAGAIN);
  Bytes taken;
  while (taken.size() < greeting.size() + sent * more.size()) taken = taken + client_takes(socket);
  CHECK(taken == greeting + repeated(more, static_cast<int>(sent)));
  CHECK(::sendmsg(socket.server.get(), &message, MSG_DONTWAIT) == std::ssize(more));
  taken = client_takes(socket);
  if (taken.size() == goodbye_size) taken = taken + client_takes(socket);
  REQUIRE(taken.size() == goodbye_size + more.size());
  CHECK(is_goodbye(Bytes(taken.begin(), taken.begin() + goodbye_size)));
}

TEST_CASE("A peer has heard the goodbye when it has acknowledged the PING behind it") {
  Watched socket;
  const Bytes ping = frame(Frame::ping, 8, 0, 0);
  socket.server_sends(frame(Frame::settings, 0, 0, 0) + ping);
  CHECK_FALSE(socket.account->has_heard_goodbye());
  socket.account->say_goodbye();
  socket.client_sends(preface() + pong);  // Of the PING before.
  CHECK(socket.server_receives() > 0);
  CHECK_FALSE(socket.account->has_heard_goodbye());
  socket.client_sends(pong);
  CHECK(socket.server_receives() > 0);
  CHECK(socket.account->has_heard_goodbye());
}

TEST_CASE("All have left when all have heard the goodbye and no call is open") {
  const Crowd crowd(3, 1'000);
  const Bytes greeting = frame(Frame::settings, 0, 0, 0);
  for (const auto& socket : crowd.sockets) socket->server_sends(greeting);
  CHECK_FALSE(crowd.connections->say_goodbye());
  crowd.receive(0, preface() + pong);
  crowd.receive(1, preface() + call() + pong);
  crowd.receive(2, preface() + pong);
  CHECK_FALSE(crowd.connections->say_goodbye());
  crowd.sockets[1]->server_sends(frame(Frame::headers, 15, Frame::end_stream));
  CHECK(crowd.connections->say_goodbye());
  CHECK(OpenConnections(1'000).say_goodbye());
}

TEST_CASE("Connections that have not heard the goodbye or have calls open can be closed") {
  const Crowd crowd(3, 1'000);
  const Bytes greeting = frame(Frame::settings, 0, 0, 0);
  for (const auto& socket : crowd.sockets) socket->server_sends(greeting);
  CHECK_FALSE(crowd.connections->say_goodbye());
  crowd.receive(0, preface() + pong);
  crowd.receive(1, preface() + call() + pong);
  crowd.connections->close_unfinished();
  CHECK_FALSE(crowd.is_cut(0));
  for (const std::size_t closed : {1, 2}) {
    CHECK(crowd.is_cut(closed));
    CHECK(crowd.sockets[closed]->cut_count() == 0);  // They count for none of the reasons.
  }
  CHECK(crowd.connections->say_goodbye());
}

TEST_CASE("An idle connection is told to go, and closed when its peer has heard it and stays") {
  using std::chrono::seconds;
  const Crowd crowd(4, 1'000);
  const Bytes greeting = frame(Frame::settings, 0, 0, 0);
  const Bytes end = frame(Frame::headers, 15, Frame::end_stream | Frame::end_headers);
  for (const auto& socket : crowd.sockets) socket->server_sends(greeting);
  crowd.receive(0, preface());
  crowd.receive(1, preface());
  crowd.receive(2, preface() + call());  // Open.
  const Clock::time_point begin = Clock::now();
  const auto pass = [&](seconds time) { crowd.connections->end_idle(begin + time, seconds(100)); };
  const auto told_to_go = [&](std::size_t i) {
    const Bytes taken = client_takes(*crowd.sockets[i]);
    return taken.size() >= goodbye_size &&
           is_goodbye(Bytes(taken.end() - goodbye_size, taken.end()));
  };
  pass(seconds(99));
  CHECK_FALSE(told_to_go(0));
  pass(seconds(101));
  CHECK(told_to_go(0));
  CHECK(told_to_go(1));
  CHECK_FALSE(told_to_go(2));
  crowd.receive(0, pong);
  pass(seconds(102));
  CHECK(crowd.is_cut(0));
  CHECK_FALSE(crowd.is_cut(1));  // It may not have heard it yet, and opens a call.
  crowd.receive(1, call());
  crowd.sockets[1]->server_sends(end);
  crowd.sockets[2]->server_sends(end);
  pass(seconds(99));
  CHECK_FALSE(told_to_go(2));  // Its call has ended just now.
  CHECK_FALSE(crowd.is_cut(1));
  pass(seconds(202));
  CHECK(crowd.is_cut(1));  // It had long enough.
  CHECK(told_to_go(2));
  CHECK_FALSE(crowd.is_cut(2));
  CHECK(crowd.sockets[0]->cut_count(Breach::idle) == 3);  // The last one never spoke at all.
}

TEST_CASE("The error queue is read past the account") {
  Watched socket;
  socket.client_sends(preface() + repeated(call(), 3));
  socket.server_receives(11, MSG_ERRQUEUE);  // A socket of this kind has none.
  CHECK(socket.cut_count() == 0);
}

TEST_CASE("A descriptor that is closed and used anew is not watched") {
  Watched socket;
  const int number = socket.server.get();
  socket.server = net::Fd();
  CHECK(socket.connections.use_count() == 1);  // The accountant has gone.
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const net::Fd one(ends[0]);
  const net::Fd other(ends[1]);
  REQUIRE((one.get() == number || other.get() == number));
  socket.client = net::Fd(::dup(one.get() == number ? other.get() : one.get()));
  socket.server = net::Fd(::dup2(number, number));
  socket.client_sends(preface() + repeated(call(), 100));
  CHECK(socket.server_receives() > 0);
  CHECK(socket.server.release() == number);
}

TEST_CASE("The check finds out when a reader, or a closer, goes past the boundary") {
  using namespace std::chrono_literals;
  const auto greet = [](const net::Fd& connection) {
    char byte = 0;
    iovec piece{&byte, 1};
    const msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
    return ::sendmsg(connection.get(), &message, MSG_NOSIGNAL);
  };
  const auto receive = [](const net::Fd& connection) {
    char byte = 0;
    iovec piece{&byte, 1};
    msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
    return ::recvmsg(connection.get(), &message, 0);
  };
  CHECK(check_boundary(
            [&](net::Fd connection) {
              greet(connection);
              receive(connection);
            },
            10s) == SelfCheck::in_place);
  CHECK(check_boundary([&](net::Fd connection) { greet(connection); }, 10s) == SelfCheck::bypassed);
  CHECK(check_boundary([&](net::Fd connection) { receive(connection); }, 10s) ==
        SelfCheck::bypassed);
}

TEST_CASE("A close that goes past the boundary is found out") {
  using namespace std::chrono_literals;
  CHECK(check_boundary(
            [](net::Fd connection) {
              char byte = 0;
              iovec piece{&byte, 1};
              msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
              ::sendmsg(connection.get(), &message, MSG_NOSIGNAL);
              ::recvmsg(connection.get(), &message, 0);
              const auto fd = static_cast<unsigned>(connection.release());
              ::syscall(SYS_close_range, fd, fd, 0);
            },
            100ms) == SelfCheck::bypassed);
}

TEST_CASE("A connection that is shut down a while before it is closed is no sign of a bypass") {
  using namespace std::chrono_literals;
  std::jthread closing;
  CHECK(check_boundary(
            [&closing](net::Fd connection) {
              char byte = 0;
              iovec piece{&byte, 1};
              msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
              ::sendmsg(connection.get(), &message, MSG_NOSIGNAL);
              ::recvmsg(connection.get(), &message, 0);
              ::shutdown(connection.get(), SHUT_RDWR);
              closing = std::jthread([late = std::move(connection)]() mutable {
                std::this_thread::sleep_for(50ms);
                late = {};
              });
            },
            10s) == SelfCheck::in_place);
}

TEST_CASE("A connection that is not served in time, or not made, proves nothing") {
  using namespace std::chrono_literals;
  net::Fd kept;
  CHECK(check_boundary([&](net::Fd connection) { kept = std::move(connection); }, 20ms) ==
        SelfCheck::not_served);
  kept = {};

  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const SelfCheck without_descriptors = check_boundary([](const net::Fd&) {}, 10s);
  CHECK(errno == EMFILE);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(without_descriptors == SelfCheck::no_connection);
}
