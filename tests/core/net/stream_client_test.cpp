// The client over byte streams. Most cases hold the other end of a socket pair themselves, so they
// need neither a thread nor a process: what poll() sends can be read, what it shall receive
// written.
#include "core/net/stream_client.hpp"

#include <deque>
#include <string>
#include <system_error>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench/micro/allocations.hpp"
#include "core/net/child.hpp"
#include "core/net/endpoint.hpp"
#include "core/net/listen.hpp"
#include "tests/catch.hpp"
#include "tests/core/net/listening.hpp"

namespace rps::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// "<sequence>\n" both ways, back with any number of zeros before it, and "!\n" for an event.
// It has no request for a score.
class NumberCodec final : public WireCodec {
 public:
  std::optional<Error> refusal(const Command& command) const override {
    const bool is_refused = command.operation == Operation::score;
    return is_refused ? std::optional(Error::malformed_request) : std::nullopt;
  }

  void encode(std::uint64_t sequence, const Command&, std::string& out) override {
    out += std::to_string(sequence) + "\n";
  }

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed, Reply&,
                 Event& event) override {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return Outcome::need_more;
    consumed = end + 1;
    const std::size_t begin = bytes.find_first_not_of('0');
    const std::string_view line = bytes.substr(begin, end - begin);
    if (line == "!") {
      event.type = EventType::opponent_ready;
      return Outcome::event;
    }
    if (expected == nullptr) return Outcome::broken;
    return line == std::to_string(expected->sequence) ? Outcome::reply : Outcome::broken;
  }
};

struct Answered {
  std::uint64_t id;
  std::optional<Error> error;
  Stamps stamps;
};

class Collected : public Sink {
 public:
  virtual ~Collected() = default;

  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    answers.push_back({.id = id, .error = reply.error, .stamps = stamps});
  }
  void on_event(const Event&) override { ++events; }

  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> ids;
    for (const Answered& answer : answers) ids.push_back(answer.id);
    return ids;
  }

  std::vector<Answered> answers;
  int events = 0;
};

// A client and the far ends of its streams.
struct Bench {
  Bench(std::size_t streams, std::size_t depth, int buffer_bytes = 0) {
    client = std::make_unique<StreamClient>(std::make_unique<NumberCodec>(), streams, depth, [&] {
      int ends[2];
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
      if (buffer_bytes > 0) {
        ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
      }
      peers.emplace_back(ends[1]);
      return Stream{.in = Fd(ends[0]), .out = Fd()};
    });
  }

  void submit(std::uint64_t id) { client->submit(id, {.operation = Operation::leave}); }

  // Sends and receives what there is, without waiting.
  std::size_t poll() { return client->poll(Clock::time_point::min(), sink); }

