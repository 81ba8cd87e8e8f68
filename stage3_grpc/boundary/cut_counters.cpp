#include "stage3_grpc/boundary/cut_counters.hpp"

#include <cstddef>

#include <netdb.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <sys/socket.h>

#include "core/number.hpp"
#include "core/url.hpp"

namespace rps::rpc::boundary {

namespace {

std::string peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (::getpeername(fd, name, &size) != 0 ||
      ::getnameinfo(name, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "a peer that has gone";
  }
  return to_string(
      HostPort{.host = host.data(), .port = parse_number<std::uint16_t>(port.data()).value_or(0)});
}

}  // namespace

CutCounters::CutCounters() : registry_(std::make_shared<prometheus::Registry>()) {
  auto& family = prometheus::BuildCounter()
                     .Name("rps_connections_cut_total")
                     .Help("Connections the server ended on its own.")
                     .Register(*registry_);
  for (const Breach breach : all_breaches) {
    counters_[static_cast<std::size_t>(breach)] =
        &family.Add({{"reason", std::string(to_string(breach))}});
  }
}

void CutCounters::count(Breach breach, int fd) {
  std::string peer = peer_of(fd);
  {
    const std::scoped_lock lock(mutex_);
    last_peer_.swap(peer);
  }
  counters_[static_cast<std::size_t>(breach)]->Increment();
}

CutCounts CutCounters::counts() const {
  CutCounts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = static_cast<std::uint64_t>(counters_[i]->Value());
  }
  return counts;
}

std::string CutCounters::last_peer() const {
  const std::scoped_lock lock(mutex_);
  return last_peer_;
}

}  // namespace rps::rpc::boundary
