#include "core/server/listed.hpp"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>

#include "core/server/metrics.hpp"
#include "core/server/server.hpp"

namespace rps::server {

Listed::Listed(const Directory::Register& registers, const std::string& url, Server& server,
               Metrics& metrics, spdlog::logger& log)
    : url_(url),
      log_(log),
      registry_(std::make_shared<prometheus::Registry>()),
      registered_(&prometheus::BuildGauge()
                       .Name("rps_registered")
                       .Help("Whether the server is on the list of --register.")
                       .Register(*registry_)
                       .Add({})),
      failures_(&prometheus::BuildCounter()
                     .Name("rps_registration_failures_total")
                     .Help("Attempts to be on the list of --register that failed.")
                     .Register(*registry_)
                     .Add({})) {
  metrics.add(registry_);
  registration_ = registers({.url = url,
                             .answers = [&server] { return server.answers(); },
                             .tell = [this](const Entry::State& state) { take(state); }});
}

Listed::~Listed() {
  registration_->withdraw();
}

void Listed::take(const Entry::State& state) {
  registered_->Set(state.is_listed ? 1 : 0);
  if (!state.failure.empty()) {
    failures_->Increment();
    if (state.failure != last_.failure || state.is_listed != last_.is_listed) {
      log_.warn("registration of {}: {}{}", url_, state.failure,
                state.is_listed ? "" : "; it is not on the list");
    }
  } else if (state.is_listed) {
    log_.info("registered {}", url_);
  } else {
    log_.info("no longer registered: {}", url_);
  }
  last_ = state;
}

}  // namespace rps::server
