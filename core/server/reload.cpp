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
      .Help("Times another text of --config was read, by what became of it.")
      .Register(registry)
      .Add({{"result", result}});
}

}  // namespace

Reload::Reload(const Settings& in_force, std::unique_ptr<ConfigSource> source, Read read,
               Metrics& metrics, spdlog::logger& log)
    : name_(in_force.config->name),
      source_(std::move(source)),
      read_(std::move(read)),
      log_(log),
      registry_(
          std::make_shared<prometheus::Registry>(prometheus::Registry::InsertBehavior::Merge)),
      accepted_(&add_counter(*registry_, "accepted")),
      rejected_(&add_counter(*registry_, "rejected")),
      successful_(&add_gauge(*registry_, "rps_config_last_reload_successful",
                             "Whether the text of --config as it was last read is in force.")),
      success_time_(&add_gauge(*registry_, "rps_config_last_reload_success_timestamp_seconds",
                               "When the flags that are in force were read.")),
      current_(&add_gauge(*registry_, "rps_config_source_current",
                          "Whether what --config names can be read, so that changes are noticed.")),
      values_(in_force.values) {
  successful_->Set(1);
  current_->Set(1);
  success_time_->SetToCurrentTime();
  metrics.add(registry_);
}

Reload::~Reload() = default;

void Reload::poll(Clock::time_point now) {
  const bool has_changed = source_->poll(now);
  current_->Set(source_->is_current() ? 1 : 0);
  if (has_changed) take();
}

void Reload::reload() {
  const bool is_to_take = source_->reread();
  current_->Set(source_->is_current() ? 1 : 0);
  if (!is_to_take) return log_.debug("{} has not changed", name_);
  take();
}

void Reload::take() {
  const auto changed = put_in_force(source_->text());
  successful_->Set(changed ? 1 : 0);
  if (!changed) {
    source_->reject();
    rejected_->Increment();
    log_.error("{} is rejected, all flags stay as they were: {}", name_, changed.error());
    return;
  }
  accepted_->Increment();
  success_time_->SetToCurrentTime();
  log_.info("{} is in force; changed: {}", name_, changed->empty() ? "nothing" : *changed);
}

// Returns what has changed, or why nothing has.
std::expected<std::string, std::string> Reload::put_in_force(const ConfigSource::Text& text) {
  if (!text) return std::unexpected("it " + text.error());
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
