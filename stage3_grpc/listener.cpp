#include "stage3_grpc/listener.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <poll.h>
#include <spdlog/logger.h>
#include <sys/socket.h>

#include "core/net/listen.hpp"
#include "core/server/descriptors.hpp"
#include "core/server/limits.hpp"

namespace rps::rpc {

Listener::Listener(const HostPort& address, std::size_t connections_max, server::Metrics& metrics,
                   spdlog::logger& log)
    : address_(address),
      connections_max_(server::reserve_descriptors(connections_max, log)),
      metrics_(metrics),
      log_(log),
      socket_(net::listen_on(address, net::PortSharing::no)) {
  address_.port = net::port_of(socket_);
}

Listener::~Listener() {
  stop();
}

void Listener::start(Take take) {
  take_ = std::move(take);
  first_ = static_cast<std::size_t>(net::Fd(::dup(socket_.get())).get());
  thread_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

void Listener::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  ::shutdown(socket_.get(), SHUT_RDWR);  // Wakes poll().
  thread_.join();
  socket_ = net::Fd();
}

// Whatever accept() fails for concerns one connection or passes.
void Listener::accept_all(const std::stop_token& stop) {
  bool was_accepting = true;
  while (!stop.stop_requested()) {
    const bool is_accepting = accept_one();
    if (stop.stop_requested()) return;
    if (was_accepting && !is_accepting) {
      log_.warn("cannot accept: {}", std::system_category().message(errno));
    }
    if (!is_accepting) std::this_thread::sleep_for(server::limits::accept_backoff);
    was_accepting = is_accepting;
  }
}

// The system gives each new descriptor the lowest free number: one as high as the limit says that
// as many are open. gRPC tells nobody when it closes a connection, so nothing else could be
// counted. It is waited for with poll() because a waiting accept() would have taken its number
// beforehand.
bool Listener::accept_one() {
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, -1) < 0) return errno == EINTR;
  net::Fd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection) return errno == EINTR || errno == EAGAIN || errno == ECONNABORTED;
  if (static_cast<std::size_t>(connection.get()) >= first_ + connections_max_) {
    metrics_.connection_refused();
    return true;
  }
  take_(std::move(connection));
  return true;
}

}  // namespace rps::rpc
