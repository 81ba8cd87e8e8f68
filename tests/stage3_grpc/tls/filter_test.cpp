#include "stage3_grpc/tls/filter.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "stage3_grpc/boundary/coalescer.hpp"
#include "stage3_grpc/tls/certificates.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/tls/made_certificates.hpp"

using namespace rps;
using namespace rps::rpc;
using namespace rps::rpc::tls;

namespace {

struct Seen final : Witness {
  std::shared_ptr<const void> accepted(int, std::string identity) override {
    identities.push_back(std::move(identity));
    return mark;
  }
  void refused(int, Failure why, const std::string& reason) override {
    failures.push_back(why);
    reasons.push_back(reason);
  }
  void broken(int, const std::string& reason) override { breaks.push_back(reason); }

  std::vector<std::string> identities;
  std::vector<Failure> failures;
  std::vector<std::string> reasons;
  std::vector<std::string> breaks;
  std::shared_ptr<int> mark = std::make_shared<int>();
};

using ContextPointer = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;

// The certificates of all tests: made once, because keys take time.
struct World {
  const Made authority = make_certificate({.name = "authority"});
  const Made server = make_certificate({.other_names = "DNS:localhost"}, &authority);
  const Made alice = make_certificate(
      {.other_names = "URI:spiffe://rps/alice", .usage = "clientAuth"}, &authority);
  const Made expired = make_certificate({.begin = -20, .end = -10}, &authority);
  const Made other_authority = make_certificate({.name = "other authority"});
  const Made mallory = make_certificate({.name = "mallory"}, &other_authority);

  std::shared_ptr<SSL_CTX> context(bool asks_clients) const {
    const auto checked = check({.certificate = server.certificate_pem(),
                                .key = server.key_pem(),
                                .ca = asks_clients ? authority.certificate_pem() : ""},
                               std::time(nullptr));
    REQUIRE(checked);
    return checked->context;
  }
};

const World& world() {
  static const World made;
  return made;
}

struct ClientWish {
  const Made* certificate = nullptr;
  std::string protocols = "\2h2";
  int version = TLS1_3_VERSION;
};

// A client whose bytes go through memory, so that a test decides when they travel.
class Client {
 public:
  explicit Client(const ClientWish& wish = {}) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), wish.version);
    SSL_CTX_set_max_proto_version(context_.get(), wish.version);
    SSL_CTX_set_security_level(context_.get(), 0);
    if (wish.certificate) {
      SSL_CTX_use_certificate(context_.get(), wish.certificate->certificate.get());
      SSL_CTX_use_PrivateKey(context_.get(), wish.certificate->key.get());
    }
    ssl_.reset(SSL_new(context_.get()));
    if (!wish.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wish.protocols.data()),
                          static_cast<unsigned>(wish.protocols.size()));
    }
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
    go_on();
  }

  // Takes bytes from the server and goes on with the handshake.
  void take(std::string_view bytes) {
    if (!bytes.empty()) BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    go_on();
  }

  // What it wants to send.
  std::string outgoing() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out_, &bytes);
    std::string taken(bytes, static_cast<std::size_t>(size));
    (void)BIO_reset(out_);
    return taken;
  }

  void write(std::string_view text) {
    REQUIRE(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0);
  }

  // All text that has arrived.
  std::string text() {
    std::string all;
    std::array<char, 4096> part;
    ERR_clear_error();
    int size = 0;
    while ((size = SSL_read(ssl_.get(), part.data(), part.size())) > 0) {
      all.append(part.data(), static_cast<std::size_t>(size));
    }
    note_error(size);
    return all;
  }

  // The reason of the first failure; empty when there was none.
  const std::string& error() const { return error_; }
  bool is_told_the_end() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  SSL* ssl() { return ssl_.get(); }

 private:
  void go_on() {
    if (SSL_is_init_finished(ssl_.get())) return;
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    note_error(result);
  }

  void note_error(int result) {
    if (error_.empty() && SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL) {
      error_ = last_reason();
    }
  }

  ContextPointer context_;
  SslPointer ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string error_;
};

