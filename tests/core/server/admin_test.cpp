#include "core/server/admin.hpp"

#include <stdexcept>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/server/limits.hpp"
#include "tests/catch.hpp"

namespace rps::server {

namespace {

constexpr int patience_seconds = 30;  // Reached only when something hangs.

// A bare blocking connection: it can say what no HTTP library would.
class Peer {
 public:
  Peer() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {}
  explicit Peer(const Admin& admin) : Peer() { connect(admin); }

  void connect(const Admin& admin) {
    const Url url = *parse_url(admin.url());
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(url.port), .sin_addr = {}};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = patience_seconds, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::connect(fd_.get(), generic, sizeof address) == 0);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Reads until the other side closes, or until `end` has come `times` times.
  std::string receive(std::string_view end = {}, std::size_t times = 1) {
    std::string text;
    std::array<char, 4096> buffer;
    for (;;) {
      std::size_t seen = 0;
      for (std::size_t at = 0; !end.empty() && (at = text.find(end, at)) != text.npos; ++at) ++seen;
      if (!end.empty() && seen >= times) return text;
      const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) {
        closed_well_ = size == 0;
        return text;
      }
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  bool closed_well() const { return closed_well_; }

 private:
  net::Fd fd_;
  bool closed_well_ = false;
};

std::string ask(const Admin& admin, const std::string& bytes) {
  Peer peer(admin);
  peer.send(bytes);
  const std::string answer = peer.receive();
  CHECK(peer.closed_well());
  return answer;
}

std::string ask(const Admin& admin, const std::string& method, const std::string& target) {
  return ask(admin, method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

struct Fixture {
  Admin admin{{.host = "127.0.0.1", .port = 0}, net::HostNames({"x"}), [] {
                return std::string("rps_up 1\n");
              }};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the admin port answers its three paths") {
  CHECK(admin.url().starts_with("http://127.0.0.1:"));
  const std::string health = ask(admin, "GET", "/healthz");
  CHECK(health.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(health.contains("Content-Type: text/plain; charset=utf-8\r\n"));
  CHECK(body_of(health) == "ok\n");
  const std::string metrics = ask(admin, "GET", "/metrics");
  CHECK(metrics.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(metrics.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  CHECK(body_of(metrics) == "rps_up 1\n");
  CHECK(ask(admin, "GET", "/healthz?verbose=1").starts_with("HTTP/1.1 200 "));
}

TEST_CASE_METHOD(Fixture, "readiness is what it was set to, and false at first") {
  CHECK(ask(admin, "GET", "/readyz").starts_with("HTTP/1.1 503 "));
  admin.set_ready(true);
  CHECK(ask(admin, "GET", "/readyz").starts_with("HTTP/1.1 200 "));
  admin.set_ready(false);
  CHECK(ask(admin, "GET", "/readyz").starts_with("HTTP/1.1 503 "));
}

TEST_CASE_METHOD(Fixture, "HEAD is GET without the body") {
  const std::string answer = ask(admin, "HEAD", "/metrics");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.contains("Content-Length: 9\r\n"));
  CHECK(body_of(answer).empty());
}

TEST_CASE_METHOD(Fixture, "other paths are 404, other methods 405") {
  CHECK(ask(admin, "GET", "/").starts_with("HTTP/1.1 404 "));
  CHECK(ask(admin, "GET", "/healthz/").starts_with("HTTP/1.1 404 "));
  CHECK(ask(admin, "POST", "/nothing").starts_with("HTTP/1.1 404 "));
  for (const char* method : {"POST", "PUT", "DELETE", "TRACE"}) {
    const std::string answer = ask(admin, method, "/healthz");
    INFO(method);
    CHECK(answer.starts_with("HTTP/1.1 405 "));
    CHECK(answer.contains("Allow: GET, HEAD, OPTIONS\r\n"));
  }
  for (const char* target : {"*", "/healthz"}) {
    CHECK(ask(admin, "OPTIONS", target).starts_with("HTTP/1.1 204 "));
  }
  CHECK(ask(admin, "BREW", "/healthz").starts_with("HTTP/1.1 501 "));
}

TEST_CASE_METHOD(Fixture, "what is no HTTP is answered with 400 and closed") {
  const std::vector<std::string> garbage{
      "\x16\x03\x01\x02\x01",
      "\r\n\n",
      "GET\r\n\r\n",
      "GET /healthz HTTP/9.9\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nbad header\r\n\r\n",
      std::string(100'000, '\xff'),
      "POST /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST /healthz HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"};
  for (const std::string& bytes : garbage) {
    INFO(bytes.substr(0, 50));
    CHECK(ask(admin, bytes).starts_with("HTTP/1.1 400 "));
  }
}

TEST_CASE_METHOD(Fixture, "headers and bodies are limited") {
  const auto with_line_of = [](std::size_t bytes) {
    const std::string rest = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    return "GET /" + std::string(bytes - 5 - rest.size(), 'x') + rest;
  };
  CHECK(ask(admin, with_line_of(limits::admin_header_bytes_max)).starts_with("HTTP/1.1 404 "));
  CHECK(ask(admin, with_line_of(limits::admin_header_bytes_max + 1)).starts_with("HTTP/1.1 431 "));

  const auto with_fields_of = [](std::size_t bytes) {
    std::string text = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    while (text.size() < bytes - 20) text += "A: b\r\n";
    return text + "C: " + std::string(bytes - text.size() - 7, 'x') + "\r\n\r\n";
  };
  CHECK(ask(admin, with_fields_of(limits::admin_header_bytes_max)).starts_with("HTTP/1.1 200 "));
  CHECK(
      ask(admin, with_fields_of(limits::admin_header_bytes_max + 1)).starts_with("HTTP/1.1 431 "));
  CHECK(ask(admin, with_fields_of(60'000)).starts_with("HTTP/1.1 431 "));

  const auto with_body_of = [](std::size_t bytes) {
    return "POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
           std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'x');
  };
  CHECK(ask(admin, with_body_of(limits::admin_body_bytes_max)).starts_with("HTTP/1.1 405 "));
  CHECK(ask(admin, with_body_of(limits::admin_body_bytes_max + 1)).starts_with("HTTP/1.1 413 "));
}

TEST_CASE_METHOD(Fixture, "one client's half a request does not keep others waiting") {
  Peer slow(admin);
  slow.send("GET /healthz HT");
  Peer silent(admin);
  CHECK(ask(admin, "GET", "/healthz").starts_with("HTTP/1.1 200 "));
  slow.send("TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(slow.receive().starts_with("HTTP/1.1 200 "));
}

TEST_CASE_METHOD(Fixture, "a connection carries many requests, pipelined or in pieces") {
  Peer peer(admin);
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string many;
  for (int i = 0; i < 500; ++i) many += request;
  peer.send(many);
  CHECK(peer.receive("rps_up 1\n", 500).ends_with("rps_up 1\n"));
  for (const char byte : request) peer.send({&byte, 1});
  CHECK(peer.receive("rps_up 1\n").ends_with("rps_up 1\n"));
}

TEST_CASE_METHOD(Fixture, "HTTP/1.0 is answered and closed") {
  CHECK(body_of(ask(admin, "GET /healthz HTTP/1.0\r\n\r\n")) == "ok\n");
}

TEST_CASE_METHOD(Fixture, "of too many connections the one that waits longest gives way") {
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < limits::admin_connections_max; ++i) {
    peers.emplace_back(admin).send(request);
    REQUIRE(peers.back().receive("ok\n").ends_with("ok\n"));
  }
  // The first is answered once more, so the second has waited longest now.
  peers[0].send(request);
  REQUIRE(peers[0].receive("ok\n").ends_with("ok\n"));
  Peer late(admin);
  late.send(request);
  CHECK(late.receive("ok\n").ends_with("ok\n"));
  CHECK(peers[1].receive().empty());
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (i == 1) continue;
    peers[i].send(request);
    CHECK(peers[i].receive("ok\n").ends_with("ok\n"));
  }
}

TEST_CASE_METHOD(Fixture, "connections that say nothing, or half a request, keep nobody out") {
  for (const std::string_view beginning : {"", "GET /healthz HT"}) {
    std::vector<Peer> peers;
    for (std::size_t i = 0; i < 3 * limits::admin_connections_max; ++i) {
      peers.emplace_back(admin).send(beginning);
      if (i % 16 == 0) CHECK(ask(admin, "GET", "/healthz").starts_with("HTTP/1.1 200 "));
    }
    for (int i = 0; i < 10; ++i) {
      for (Peer& peer : peers) peer.send(beginning.substr(0, 1));
      CHECK(ask(admin, "GET", "/healthz").starts_with("HTTP/1.1 200 "));
    }
  }
}

// Leaves the process no descriptor but those that are open, until it goes.
class NoDescriptors {
 public:
  NoDescriptors() {
    int last = ::dup(STDIN_FILENO);
    for (int fd = last; fd >= 0; fd = ::dup(STDIN_FILENO)) {
      fillers_.emplace_back(fd);
      last = fd;
      if (fillers_.size() == gaps_max) break;
    }
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit now{.rlim_cur = static_cast<rlim_t>(last) + 1, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  static constexpr std::size_t gaps_max = 100;  // More than earlier tests can have left.

  std::vector<net::Fd> fillers_;
  rlimit before_{};
};

TEST_CASE_METHOD(Fixture, "without a free descriptor each newcomer is served all the same") {
  std::vector<Peer> peers(5);  // Have their descriptors already.
  const NoDescriptors none;
  REQUIRE(::dup(STDIN_FILENO) < 0);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    peers[i].connect(admin);
    const bool closes = i % 2 == 1;  // The others stay open and silent, and give way.
    peers[i].send(closes ? "GET /healthz HTTP/1.0\r\n\r\n"
                         : "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(body_of(peers[i].receive("ok\n")) == "ok\n");
  }
}

TEST_CASE_METHOD(Fixture, "the port outlives a time without free descriptors") {
  Peer peer;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  peer.connect(admin);
  peer.send("GET /healthz HTTP/1.0\r\n\r\n");
  std::this_thread::sleep_for(2 * limits::accept_backoff);  // Accepting fails meanwhile.
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(body_of(peer.receive()) == "ok\n");
}

TEST_CASE("metrics that throw are a 500, and the port lives on") {
  const Admin admin({.host = "127.0.0.1", .port = 0}, net::HostNames({"x"}),
                    []() -> std::string { throw std::runtime_error("no"); });
  CHECK(ask(admin, "GET", "/metrics").starts_with("HTTP/1.1 500 "));
  CHECK(ask(admin, "GET", "/healthz").starts_with("HTTP/1.1 200 "));
}

TEST_CASE_METHOD(Fixture, "an address that cannot be had is told in a sentence") {
  const HostPort taken{.host = "127.0.0.1", .port = parse_url(admin.url())->port};
  CHECK_THROWS_WITH(Admin(taken, net::HostNames({}), [] { return std::string(); }),
                    Catch::Contains("admin port") && Catch::Contains("in use"));
  CHECK_THROWS_AS(Admin({.host = "no such host.invalid", .port = 0}, net::HostNames({}), {}),
                  std::exception);
}

TEST_CASE("the admin port closes with open connections and half requests") {
  auto fixture = std::make_unique<Fixture>();
  Peer half(fixture->admin);
  half.send("GET /he");
  Peer idle(fixture->admin);
  fixture.reset();
  CHECK(half.receive().empty());
  CHECK(idle.receive().empty());
}

}  // namespace rps::server
