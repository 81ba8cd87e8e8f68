#include "stage2_jsonrpc/counters.hpp"

#include <string>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace rps::jsonrpc {

namespace {

auto& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}  // namespace

Counters::Counters(std::size_t workers) : registry_(std::make_shared<prometheus::Registry>()) {
  auto& cuts =
      counters(*registry_, "rps_connections_cut_total", "Connections the server ended on its own.");
  for (const Cut cut : all_cuts) {
    cuts_[static_cast<std::size_t>(cut)] = &cuts.Add({{"reason", std::string(to_string(cut))}});
  }
  auto& sheds = counters(*registry_, "rps_calls_refused_total",
                         "Calls refused because there were too many of them.");
  sheds_[static_cast<std::size_t>(Shed::rate)] = &sheds.Add({{"reason", "rate"}});
  sheds_[static_cast<std::size_t>(Shed::overload)] = &sheds.Add({{"reason", "overload"}});
  reads_paused_ = &counters(*registry_, "rps_reads_paused_total",
                            "Times a connection was not read because it did not read.")
                       .Add({});
  trace_lines_dropped_ = &counters(*registry_, "rps_trace_lines_dropped_total",
                                   "Sampled calls that were too many to be logged.")
                              .Add({});
  auto& gauges = prometheus::BuildGauge()
                     .Name("rps_worker_connections")
                     .Help("Connections of each serving thread.")
                     .Register(*registry_);
  for (std::size_t i = 0; i < workers; ++i) {
    worker_connections_.push_back(&gauges.Add({{"worker", std::to_string(i)}}));
  }
}

void Counters::count(Cut cut) {
  cuts_[static_cast<std::size_t>(cut)]->Increment();
}

std::uint64_t Counters::counted(Cut cut) const {
  return static_cast<std::uint64_t>(cuts_[static_cast<std::size_t>(cut)]->Value());
}

void Counters::count(Shed shed) {
  sheds_[static_cast<std::size_t>(shed)]->Increment();
}

void Counters::count_read_paused() {
  reads_paused_->Increment();
}

void Counters::count_trace_line_dropped() {
  trace_lines_dropped_->Increment();
}

void Counters::set_worker_connections(std::size_t worker, std::size_t connections) {
  worker_connections_[worker]->Set(static_cast<double>(connections));
}

}  // namespace rps::jsonrpc