// The server's socket with its filter, and the peer's end of the connection.
struct Server {
  explicit Server(bool asks_clients = false) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    peer = net::Fd(ends[0]);
    socket = net::Fd(ends[1]);
    const auto context = world().context(asks_clients);
    filter = make_filter(socket.get(), *context, seen);
  }

  // Nothing for EAGAIN.
  std::optional<std::string> receive(std::size_t size = 16 << 10) const {
    std::string bytes(size, '\0');
    const std::size_t half = size / 2;
    std::array<iovec, 2> pieces{iovec{bytes.data(), half}, iovec{bytes.data() + half, size - half}};
    msghdr message{.msg_iov = pieces.data(), .msg_iovlen = pieces.size()};
    errno = 0;
    const ssize_t count = filter->receive(socket.get(), message, 0);
    if (count < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }

  ssize_t send(std::string_view text) const {
    std::string copy(text);
    const std::size_t third = copy.size() / 3;
    std::array<iovec, 4> pieces{iovec{copy.data(), third},
                                {},
                                iovec{copy.data() + third, third},
                                iovec{copy.data() + 2 * third, copy.size() - 2 * third}};
    const msghdr message{.msg_iov = pieces.data(), .msg_iovlen = pieces.size()};
    errno = 0;
    return filter->send(socket.get(), message, MSG_NOSIGNAL);
  }

  void arrives(std::string_view bytes) const {
    REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == std::ssize(bytes));
  }

  std::string sent() const {
    std::string all(1 << 20, '\0');
    const ssize_t count = ::recv(peer.get(), all.data(), all.size(), 0);
    all.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return all;
  }

  // Exchanges bytes, at most `step` of the client's at once, until nothing moves.
  std::string exchange(Client& client, std::size_t step = 1 << 16) const {
    std::string received;
    bool moves = true;
    while (moves) {
      const std::string from_client = client.outgoing();
      for (std::size_t at = 0; at < from_client.size(); at += step) {
        arrives(std::string_view(from_client).substr(at, step));
        while (const auto text = receive()) {
          if (text->empty()) break;
          received += *text;
        }
      }
      const std::string from_server = sent();
      client.take(from_server);
      moves = !from_client.empty() || !from_server.empty();
    }
    return received;
  }

  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  net::Fd peer;
  net::Fd socket;
  std::unique_ptr<boundary::SocketFilter> filter;
};

}  // namespace

TEST_CASE("Text goes both ways over TLS 1.2 and 1.3") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Server server;
    Client client({.version = version});
    CHECK(server.exchange(client).empty());
    CHECK(server.seen->identities == std::vector<std::string>{""});
    CHECK(!server.receive());
    CHECK(errno == EAGAIN);
    CHECK(server.send("to the client") == 13);
    client.take(server.sent());
    CHECK(client.text() == "to the client");
    client.write("to the server");
    CHECK(server.exchange(client) == "to the server");
  }
}

TEST_CASE("Bytes may arrive in pieces of any size") {
  for (std::size_t step = 1; step < 700; step += step < 40 ? 1 : 61) {
    const Server server(true);
    Client client({.certificate = &world().alice});
    CHECK(server.exchange(client, step).empty());
    client.write("first, ");
    client.write("second");
    CHECK(server.exchange(client, step) == "first, second");
  }
}

TEST_CASE("A record that has come in part is no text yet, wherever it was cut") {
  const Server server;
  Client client;
  server.exchange(client);
  client.write("rock");
  const std::size_t size = client.outgoing().size();
  const Server again;
  Client other;
  again.exchange(other);
  for (std::size_t cut = 1; cut < size; ++cut) {
    other.write("rock");
    const std::string record = other.outgoing();
    again.arrives(record.substr(0, cut));
    CHECK(!again.receive());
    CHECK(errno == EAGAIN);
    again.arrives(record.substr(cut));
    CHECK(again.receive() == "rock");
  }
}

TEST_CASE("Text that does not fit into the buffers is there at the next call") {
  const Server server;
  Client client;
  server.exchange(client);
  std::string text;
  for (int i = 0; i < 2'000; ++i) text += std::to_string(i);
  client.write(text);
  client.write("and the end");
  server.arrives(client.outgoing());
  std::string received;
  while (const auto part = server.receive(7)) received += *part;
  CHECK(received == text + "and the end");
}

TEST_CASE("What is sent before the end of the handshake is sent after it") {
  const Server server(true);
  Client client({.certificate = &world().alice});
  CHECK(server.send("SETTINGS, ") == 10);
  CHECK(server.sent().empty());
  server.arrives(client.outgoing());
  CHECK(!server.receive());
  CHECK(server.send("WINDOW_UPDATE") == 13);
  server.exchange(client);
  CHECK(client.text() == "SETTINGS, WINDOW_UPDATE");
}

TEST_CASE("What is sent before the end of the handshake is bounded") {
  const Server server;
  CHECK(server.send(std::string(early_bytes_max, 'x')) == early_bytes_max);
  CHECK(server.send("x") == -1);
  CHECK(errno == ECONNRESET);
  CHECK(server.seen->failures == std::vector{Failure::protocol});
}

TEST_CASE("What is sent before the end of the handshake is kept although the handshake is stuck") {
  const Server server;
  const std::string filling(1 << 16, 'x');
  while (::send(server.socket.get(), filling.data(), filling.size(), 0) > 0) continue;
  server.arrives(Client().outgoing());
  CHECK(!server.receive());
  CHECK(server.send("SETTINGS") == 8);
  CHECK(server.send(std::string(early_bytes_max, 'x')) == -1);
  CHECK(errno == ECONNRESET);
}

TEST_CASE("A client certificate is demanded, verified and gives the identity") {
  struct Case {
    const Made* certificate;
    std::vector<std::string> identities;
    std::string reason;
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const Case& each : {
             Case{&world().alice, {"spiffe://rps/alice"}, ""},
             Case{nullptr, {}, "peer did not return a certificate"},
             Case{&world().mallory,
                  {},
                  "client certificate: unable to get local issuer certificate"},
             Case{&world().expired, {}, "client certificate: certificate has expired"},
             Case{&world().other_authority, {}, "client certificate: self-signed certificate"},
         }) {
      const Server server(true);
      Client client({.certificate = each.certificate, .version = version});
      server.exchange(client);
      CHECK(server.seen->identities == each.identities);
      CHECK((server.seen->reasons.empty() ? "" : server.seen->reasons.front()) == each.reason);
      if (each.reason.empty()) continue;
      CHECK(server.seen->failures == std::vector{Failure::certificate});
      client.text();
      CHECK(client.error().contains("alert"));
      CHECK(!server.receive());
      CHECK(errno == ECONNRESET);
      CHECK(server.send("x") == -1);
      CHECK(errno == ECONNRESET);
    }
  }
}

