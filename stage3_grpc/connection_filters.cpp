#include "stage3_grpc/connection_filters.hpp"

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>

#include "stage3_grpc/boundary/coalescer.hpp"
#include "stage3_grpc/boundary/self_check.hpp"

namespace rps::rpc {

namespace {

// Why no filter can work after such a check; `error` is the errno of one without a connection.
std::string why_off(boundary::SelfCheck check, int error) {
  switch (check) {
    case boundary::SelfCheck::in_place: break;
    case boundary::SelfCheck::bypassed:
      return "gRPC's calls of recvmsg, sendmsg and close did not come to this program's functions";
    case boundary::SelfCheck::not_served:
      return "gRPC did not serve the connection of the check in time";
    case boundary::SelfCheck::no_connection:
      return "cannot make the connection of the check: " + std::system_category().message(error);
  }
  return {};
}

}  // namespace

ConnectionFilters::ConnectionFilters(const Limits& limits, server::Metrics& metrics,
                                     spdlog::logger& log)
    : limits_(limits),
      log_(log),
      flood_guard_(limits, metrics, log),
      registry_(std::make_shared<prometheus::Registry>()),
      coalescing_gauge_(&prometheus::BuildGauge()
                             .Name("rps_write_coalescing_active")
                             .Help("Whether replies that are ready together are sent together.")
                             .Register(*registry_)
                             .Add({})) {
  metrics.add(registry_);
  if (limits.tls.is_on()) tls_.emplace(limits.tls, peers_, metrics, log);
}

void ConnectionFilters::start(const Take& take, boundary::ConnectionBudget& budget) {
  can_work_ = passes_check(take);
  if (!can_work_) budget.stop_counting();
  flood_guard_.start(can_work_);
  coalesces_writes_ = limits_.coalesces_writes && can_work_;
  coalescing_gauge_->Set(coalesces_writes_ ? 1 : 0);
  log_.info("flood guard {}, coalescing of writes {}, TLS {}",
            flood_guard_.is_active() ? "on" : "off", coalesces_writes_ ? "on" : "off",
            !tls_                    ? "off"
            : limits_.tls.ca.empty() ? "on, clients need no certificate"
                                     : "on, clients need a certificate");
}

bool ConnectionFilters::passes_check(const Take& take) {
  const boundary::SelfCheck check = boundary::check_boundary(take, limits::self_check_max);
  const int error = errno;
  if (check == boundary::SelfCheck::in_place) return true;
  const std::string reason =
      "nothing can stand between gRPC and its sockets: " + why_off(check, error);
  if (tls_) throw std::runtime_error("TLS cannot work: " + reason);
  log_.warn("{}; so {} no effect and the metric rps_connections is missing", reason,
            limits_.has_flood_guard ? "--max-connections and --idle-timeout have"
                                    : "--max-connections has");
  return false;
}

bool ConnectionFilters::attach(int fd, boundary::ConnectionBudget::Place place) {
  if (!can_work_ || fd >= boundary::filtered_descriptors_max) return !tls_;
  auto filter = tls_ ? tls_->protect(fd) : std::make_unique<boundary::SocketFilter>();
  if (coalesces_writes_) {
    filter = std::make_unique<boundary::CoalescingFilter>(fd, std::move(filter));
  }
  if (flood_guard_.is_active()) filter = flood_guard_.watch(fd, std::move(filter));
  boundary::attach(fd,
                   std::make_unique<boundary::PlaceFilter>(std::move(place), std::move(filter)));
  return true;
}

void ConnectionFilters::tick(Clock::time_point now) {
  flood_guard_.tick(now);
  if (tls_) tls_->tick(now);
}

}  // namespace rps::rpc