  std::string heard(std::size_t stream) {
    std::string bytes(1 << 16, '\0');
    const ssize_t count = ::recv(peers[stream].get(), bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

  void say(std::size_t stream, std::string_view bytes) {
    REQUIRE(::send(peers[stream].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }

  void hang_up(std::size_t stream) { peers[stream] = Fd(); }

  std::deque<Fd> peers;
  std::unique_ptr<StreamClient> client;
  Collected sink;
};

using Ids = std::vector<std::uint64_t>;

TEST_CASE("what is submitted leaves with the next poll, in one write per stream") {
  Bench bench(1, 4);
  CHECK(bench.client->in_flight_max() == 4);
  for (std::uint64_t id = 10; id < 14; ++id) bench.submit(id);
  CHECK(bench.heard(0).empty());
  CHECK(bench.poll() == 0);
  CHECK(bench.heard(0) == "1\n2\n3\n4\n");
  bench.say(0, "1\n2\n3\n4\n");
  CHECK(bench.poll() == 4);
  CHECK(bench.sink.ids() == Ids{10, 11, 12, 13});
}

TEST_CASE("what the codec refuses is answered at the next poll, and nothing of it is sent") {
  Bench bench(1, 2);
  bench.submit(10);
  bench.client->submit(11, {.operation = Operation::score});
  CHECK(bench.poll() == 1);
  CHECK(bench.heard(0) == "1\n");
  bench.say(0, "1\n");
  CHECK(bench.poll() == 1);
  CHECK(bench.sink.ids() == Ids{11, 10});
  CHECK(bench.sink.answers[0].error == Error::malformed_request);
  CHECK_FALSE(bench.sink.answers[0].stamps.is_answered);
  CHECK_FALSE(bench.sink.answers[1].error);
}

TEST_CASE("a call goes to the stream of its id while that has room") {
  constexpr std::size_t streams = 3;
  constexpr std::uint64_t players = 6;
  Bench bench(streams, 2);
  // Submitted backwards, and from outside on_reply.
  for (std::uint64_t id = players; id-- > 0;) bench.submit(id);
  bench.poll();
  for (std::size_t stream = 0; stream < streams; ++stream) CHECK(bench.heard(stream) == "1\n2\n");
  for (std::size_t stream = streams; stream-- > 0;) {
    bench.say(stream, "1\n2\n");
    bench.poll();
    CHECK(bench.sink.ids() == Ids{stream + streams, stream});
    bench.sink.answers.clear();
  }
  bench.submit(4);  // All streams are idle.
  bench.submit(1);
  bench.poll();
  CHECK(bench.heard(0).empty());
  CHECK(bench.heard(1) == "3\n4\n");
  CHECK(bench.heard(2).empty());
}

TEST_CASE("calls whose stream is full go to idle streams first, then to those that have room") {
  Bench bench(3, 2);
  for (std::uint64_t id = 0; id < 3; ++id) bench.submit(id);
  bench.poll();
  for (std::size_t stream = 0; stream < 3; ++stream) CHECK(bench.heard(stream) == "1\n");
  bench.submit(0);
  bench.say(1, "1\n");
  bench.poll();
  CHECK(bench.heard(0) == "2\n");
  bench.submit(0);  // Only stream 1 is idle.
  bench.poll();
  CHECK(bench.heard(1) == "2\n");
  bench.say(0, "1\n");
  bench.poll();
  for (int call = 0; call < 3; ++call) bench.submit(0);  // Fills all three.
  bench.poll();
  CHECK(bench.heard(0) == "3\n");
  CHECK(bench.heard(1) == "3\n");
  CHECK(bench.heard(2) == "2\n");
}

TEST_CASE("every pattern of calls and replies keeps depth, order and ids") {
  constexpr std::size_t streams = 3;
  constexpr std::size_t depth = 2;
  Bench bench(streams, depth);
  std::vector<std::string> owed(streams);  // What each peer was asked and did not answer yet.
  std::uint64_t submitted = 0;
  std::uint64_t random = 1;
  for (int step = 0; step < 2000; ++step) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t dice = random >> 33;
    if (dice % 2 == 0 && submitted - bench.sink.answers.size() < bench.client->in_flight_max()) {
      bench.submit(submitted++);
    } else {
      std::string& oldest = owed[dice / 2 % streams];
      const std::string line = oldest.substr(0, oldest.find('\n') + 1);
      oldest.erase(0, line.size());
      bench.say(dice / 2 % streams, line);
    }
    bench.poll();
    for (std::size_t i = 0; i < streams; ++i) {
      owed[i] += bench.heard(i);
      REQUIRE(std::count(owed[i].begin(), owed[i].end(), '\n') <= static_cast<long>(depth));
    }
  }
  for (std::size_t i = 0; i < streams; ++i) bench.say(i, owed[i]);
  bench.poll();
  Ids ids = bench.sink.ids();
  std::sort(ids.begin(), ids.end());
  REQUIRE(ids.size() == submitted);
  for (std::uint64_t id = 0; id < submitted; ++id) REQUIRE(ids[id] == id);
  for (const Answered& answer : bench.sink.answers) REQUIRE_FALSE(answer.error.has_value());
}

TEST_CASE("replies and events may come cut at every byte") {
  const std::string bytes = "1\n!\n2\n!\n3\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    Bench bench(1, 3);
    for (std::uint64_t id = 1; id <= 3; ++id) bench.submit(id);
    bench.poll();
    bench.say(0, bytes.substr(0, cut));
    std::size_t count = bench.poll();
    bench.say(0, bytes.substr(cut));
    count += bench.poll();
    CHECK(count == 5);
    CHECK(bench.sink.ids() == Ids{1, 2, 3});
    CHECK(bench.sink.events == 2);
  }
}

TEST_CASE("poll waits for the first arrival, and not past its deadline") {
  Bench bench(1, 1);
  const auto deadline = Clock::now() + milliseconds(5);
  CHECK(bench.client->poll(deadline, bench.sink) == 0);
  CHECK(Clock::now() >= deadline);
  bench.say(0, "!\n");
  CHECK(bench.client->poll(Clock::time_point::max(), bench.sink) == 1);
}

TEST_CASE("a call is stamped between its submission and its reply") {
  Bench bench(1, 1);
  bench.submit(1);
  const auto submitted_at = Clock::now();
  bench.poll();
  const auto flushed_at = Clock::now();
  bench.say(0, "1\n");
  const auto answered_at = Clock::now();
  bench.poll();
  const Stamps& stamps = bench.sink.answers.at(0).stamps;
  CHECK(stamps.sent_at >= submitted_at);
  CHECK(stamps.sent_at <= flushed_at);
  CHECK(stamps.received_at >= answered_at);
  CHECK(stamps.received_at <= Clock::now());
}

// Submits the next call from inside the reply to the last, `left` times.
class ClosedLoop final : public Collected {
 public:
  ClosedLoop(StreamClient& client, std::uint64_t left) : client_(client), left_(left) {}

  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    Collected::on_reply(id, reply, stamps);
    if (left_-- > 0) client_.submit(id + 1, {.operation = Operation::leave});
  }

 private:
  StreamClient& client_;
  std::uint64_t left_;
};

TEST_CASE("what a reply's handler submits leaves before poll returns") {
  Bench bench(1, 1);
  ClosedLoop loop(*bench.client, 2);
  bench.submit(0);
  bench.poll();
  for (int round = 1; round <= 3; ++round) {
    CHECK(bench.heard(0) == std::to_string(round) + "\n");
    bench.say(0, std::to_string(round) + "\n");
    CHECK(bench.client->poll(Clock::now() + seconds(10), loop) == 1);
  }
  CHECK(loop.ids() == Ids{0, 1, 2});
}

TEST_CASE("a stream that ends answers each open call once, the others serve on") {
  Bench bench(2, 2);
  for (std::uint64_t id = 0; id < 4; ++id) bench.submit(id);
  bench.poll();
  const std::string asked = bench.heard(1);
  bench.hang_up(0);
  CHECK(bench.poll() == 2);
  for (const Answered& answer : bench.sink.answers) CHECK(answer.error == Error::unavailable);
  bench.say(1, asked);
  CHECK(bench.poll() == 2);
  CHECK_FALSE(bench.sink.answers.at(2).error.has_value());
  bench.submit(4);
  bench.submit(5);
  bench.submit(6);  // One more than what is left can take.
  bench.poll();
  CHECK(bench.sink.answers.at(4).id == 6);
  CHECK(bench.sink.answers.at(4).error == Error::unavailable);
  CHECK(bench.heard(1) == "3\n4\n");
}

TEST_CASE("when all streams have ended every call is answered at the next poll") {
  Bench bench(2, 1);
  bench.hang_up(0);
  bench.hang_up(1);
  bench.poll();
  CHECK(bench.sink.answers.empty());
  bench.submit(1);
  bench.submit(2);
  CHECK(bench.client->poll(Clock::time_point::max(), bench.sink) == 2);
  CHECK(bench.sink.ids() == Ids{1, 2});
  CHECK(bench.poll() == 0);
}

TEST_CASE("a handler that submits at every failure does not hold poll back") {
  Bench bench(1, 2);
  ClosedLoop loop(*bench.client, 1000);
  bench.submit(0);
  bench.submit(100);
  bench.poll();
  bench.hang_up(0);
  CHECK(bench.client->poll(Clock::now() + seconds(10), loop) == 2);
  CHECK(bench.client->poll(Clock::now() + seconds(10), loop) == 2);
  CHECK(loop.ids() == Ids{0, 100, 1, 101});
}

TEST_CASE("what a stream said before it went is heard, even when writing to it fails first") {
  Bench bench(1, 3);
  bench.submit(1);
  bench.poll();
  bench.say(0, "1\n");
  bench.hang_up(0);
  bench.submit(2);
  CHECK(bench.poll() == 2);
  CHECK_FALSE(bench.sink.answers.at(0).error.has_value());
  CHECK(bench.sink.answers.at(1).error == Error::unavailable);
}

TEST_CASE("a stream that speaks out of turn or nonsense is out of service") {
  for (const std::string_view bytes : {"1\n1\n", "1\n2\n", "1\nx\n"}) {
    CAPTURE(bytes);
    Bench bench(1, 2);
    bench.submit(1);
    bench.poll();
    bench.submit(2);  // Not sent yet, so nobody can have answered it.
    bench.say(0, bytes.substr(0, 2));
    bench.poll();
    bench.say(0, bytes == "1\n2\n" ? "3\n" : bytes.substr(2));
    bench.poll();
    CHECK(bench.sink.ids() == Ids{1, 2});
    CHECK(bench.sink.answers.at(1).error == Error::unavailable);
  }
  Bench bench(1, 1);
  bench.say(0, "1\n");  // Nobody asked.
  bench.poll();
  bench.submit(1);
  bench.poll();
  CHECK(bench.sink.answers.at(0).error == Error::unavailable);
}

TEST_CASE("a message may be a megabyte long, not a byte more") {
  constexpr std::size_t longest = 1 << 20;
  for (const std::size_t size : {longest, longest + 1}) {
    Bench bench(1, 1);
    bench.submit(1);
    bench.poll();
    const std::string message = std::string(size - 2, '0') + "1\n";
    for (std::size_t at = 0; at < size; at += 4096) {
      bench.say(0, std::string_view(message).substr(at, 4096));
      bench.poll();
    }
    REQUIRE(bench.sink.ids() == Ids{1});
    CHECK(bench.sink.answers.at(0).error.has_value() == (size > longest));
  }
}

TEST_CASE("a peer that does not read is waited for, and loses nothing") {
  constexpr std::uint64_t calls = 20'000;
  Bench bench(1, calls, 4096);
  for (std::uint64_t id = 0; id < calls; ++id) bench.submit(id);
  bench.poll();
  std::uint64_t next = 1;
  std::string got;
  while (bench.sink.answers.size() < calls) {
    got += bench.heard(0);
    const std::string whole = got.substr(0, got.rfind('\n') + 1);
    got.erase(0, whole.size());
    for (std::size_t at = 0; at < whole.size(); at = whole.find('\n', at) + 1) {
      REQUIRE(std::stoull(whole.substr(at, 20)) == next);
      ++next;
    }
    bench.say(0, whole);
    bench.poll();
  }
  for (std::uint64_t id = 0; id < calls; ++id) REQUIRE(bench.sink.answers[id].id == id);
}

TEST_CASE("a warm client allocates nothing per call") {
  class Counting final : public Sink {
   public:
    void on_reply(std::uint64_t, const Reply&, const Stamps&) override { ++replies; }
    void on_event(const Event&) override {}
    int replies = 0;
  };
  Bench bench(2, 2);
  Counting sink;
  const auto round_trip = [&](std::uint64_t id) {
    bench.submit(id);
    bench.client->poll(Clock::time_point::min(), sink);
    for (const Fd& peer : bench.peers) {
      char bytes[64];
      const ssize_t count = ::recv(peer.get(), bytes, sizeof bytes, 0);
      if (count > 0) ::send(peer.get(), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
    }
    bench.client->poll(Clock::time_point::min(), sink);
  };
  for (std::uint64_t id = 0; id < 100; ++id) round_trip(id);
  const std::uint64_t before = micro::allocation_count();
  for (std::uint64_t id = 0; id < 1000; ++id) round_trip(id);
  CHECK(micro::allocation_count() == before);
  CHECK(sink.replies == 1100);
}

// ---- Children ------------------------------------------------------------------------------

// `cat` is the other end: it says what it hears.
TEST_CASE("a child answers over its pipes, and is reaped with the client") {
  pid_t pid = -1;
  {
    StreamClient client(std::make_unique<NumberCodec>(), 1, 1,
                        [] { return spawn_child({"/bin/cat"}); });
    REQUIRE(client.children().size() == 1);
    pid = client.children().front();
    Collected sink;
    client.submit(7, {.operation = Operation::leave});
    CHECK(client.poll(Clock::now() + seconds(10), sink) == 1);
    CHECK(sink.ids() == Ids{7});
  }
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("a child that does not end with its input is killed") {
  pid_t pid = -1;
  {
    StreamClient client(std::make_unique<NumberCodec>(), 1, 1,
                        [] { return spawn_child({"/bin/sleep", "1000"}); });
    pid = client.children().front();
  }
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("writing to a child that died is an answer, not a signal") {
  StreamClient client(std::make_unique<NumberCodec>(), 1, 1,
                      [] { return spawn_child({"/bin/cat"}); });
  Collected sink;
  ::kill(client.children().front(), SIGKILL);
  siginfo_t info;
  ::waitid(P_PID, static_cast<id_t>(client.children().front()), &info, WEXITED | WNOWAIT);
  client.submit(1, {.operation = Operation::leave});
  CHECK(client.poll(Clock::now() + seconds(10), sink) == 1);
  CHECK(sink.answers.at(0).error == Error::unavailable);
}

TEST_CASE("a child's pipes are not held open by its siblings") {
  Stream first = spawn_child({"/bin/cat"});
  const Stream second = spawn_child({"/bin/cat"});
  first.out = Fd();
  int status = 0;
  REQUIRE(::waitpid(first.child, &status, 0) == first.child);  // It saw the end of its input.
  CHECK(status == 0);
  ::kill(second.child, SIGKILL);
  ::waitpid(second.child, nullptr, 0);
}

TEST_CASE("when a later stream cannot be opened the earlier ones are closed") {
  pid_t first = -1;
  const auto open = [&]() -> Stream {
    if (first > 0) return spawn_child({"/nonexistent/program"});
    Stream stream = spawn_child({"/bin/cat"});
    first = stream.child;
    return stream;
  };
  CHECK_THROWS_AS(StreamClient(std::make_unique<NumberCodec>(), 2, 1, open), std::system_error);
  REQUIRE(first > 0);
  CHECK(::kill(first, 0) == -1);
}

// ---- Connections that end ------------------------------------------------------------------

// As NumberCodec, and more: "<sequence>.\n" is a last reply, and "<sequence>" without an end is one
// when the stream ends behind it.
class EndingCodec final : public WireCodec {
 public:
  bool has_last_replies() const override { return true; }

  void encode(std::uint64_t sequence, const Command&, std::string& out) override {
    out += std::to_string(sequence) + "\n";
  }

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed, Reply&,
                 Event&) override {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return Outcome::need_more;
    consumed = end + 1;
    if (expected == nullptr) return Outcome::broken;
    const std::string number = std::to_string(expected->sequence);
    if (bytes.substr(0, end) == number) return Outcome::reply;
    return bytes.substr(0, end) == number + "." ? Outcome::last_reply : Outcome::broken;
  }

  Outcome decode_end(std::string_view bytes, const Expected& expected, Reply&) override {
    return bytes == std::to_string(expected.sequence) ? Outcome::last_reply : Outcome::broken;
  }
};

// A client over TCP, and the server's side of its connections, which the test holds.
struct Reconnecting {
  explicit Reconnecting(std::size_t depth, bool outlasts_outages = false) {
    client = std::make_unique<StreamClient>(
        std::make_unique<EndingCodec>(), endpoint(),
        ConnectOptions{.depth = depth, .outlasts_outages = outlasts_outages});
    accept();
  }

  // The name has the listener's address, behind those that the test adds.
  Endpoint endpoint() {
    return Endpoint({.host = "name.test", .port = 1}, [this](const HostPort&) -> FoundAddresses {
      if (!listener) return std::unexpected("there is no listener");
      std::vector<Address> addresses = others;
      addresses.push_back(*parse_address({.host = "127.0.0.1", .port = port_of(listener)}));
      return addresses;
    });
  }

  void accept() {
    peer = Fd();
    pollfd ready{.fd = listener.get(), .events = POLLIN, .revents = 0};
    const auto deadline = Clock::now() + seconds(60);
    while (::poll(&ready, 1, 1) == 0 && Clock::now() < deadline) poll();
    peer = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(static_cast<bool>(peer));
  }

  void submit(std::uint64_t id, Operation operation = Operation::leave) {
    client->submit(id, {.operation = operation});
  }
  std::size_t poll() { return client->poll(Clock::time_point::min(), sink); }
  void poll_until_answered(std::size_t count) {
    const auto deadline = Clock::now() + seconds(60);
    while (sink.answers.size() < count && Clock::now() < deadline) {
      client->poll(Clock::now() + milliseconds(1), sink);
    }
    REQUIRE(sink.answers.size() == count);
  }

  // Waits until the peer has heard so many bytes.
  std::string hear(std::size_t size) {
    std::string heard;
    const auto deadline = Clock::now() + seconds(60);
    while (heard.size() < size) {
      REQUIRE(Clock::now() < deadline);
      poll();
      char chunk[256];
      const ssize_t count = ::recv(peer.get(), chunk, sizeof chunk, MSG_DONTWAIT);
      REQUIRE(count != 0);
      if (count > 0) heard.append(chunk, static_cast<std::size_t>(count));
    }
    return heard;
  }
  void expect(std::string_view bytes) { CHECK(hear(bytes.size()) == bytes); }
  void say(std::string_view bytes) {
    REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }

  // Instead of the listener, which calls are to reach no longer.
  void move_listener() {
    listener = std::move(listen_on({.host = "127.0.0.1", .port = 0}, PortSharing::no).front());
  }

  Fd listener = std::move(listen_on({.host = "127.0.0.1", .port = 0}, PortSharing::no).front());
  std::vector<Address> others;  // Of the name. Not to be changed while a name is looked up.
  Fd peer;
  std::unique_ptr<StreamClient> client;
  Collected sink;
};

TEST_CASE("Calls behind a last reply are sent again over a new connection, one at first") {
  Reconnecting bench(4);
  for (std::uint64_t id = 1; id <= 4; ++id) bench.submit(id);
  bench.expect("1\n");
  bench.say("1\n");
  bench.expect("2\n3\n4\n");
  bench.say("2.\n");
  bench.accept();
  bench.expect("3\n");
  bench.say("3\n");
  bench.expect("4\n");
  bench.say("4\n");
  bench.poll_until_answered(4);
  CHECK(bench.sink.ids() == Ids{1, 2, 3, 4});
  for (const Answered& answer : bench.sink.answers) CHECK_FALSE(answer.error.has_value());
  CHECK(bench.client->connection_counts() ==
        ConnectionCounts{.reconnects = 1, .resent = 2, .uncertain = 0});
}

TEST_CASE("A reply may end with its connection") {
  Reconnecting bench(2);
  bench.submit(1);
  bench.submit(2);
  bench.expect("1\n");
  bench.say("1");
  bench.accept();
  bench.expect("2\n");
  bench.say("2\n");
  bench.poll_until_answered(2);
  for (const Answered& answer : bench.sink.answers) CHECK_FALSE(answer.error.has_value());
}

TEST_CASE("A server that closes after each reply answers every call") {
  Reconnecting bench(1);
  for (std::uint64_t id = 1; id <= 20; ++id) {
    bench.submit(id);
    if (id > 1) bench.accept();
    bench.expect(std::to_string(id) + "\n");
    bench.say(std::to_string(id) + ".\n");
    bench.poll_until_answered(id);
    CHECK_FALSE(bench.sink.answers.back().error.has_value());
  }
  CHECK(bench.client->connection_counts().reconnects == 19);
}

TEST_CASE("When a connection breaks, only calls that may be carried out twice are sent again") {
  Reconnecting bench(3);
  bench.submit(1);
  bench.expect("1\n");
  bench.say("1\n");
  bench.poll_until_answered(1);
  bench.submit(2, Operation::leave);
  bench.submit(3, Operation::score);
  bench.expect("2\n3\n");
  bench.accept();
  bench.expect("3\n");
  bench.say("3\n");
  bench.poll_until_answered(3);
  CHECK(bench.sink.ids() == Ids{1, 2, 3});
  CHECK(bench.sink.answers[1].error == Error::unavailable);
  CHECK_FALSE(bench.sink.answers[1].stamps.is_answered);
  CHECK_FALSE(bench.sink.answers[2].error.has_value());
  CHECK(bench.client->connection_counts() ==
        ConnectionCounts{.reconnects = 1, .resent = 1, .uncertain = 1});
}

TEST_CASE("An idle connection that its peer closes is opened again for the next call") {
  Reconnecting bench(1);
  bench.peer = Fd();
  bench.client->poll(Clock::now() + milliseconds(20), bench.sink);
  bench.submit(1);
  bench.accept();
  bench.expect("1\n");
  bench.say("1\n");
  bench.poll_until_answered(1);
  CHECK_FALSE(bench.sink.answers[0].error.has_value());
}

TEST_CASE("A server that closes without a reply, or is gone, is out of service") {
  for (const bool is_gone : {false, true}) {
    CAPTURE(is_gone);
    Reconnecting bench(2);
    bench.submit(1, Operation::score);
    bench.expect("1\n");
    if (is_gone) {
      bench.say("1\n");
      bench.poll_until_answered(1);
      bench.submit(1, Operation::score);
      bench.expect("2\n");
      bench.listener = Fd();
    }
    bench.peer = Fd();
    bench.poll_until_answered(is_gone ? 2 : 1);
    bench.submit(2);
    bench.poll_until_answered(is_gone ? 3 : 2);
    CHECK(bench.sink.answers.back().error == Error::unavailable);
    CHECK_FALSE(bench.sink.answers.back().stamps.is_answered);
  }
}

TEST_CASE("A client that outlasts outages answers meanwhile, and connects again") {
  Reconnecting bench(1, true);
  const std::uint16_t port = port_of(bench.listener);
  bench.listener = Fd();
  bench.peer = Fd();
  std::uint64_t id = 0;
  for (; id < 5; ++id) {
    bench.submit(id);
    bench.poll_until_answered(id + 1);
    CHECK(bench.sink.answers.back().error == Error::unavailable);
    CHECK_FALSE(bench.sink.answers.back().stamps.is_answered);
  }
  bench.listener =
      std::move(listen_on({.host = "127.0.0.1", .port = port}, PortSharing::no).front());
  bench.accept();
  while (bench.client->connection_counts().reconnects == 0) bench.poll();
  bench.submit(id);
  bench.say(bench.hear(2));
  bench.poll_until_answered(id + 1);
  CHECK_FALSE(bench.sink.answers.back().error.has_value());
}

// Answers a call, moves the server's name to another address behind `others`, ends the connection,
// and answers the next call.
void check_is_opened_again_past(const std::vector<Address>& others) {
  Reconnecting bench(1);
  bench.submit(1);
  bench.expect("1\n");
  bench.say("1\n");
  bench.poll_until_answered(1);
  bench.others = others;
  bench.move_listener();
  bench.peer = Fd();
  bench.submit(2, Operation::score);
  bench.accept();
  bench.expect("2\n");
  bench.say("2\n");
  bench.poll_until_answered(2);
  CHECK_FALSE(bench.sink.answers[1].error.has_value());
}

TEST_CASE("A connection is opened again at the address that its server's name has then") {
  check_is_opened_again_past({});
}

TEST_CASE("A connection is opened again past an address that does not answer") {
  const BlackHole hole;
  const Bound closed;
  check_is_opened_again_past({closed.address(), hole.address()});
}

// ---- Connecting ----------------------------------------------------------------------------

// A bare root file system may lack /etc/hosts, and with it the one name that every machine knows.
bool knows_localhost() {
  addrinfo* found = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

TEST_CASE("connecting works by number and by name, and says what failed") {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(listener.get(), any, size) == 0);
  REQUIRE(::getsockname(listener.get(), any, &size) == 0);
  const std::uint16_t port = ntohs(address.sin_port);
  CHECK_THROWS_AS(connect_tcp("127.0.0.1", port, seconds(5)), std::system_error);
  REQUIRE(::listen(listener.get(), 4) == 0);
  CHECK(static_cast<bool>(connect_tcp("127.0.0.1", port, seconds(5))));
  if (knows_localhost()) CHECK(static_cast<bool>(connect_tcp("localhost", port, seconds(5))));
  CHECK_THROWS_AS(connect_tcp("host.invalid", port, seconds(5)), std::system_error);
}

}  // namespace
}  // namespace rps::net