TEST_CASE("The witness's mark is kept until the connection ends") {
  Server server;
  Client client;
  server.exchange(client);
  CHECK(server.seen->mark.use_count() == 2);
  server.filter.reset();
  CHECK(server.seen->mark.use_count() == 1);
}

TEST_CASE("A client must offer HTTP/2, and TLS 1.2 at least") {
  for (const ClientWish& wish :
       {ClientWish{.protocols = ""}, ClientWish{.protocols = "\10http/1.1"},
        ClientWish{.version = TLS1_1_VERSION}}) {
    const Server server;
    Client client(wish);
    server.exchange(client);
    CHECK(server.seen->failures == std::vector{Failure::protocol});
    CHECK(client.error().contains("alert"));
  }
  const Server server;
  Client client({.protocols = "\10http/1.1\2h2"});
  server.exchange(client);
  CHECK(server.seen->failures.empty());
}

TEST_CASE("What is no TLS ends the connection") {
  using namespace std::string_literals;
  for (const std::string& bytes : {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s, "GET / HTTP/1.1\r\n\r\n"s,
                                   std::string(1'000, '\0'), std::string(1'000, '\xff')}) {
    const Server server;
    server.arrives(bytes);
    CHECK(!server.receive());
    CHECK(errno == ECONNRESET);
    CHECK(server.seen->failures == std::vector{Failure::protocol});
  }
}

TEST_CASE("A changed byte of a record ends the connection") {
  const Server server;
  Client client;
  server.exchange(client);
  client.write("before");
  std::string bytes = client.outgoing();
  client.write("changed");
  std::string changed = client.outgoing();
  changed.back() ^= 1;
  server.arrives(bytes + changed);
  CHECK(server.receive() == "before");
  CHECK(!server.receive());
  CHECK(errno == ECONNRESET);
  CHECK(server.seen->breaks.size() == 1);
  client.take(server.sent());
  client.text();
  CHECK(client.error().contains("alert"));
}

TEST_CASE("The end of the connection is the end of the text") {
  Server server;
  Client client;
  server.exchange(client);
  client.write("last words");
  SECTION("with close_notify") {
    SSL_shutdown(client.ssl());
  }
  SECTION("without") {}
  server.arrives(client.outgoing());
  ::shutdown(server.peer.get(), SHUT_WR);
  CHECK(server.receive() == "last words");
  CHECK(server.receive() == "");
  CHECK(server.receive() == "");
  CHECK(server.send("answer") == 6);
  client.take(server.sent());
  CHECK(client.text() == "answer");
  CHECK(server.seen->breaks.empty());
}

TEST_CASE("A connection that ends during the handshake is counted once") {
  {
    Server server;
    Client client;
    const std::string hello = client.outgoing();
    server.arrives(hello.substr(0, hello.size() / 2));
    CHECK(!server.receive());
    CHECK(errno == EAGAIN);
    server.peer = net::Fd();
    CHECK(server.receive() == "");
    server.filter.reset();
    CHECK(server.seen->failures == std::vector{Failure::closed});
  }
  Server silent;
  silent.filter.reset();
  CHECK(silent.seen->failures == std::vector{Failure::closed});
}

