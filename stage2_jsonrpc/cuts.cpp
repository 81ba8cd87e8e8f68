#include "stage2_jsonrpc/cuts.hpp"

#include <string>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

namespace rps::jsonrpc {

CutCounters::CutCounters() : registry_(std::make_shared<prometheus::Registry>()) {
  auto& family = prometheus::BuildCounter()
                     .Name("rps_connections_cut_total")
                     .Help("Connections the server ended on its own.")
                     .Register(*registry_);
  for (const Cut cut : all_cuts) {
    counters_[static_cast<std::size_t>(cut)] =
        &family.Add({{"reason", std::string(to_string(cut))}});
  }
}

void CutCounters::count(Cut cut) {
  counters_[static_cast<std::size_t>(cut)]->Increment();
}

}  // namespace rps::jsonrpc
