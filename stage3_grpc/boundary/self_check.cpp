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

// Whether the peer has closed its end. Discards what it has sent.
bool is_closed_by_peer(const net::Fd& client) {
  std::array<char, 1024> scrap{};
  ssize_t count = 0;
  do {
    count = ::recv(client.get(), scrap.data(), scrap.size(), 0);
  } while (count > 0);
  return count == 0 || errno == ECONNRESET;
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
  if (::send(client.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) != size ||
      ::shutdown(client.get(), SHUT_WR) != 0) {
    return SelfCheck::no_connection;
  }
  const auto seen = std::make_shared<Seen>();
  attach(server.get(), std::make_unique<Probe>(seen));
  take(std::move(server));
  const Clock::time_point deadline = Clock::now() + patience;
  while (!seen->is_all()) {
    // The filter sees a close before the peer does.
    if (is_closed_by_peer(client) && !seen->is_all()) return SelfCheck::bypassed;
    if (Clock::now() >= deadline) return SelfCheck::not_served;
    std::this_thread::sleep_for(pause);
  }
  return SelfCheck::in_place;
}

}  // namespace rps::rpc::boundary