TEST_CASE("The peer is told the end before the socket is shut down or closed") {
  for (const bool closes : {false, true}) {
    Server server;
    Client client;
    server.exchange(client);
    server.send("last words");
    if (closes) {
      server.filter.reset();
    } else {
      server.filter->before_shutdown();
      CHECK(server.send("too late") == -1);
      CHECK(errno == EPIPE);
      server.filter->before_shutdown();
    }
    client.take(server.sent());
    CHECK(client.text() == "last words");
    CHECK(client.is_told_the_end());
  }
}

TEST_CASE("What the kernel does not take stays, in order, until it is gone") {
  const Server server;
  Client client;
  server.exchange(client);
  const int least = 1;
  ::setsockopt(server.socket.get(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  std::string sent;
  for (int i = 0; sent.size() < 500'000; ++i) {
    const std::string part(1'000 + 777 * (i % 50), static_cast<char>('a' + i % 26));
    const ssize_t count = server.send(part);
    if (count > 0) {
      sent += part.substr(0, static_cast<std::size_t>(count));
    } else {
      REQUIRE(errno == EAGAIN);
      client.take(server.sent());
      boundary::after_polling();  // The peer has read, which ends epoll_wait.
    }
  }
  std::string arrived;
  for (std::string more = server.sent(); !more.empty(); more = server.sent()) {
    client.take(more);
    boundary::after_polling();
  }
  CHECK(client.text() == sent);
  CHECK(server.send("again") == 5);
}

TEST_CASE("What a round sends is one record, also when the kernel takes it in pieces") {
  Server server;
  Client client;
  server.exchange(client);
  const auto coalesced =
      std::make_unique<boundary::CoalescingFilter>(server.socket.get(), std::move(server.filter));
  const auto send = [&](std::string text) {
    iovec piece{text.data(), text.size()};
    const msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
    return coalesced->send(server.socket.get(), message, MSG_NOSIGNAL);
  };
  std::thread([&] {
    boundary::before_polling();
    send("a");
    send("b");
    boundary::before_polling();
    client.take(server.sent());
    for (int i = 0; i < 20; ++i) CHECK(send("twenty") == 6);
    CHECK(server.sent().empty());
    boundary::before_polling();
    const std::string record = server.sent();
    CHECK(record.size() < 20 * 6 + 40);
    client.take(record);
    CHECK(client.text().size() == 2 + 20 * 6);

    const int least = 1;
    ::setsockopt(server.socket.get(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    std::string expected;
    std::string arrived;
    for (int round = 0; round < 50; ++round) {
      for (int i = 0; i < 20; ++i) {
        const std::string part(613, static_cast<char>('a' + round % 26));
        if (send(part) == 613) expected += part;
      }
      boundary::before_polling();
      if (round % 3 == 0) client.take(server.sent());
      boundary::after_polling();
    }
    for (std::string more = server.sent(); !more.empty(); more = server.sent()) {
      client.take(more);
      boundary::after_polling();
    }
    CHECK(client.text() == expected);
  }).join();
}

TEST_CASE("A peer that sends records without text is cut") {
  const Server server;
  Client client;
  server.exchange(client);
  std::size_t sent = 0;
  while (server.seen->breaks.empty() && sent < 4 * silent_bytes_max) {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client.ssl());
    const std::string update = client.outgoing();
    sent += update.size();
    server.arrives(update);
    if (server.receive()) break;
    client.take(server.sent());
    client.text();
  }
  CHECK(server.seen->breaks == std::vector<std::string>{"records without data"});
  CHECK(sent >= silent_bytes_max);
  CHECK(!server.receive());
  CHECK(errno == ECONNRESET);
}

TEST_CASE("KeyUpdates between text are no reason to cut") {
  const Server server;
  Client client;
  server.exchange(client);
  for (int i = 0; i < 5'000; ++i) {
    SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    client.write("x");
    server.arrives(client.outgoing());
    REQUIRE(server.receive() == "x");
    REQUIRE(server.send("y") == 1);
    client.take(server.sent());
    REQUIRE(client.text() == "y");
  }
}

TEST_CASE("One thread may read while another writes") {
  const Server server;
  Client client;
  server.exchange(client);
  constexpr int rounds = 2'000;
  std::jthread writing([&] {
    for (int i = 0; i < rounds;) {
      if (server.send("reply") == 5) ++i;
    }
  });
  std::size_t received = 0;
  std::size_t replies = 0;
  for (int i = 0; i < rounds || replies < 5 * rounds || received < 7 * rounds; ++i) {
    if (i < rounds) client.write("request");
    const std::string bytes = client.outgoing();
    if (!bytes.empty()) server.arrives(bytes);
    while (const auto text = server.receive()) received += text->size();
    client.take(server.sent());
    replies += client.text().size();
    boundary::after_polling();
  }
  CHECK(received == 7 * rounds);
  CHECK(replies == 5 * rounds);
}
