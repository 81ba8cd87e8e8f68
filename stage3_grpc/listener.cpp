#include "stage3_grpc/listener.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <sys/socket.h>

#include "core/net/listen.hpp"
#include "core/net/thread.hpp"
#include "core/server/descriptors.hpp"
#include "core/server/limits.hpp"
#include "stage3_grpc/limits.hpp"

namespace rps::rpc {

namespace {

constexpr std::chrono::milliseconds tick_period{1'000};

// The local port of a socket; 0 when `fd` is none of TCP or UDP.
std::uint16_t local_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return 0;
}

bool is_listening(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

}  // namespace

// A descriptor that is closed meanwhile, or reused, is harmless: it is only looked at.
std::size_t count_connections(std::uint16_t port) {
  std::size_t count = 0;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failure)) {
    const std::string name = entry.path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (local_port(fd) == port && !is_listening(fd)) ++count;
  }
  return count;
}

Listener::Listener(const HostPort& address, std::size_t connections_max, server::Metrics& metrics,
                   spdlog::logger& log)
    : address_(address),
      connections_max_(server::reserve_descriptors(connections_max, log)),
      metrics_(metrics),
      log_(log),
      sockets_(net::listen_on(address, net::PortSharing::no)) {
  address_.port = net::port_of(sockets_.front());
  metrics.count_open_connections([port = address_.port] { return count_connections(port); });
}

Listener::~Listener() {
  stop();
}

void Listener::start(Take take, MakeRoom make_room, Tick tick) {
  take_ = std::move(take);
  make_room_ = std::move(make_room);
  tick_ = std::move(tick);
  ticked_at_ = Clock::now();
  first_ = static_cast<std::size_t>(net::Fd(::dup(sockets_.front().get())).get());
  thread_ = start_thread<std::jthread>([this](const std::stop_token& stop) { accept_all(stop); });
}

void Listener::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  for (const net::Fd& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);  // Wakes poll().
  thread_.join();
  sockets_.clear();
}

void Listener::accept_all(const std::stop_token& stop) {
  std::vector<pollfd> ready;
  for (const net::Fd& socket : sockets_) {
    ready.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
  }
  while (!stop.stop_requested()) {
    // poll() waits, not accept(), because accept() reserves its descriptor number before it waits.
    ::poll(ready.data(), ready.size(), static_cast<int>(tick_period.count()));
    for (std::size_t i = 0; i < ready.size(); ++i) {
      if (ready[i].revents != 0) accept_one(sockets_[i], stop);
    }
    every_second(Clock::now());
  }
}

// No error of accept() ends the loop: it concerns one connection, or it passes.
void Listener::accept_one(const net::Fd& socket, const std::stop_token& stop) {
  net::Fd connection(::accept4(socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const int error = errno;
  if (connection) return admit(std::move(connection));
  if (error == EINTR || error == EAGAIN || error == ECONNABORTED) return;
  if (!stop.stop_requested()) turn_away(socket, error);
}

void Listener::admit(net::Fd connection) {
  if (!has_place(static_cast<std::size_t>(connection.get()))) {
    return metrics_.connection_refused(server::Refusal::limit);
  }
  metrics_.connection_opened();
  take_(std::move(connection));
}

// The kernel gives each new descriptor the lowest free number, so the number of a new connection's
// descriptor says how many are open at least. (Counting the open ones anew for each connection
// would cost too much.) Past the limit there is a place only if others are about to be closed.
bool Listener::has_place(std::size_t number) {
  const std::size_t end = first_ + connections_max_;
  return number < end || (number < end + limits::places_made && make_room_());
}

// The peer that waits cannot be served: the process is out of descriptors, or the kernel of memory.
void Listener::turn_away(const net::Fd& socket, int error) {
  failed_since_tick_ = true;
  if (!std::exchange(is_failing_, true)) {
    log_.warn("cannot accept: {}", std::system_category().message(error));
  }
  make_room_();
  if (reserve_.turn_away(socket)) return metrics_.connection_refused(server::Refusal::resources);
  std::this_thread::sleep_for(server::limits::accept_backoff);
}

void Listener::every_second(Clock::time_point now) {
  if (now - ticked_at_ < tick_period) return;
  ticked_at_ = now;
  is_failing_ = std::exchange(failed_since_tick_, false);
  tick_(now);
}

}  // namespace rps::rpc
