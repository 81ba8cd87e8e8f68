#include "core/server/reload.hpp"

#include <cassert>
#include <cstddef>
#include <exception>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>

#include "core/clock.hpp"
#include "core/server/limits.hpp"

namespace rps::server {

namespace {

using Values = std::vector<flags::FlagValue>;

// The flags that differ and are reloadable, or are not, in the form "--log-level from info to
// debug, --drain from 5s to 6s". REQUIRES: both are readings of the same flags.
std::string changes(const Values& before, const Values& after, bool is_reloadable) {
  assert(before.size() == after.size());
  const auto shown = [](const std::string& value) { return value.empty() ? "none" : value; };
  std::string text;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].value == after[i].value || after[i].is_reloadable != is_reloadable) continue;
    text += (text.empty() ? "" : ", ") + after[i].name + " from " + shown(before[i].value) +
            " to " + shown(after[i].value);
  }
  return text;
}

prometheus::Gauge& add_gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Counter& add_counter(prometheus::Registry& registry, const char* result) {
  return prometheus::BuildCounter()
      .Name("rps_config_reloads_total")
      .Help("Times another text of the file of --config was read, by what became of it.")
      .Register(registry)
      .Add({{"result", result}});
}

}  // namespace

Reload::Reload(const Settings& in_force, Read read, Metrics& metrics, spdlog::logger& log)
    : path_(in_force.config->path),
      read_(std::move(read)),
      log_(log),
      registry_(
          std::make_shared<prometheus::Registry>(prometheus::Registry::InsertBehavior::Merge)),
      accepted_(&add_counter(*registry_, "accepted")),
      rejected_(&add_counter(*registry_, "rejected")),
      successful_(&add_gauge(*registry_, "rps_config_last_reload_successful",
                             "Whether the file of --config as it was last read is in force.")),
      success_time_(&add_gauge(*registry_, "rps_config_last_reload_success_timestamp_seconds",
                               "When the flags that are in force were read.")),
      text_(
          {path_}, [path = path_] { return read_config(path); },
          {.look_period = limits::config_look_period}, Clock::now(), in_force.config->text),
      values_(in_force.values) {
  successful_->Set(1);
  success_time_->SetToCurrentTime();
  metrics.add(registry_);
}

Reload::~Reload() = default;

void Reload::poll(Clock::time_point now) {
  if (text_.poll(now)) take();
}

void Reload::reload() {
  if (!text_.reread()) return log_.debug("{} has not changed", path_);
  take();
}

void Reload::take() {
  const auto changed = put_in_force(text_.content());
  successful_->Set(changed ? 1 : 0);
  if (!changed) {
    text_.reject();
    rejected_->Increment();
    log_.error("{} is rejected, all flags stay as they were: {}", path_, changed.error());
    return;
  }
  accepted_->Increment();
  success_time_->SetToCurrentTime();
  log_.info("{} is in force; changed: {}", path_, changed->empty() ? "nothing" : *changed);
}

// Returns what has changed, or why nothing has.
std::expected<std::string, std::string> Reload::put_in_force(const Text& text) {
  if (!text) return std::unexpected("the file " + text.error());
  try {
    auto candidate = read_(*text);
    if (!candidate) return std::unexpected(candidate.error());
    const std::string fixed = changes(values_, candidate->values, false);
    if (!fixed.empty()) {
      return std::unexpected("only a restart of the server can change " + fixed);
    }
    std::string changed = changes(values_, candidate->values, true);
    if (!changed.empty()) candidate->apply();
    values_ = std::move(candidate->values);
    return changed;
  } catch (const std::exception& error) {
    return std::unexpected(error.what());
  }
}

}  // namespace rps::server
