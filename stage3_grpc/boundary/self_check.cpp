#include "stage3_grpc/boundary/self_check.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/socket.h>

#include "core/clock.hpp"
#include "stage3_grpc/boundary/socket_calls.hpp"

namespace rps::rpc::boundary {

namespace {

using namespace std::string_view_literals;

// The preface of HTTP/2 and an empty SETTINGS frame.
constexpr auto greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"sv;

constexpr std::chrono::milliseconds pause{1};

struct Seen {
  bool is_all() const { return received && sent && closed; }

  std::atomic<bool> received{false};
  std::atomic<bool> sent{false};
  std::atomic<bool> closed{false};
};

class Probe final : public SocketFilter {
 public:
  explicit Probe(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
  ~Probe() override { seen_->closed = true; }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  ssize_t receive(int fd, msghdr& message, int flags) override {
    seen_->received = true;
    return receive_from_kernel(fd, message, flags);
  }

  ssize_t send(int fd, const msghdr& message, int flags) override {
    seen_->sent = true;
    return send_to_kernel(fd, message, flags);
  }

 private:
  const std::shared_ptr<Seen> seen_;  // gRPC may close its end after the check has given up.
};

struct Heard {
  bool something = false;
  bool end = false;
};

// What the peer has sent, which is discarded, and whether it has closed its end.
Heard hear(const net::Fd& client) {
  std::array<char, 1024> scrap{};
  Heard heard;
  ssize_t count = 0;
  while ((count = ::recv(client.get(), scrap.data(), scrap.size(), 0)) > 0) heard.something = true;
  heard.end = count == 0 || errno == ECONNRESET;
  return heard;
}

}  // namespace

SelfCheck check_boundary(const std::function<void(net::Fd connection)>& take,
                         std::chrono::milliseconds patience) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return SelfCheck::no_connection;
  }
  const net::Fd client(ends[0]);
  net::Fd server(ends[1]);
  const auto size = static_cast<ssize_t>(greeting.size());
  if (::send(client.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) != size) {
    return SelfCheck::no_connection;
  }
  const auto seen = std::make_shared<Seen>();
  attach(server.get(), std::make_unique<Probe>(seen));
  take(std::move(server));
  const Clock::time_point deadline = Clock::now() + patience;
  bool is_over = false;
  while (!seen->is_all()) {
    const Heard heard = hear(client);
    // gRPC shuts a socket down before it closes it, so the close may still be to come.
    is_over = is_over || heard.end;
    if (seen->closed && !seen->is_all()) return SelfCheck::bypassed;
    // At an earlier end gRPC might close without having sent anything.
    if (heard.something) ::shutdown(client.get(), SHUT_WR);
    if (Clock::now() >= deadline) return is_over ? SelfCheck::bypassed : SelfCheck::not_served;
    std::this_thread::sleep_for(pause);
  }
  return SelfCheck::in_place;
}

}  // namespace rps::rpc::boundary
