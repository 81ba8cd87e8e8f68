#include "stage3_grpc/listener.hpp"

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

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

}  // namespace

Listener::Listener(const HostPort& address, std::size_t connections_max, server::Metrics& metrics,
                   spdlog::logger& log)
    : address_(address),
      metrics_(metrics),
      log_(log),
      sockets_(net::listen_on(address, net::PortSharing::no)),
      budget_(std::make_shared<boundary::ConnectionBudget>(
          server::reserve_descriptors(connections_max, log))) {
  address_.port = net::port_of(sockets_.front());
  metrics.count_open_connections([budget = budget_] { return budget->open(); });
}

Listener::~Listener() {
  stop();
}

void Listener::set_connections_max(std::size_t connections_max) {
  budget_->set_max(server::reserve_descriptors(connections_max, log_));
}

void Listener::start(Take take, MakeRoom make_room, Tick tick) {
  take_ = std::move(take);
  make_room_ = std::move(make_room);
  tick_ = std::move(tick);
  ticked_at_ = Clock::now();
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

// Past the limit there is a place only if others are about to be closed.
void Listener::admit(net::Fd connection) {
  auto place = budget_->take();
  if (!place && make_room_()) place = budget_->take(limits::places_made);
  if (!place) return metrics_.connection_refused(server::Refusal::limit);
  metrics_.connection_opened();
  take_(std::move(connection), std::move(*place));
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
