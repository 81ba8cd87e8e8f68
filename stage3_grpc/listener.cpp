#include "stage3_grpc/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/logger.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "stage3_grpc/limits.hpp"

namespace rps::rpc {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

[[noreturn]] void refuse(const HostPort& address, const std::string& why) {
  throw std::runtime_error("cannot listen on " + to_string(address) + ": " + why);
}

Addresses resolve(const HostPort& address) {
  const addrinfo hints{.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int failure = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) refuse(address, ::gai_strerror(failure));
  return {found, &::freeaddrinfo};
}

// Without SO_REUSEPORT, so that no two servers share a port unnoticed.
runtime::Fd listen_on(const HostPort& address) {
  const Addresses found = resolve(address);
  runtime::Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
      ::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    refuse(address, std::system_category().message(errno));
  }
  return socket;
}

std::uint16_t port_of(const runtime::Fd& socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  char port[8] = "";
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
      ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, nullptr, 0, port, sizeof port,
                    NI_NUMERICSERV) != 0) {
    throw std::runtime_error("cannot read the port that was chosen");
  }
  return static_cast<std::uint16_t>(std::stoi(port));
}

// Every connection is a descriptor, so the process needs as many. Returns how many connections
// there may be with what it got.
std::size_t reserve_descriptors(std::size_t connections_max, spdlog::logger& log) {
  const rlim_t wanted = connections_max + limits::other_descriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return connections_max;
  rlimit raised = limit;
  raised.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  if (limit.rlim_cur >= wanted) return connections_max;
  const rlim_t others = std::min<rlim_t>(limits::other_descriptors, limit.rlim_cur / 2);
  log.warn("only {} connections may be open: the process may have {} descriptors",
           limit.rlim_cur - others, limit.rlim_cur);
  return limit.rlim_cur - others;
}

}  // namespace

Listener::Listener(const HostPort& address, std::size_t connections_max, runtime::Metrics& metrics,
                   spdlog::logger& log)
    : address_(address),
      connections_max_(reserve_descriptors(connections_max, log)),
      metrics_(metrics),
      log_(log),
      socket_(listen_on(address)) {
  address_.port = port_of(socket_);
}

Listener::~Listener() {
  stop();
}

void Listener::start(Take take) {
  take_ = std::move(take);
  first_ = static_cast<std::size_t>(runtime::Fd(::dup(socket_.get())).get());
  thread_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

void Listener::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  ::shutdown(socket_.get(), SHUT_RDWR);  // Wakes poll().
  thread_.join();
  socket_ = runtime::Fd();
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
    if (!is_accepting) std::this_thread::sleep_for(limits::accept_backoff);
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
  runtime::Fd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection) return errno == EINTR || errno == EAGAIN || errno == ECONNABORTED;
  if (static_cast<std::size_t>(connection.get()) >= first_ + connections_max_) {
    metrics_.connection_refused();
    return true;
  }
  take_(std::move(connection));
  return true;
}

}  // namespace rps::rpc
