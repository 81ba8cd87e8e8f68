#include "stage3_grpc/flood_guard.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>

#include "stage3_grpc/boundary/accountant.hpp"

namespace rps::rpc {

namespace {

boundary::Budgets budgets_for(const Limits& limits) {
  boundary::Budgets budgets;
  budgets.unanswered_calls.max = 2 * limits.streams_max + limits::early_calls_max;
  budgets.cancelled_calls.max = 2 * std::max(limits.streams_max, limits::early_calls_max);
  budgets.header_bytes =
      4 * static_cast<std::uint64_t>(limits.metadata_bytes_max) + limits::header_frame_bytes;
  budgets.message_bytes = static_cast<std::uint32_t>(limits.message_bytes_max);
  budgets.unfinished_messages =
      std::max(budgets.unfinished_messages, 2 * static_cast<std::size_t>(limits.streams_max));
  return budgets;
}

}  // namespace

FloodGuard::FloodGuard(const Limits& limits, server::Metrics& metrics, spdlog::logger& log)
    : is_wanted_(limits.has_flood_guard),
      in_use_max_(limits.in_use_max),
      idle_max_(limits.idle_max),
      log_(log),
      budgets_(budgets_for(limits)),
      connections_(std::make_shared<boundary::OpenConnections>(open_calls_max(limits))),
      active_gauge_(&prometheus::BuildGauge()
                         .Name("rps_flood_guard_active")
                         .Help("Whether connections that flood the server are closed.")
                         .Register(*connections_->cuts().registry())
                         .Add({})) {
  metrics.add(connections_->cuts().registry());
}

void FloodGuard::start(bool can_work) {
  is_active_ = is_wanted_ && can_work;
  active_gauge_->Set(is_active_ ? 1 : 0);
}

std::unique_ptr<boundary::SocketFilter> FloodGuard::watch(
    int fd, std::unique_ptr<boundary::SocketFilter> socket) {
  return std::make_unique<boundary::Accountant>(fd, budgets_, connections_, std::move(socket));
}

bool FloodGuard::make_room() {
  return is_active_ &&
         connections_->close_idle(limits::places_made, Clock::now() - in_use_max_.load());
}

void FloodGuard::reconfigure(const Limits& fresh) {
  in_use_max_ = fresh.in_use_max;
  connections_->calls()->set_weight_max(open_calls_max(fresh));
}

bool FloodGuard::say_goodbye() {
  return is_active_ && connections_->say_goodbye();
}

void FloodGuard::tick(Clock::time_point now) {
  connections_->calls()->note_second();
  connections_->end_idle(now, idle_max_);
  const boundary::CutCounts counts = connections_->cuts().counts();
  if (counts != reported_) report(counts);
}

void FloodGuard::report(const boundary::CutCounts& counts) {
  std::string reasons;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == reported_[i]) continue;
    reasons += (reasons.empty() ? "" : ", ") + std::string(to_string(boundary::all_breaches[i])) +
               " " + std::to_string(counts[i] - reported_[i]);
  }
  log_.warn("closed connections: {}; the last one was from {}", reasons,
            connections_->cuts().last_peer());
  reported_ = counts;
}

}  // namespace rps::rpc
