#include "stage3_grpc/boundary/cut_counters.hpp"

#include <cstddef>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "core/net/address.hpp"

namespace rps::rpc::boundary {

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
  std::string peer = net::peer_text(fd);
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
