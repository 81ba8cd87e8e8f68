#include "stage3_grpc/tls/reloader.hpp"

#include <chrono>
#include <ctime>
#include <stdexcept>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>

namespace rps::rpc::tls {

namespace {

constexpr std::chrono::minutes look_period{1};

}  // namespace

Reloader::Reloader(Files files, prometheus::Registry& registry, spdlog::logger& log)
    : files_(std::move(files)),
      log_(log),
      expiry_(&prometheus::BuildGauge()
                   .Name("rps_tls_certificate_expiry_seconds")
                   .Help("When the server's certificate expires, in seconds since 1970.")
                   .Register(registry)
                   .Add({})),
      looked_at_(Clock::now()) {
  auto& reloads = prometheus::BuildCounter()
                      .Name("rps_tls_reloads_total")
                      .Help("Changed certificates by whether they are served.")
                      .Register(registry);
  accepted_ = &reloads.Add({{"result", "accepted"}});
  rejected_ = &reloads.Add({{"result", "rejected"}});
  for (const std::string& path : {files_.certificate, files_.key, files_.ca}) {
    if (!path.empty()) watches_.emplace_back(path);  // Before the first look at the files.
  }
  tried_ = read(files_);
  if (!tried_) throw std::runtime_error(tried_.error());
  auto certificates = check(*tried_, std::time(nullptr));
  if (!certificates) throw std::runtime_error(certificates.error());
  publish(*std::move(certificates));
}

std::shared_ptr<SSL_CTX> Reloader::context() const {
  const std::scoped_lock lock(mutex_);
  return context_;
}

bool Reloader::reload() {
  const std::scoped_lock lock(mutex_);
  tried_ = read(files_);
  return take(tried_);
}

void Reloader::tick(Clock::time_point now) {
  if (!is_time_to_look(now)) return;
  looked_at_ = now;
  const std::scoped_lock lock(mutex_);
  Read pems = read(files_);
  if (pems == tried_) return;
  tried_ = std::move(pems);
  take(tried_);
}

bool Reloader::is_time_to_look(Clock::time_point now) {
  bool has_changed = false;
  for (net::FileWatch& watch : watches_) has_changed |= watch.poll();
  const bool was_changing = std::exchange(is_changing_, has_changed);
  return !has_changed && (was_changing || now - looked_at_ >= look_period);
}

bool Reloader::take(const Read& pems) {
  auto certificates = pems ? check(*pems, std::time(nullptr)) : std::unexpected(pems.error());
  if (!certificates) {
    rejected_->Increment();
    log_.error("the changed certificates are not served, those from before are: {}",
               certificates.error());
    return false;
  }
  publish(*std::move(certificates));
  accepted_->Increment();
  log_.info("new connections get the changed certificates");
  return true;
}

void Reloader::publish(Certificates certificates) {
  context_ = std::move(certificates.context);
  expiry_->Set(static_cast<double>(certificates.expires_at));
}

}  // namespace rps::rpc::tls
