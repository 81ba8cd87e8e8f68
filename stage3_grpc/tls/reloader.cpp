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

std::expected<Certificates, std::string> checked(const std::expected<Pems, std::string>& pems) {
  return pems ? check(*pems, std::time(nullptr)) : std::unexpected(pems.error());
}

}  // namespace

Reloader::Reloader(const Files& files, prometheus::Registry& registry, spdlog::logger& log)
    : log_(log),
      expiry_(&prometheus::BuildGauge()
                   .Name("rps_tls_certificate_expiry_seconds")
                   .Help("When the server's certificate expires, in seconds since 1970.")
                   .Register(registry)
                   .Add({})),
      pems_(
          {files.certificate, files.key, files.ca}, [files] { return read(files); },
          {.look_period = look_period, .is_of_several_files = true}, Clock::now()) {
  auto& reloads = prometheus::BuildCounter()
                      .Name("rps_tls_reloads_total")
                      .Help("Changed certificates by whether they are served.")
                      .Register(registry);
  accepted_ = &reloads.Add({{"result", "accepted"}});
  rejected_ = &reloads.Add({{"result", "rejected"}});
  auto certificates = checked(pems_.content());
  if (!certificates) throw std::runtime_error(certificates.error());
  publish(*std::move(certificates));
}

std::shared_ptr<SSL_CTX> Reloader::context() const {
  const std::scoped_lock lock(mutex_);
  return context_;
}

void Reloader::reload() {
  const std::scoped_lock lock(mutex_);
  if (pems_.reread()) take(true);
}

void Reloader::tick(Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  const bool is_news = pems_.poll(now);
  if (is_news || !rejection_.empty()) take(is_news);
}

void Reloader::take(bool is_news) {
  auto certificates = checked(pems_.content());
  if (!certificates) {
    pems_.reject();
    if (!is_news && certificates.error() == rejection_) return;
    rejection_ = certificates.error();
    rejected_->Increment();
    log_.error("the changed certificates are not served, those from before are: {}", rejection_);
    return;
  }
  rejection_.clear();
  publish(*std::move(certificates));
  accepted_->Increment();
  log_.info("new connections get the changed certificates");
}

void Reloader::publish(Certificates certificates) {
  context_ = std::move(certificates.context);
  expiry_->Set(static_cast<double>(certificates.expires_at));
}

}  // namespace rps::rpc::tls
