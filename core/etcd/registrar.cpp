#include "core/etcd/registrar.hpp"

#include <algorithm>
#include <condition_variable>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/etcd/connection.hpp"
#include "core/etcd/limits.hpp"
#include "core/url.hpp"
#include "etcd.grpc.pb.h"

namespace rps::etcd {

namespace pb = etcdserverpb;

// ---- Calls to etcd -------------------------------------------------------------------------

class EtcdRegistrar::Leases {
 public:
  explicit Leases(const std::string& address)
      : channel_(connect(address)), keys_(channel_), leases_(channel_) {}

  // Puts the key under a lease of its own.
  grpc::Status register_anew(Registration& registration) {
    pb::LeaseGrantResponse granted;
    const grpc::Status status = grant(granted);
    if (!status.ok()) return status;
    registration.lease = granted.id();
    grpc::ClientContext context;
    limit_time(context);
    pb::PutRequest request;
    request.set_key(registration.key);
    request.set_value(registration.url);
    request.set_lease(registration.lease);
    pb::PutResponse response;
    return keys_.Put(&context, request, &response);
  }

  // The seconds that the lease has now: 0 when etcd does not know it. Nothing without an answer.
  std::optional<std::int64_t> renew(std::int64_t lease) {
    grpc::ClientContext context;
    limit_time(context);
    const auto stream = leases_.LeaseKeepAlive(&context);
    pb::LeaseKeepAliveRequest request;
    request.set_id(lease);
    pb::LeaseKeepAliveResponse response;
    const bool answered = stream->Write(request) && stream->WritesDone() && stream->Read(&response);
    context.TryCancel();
    stream->Finish();
    return answered ? std::optional(response.ttl()) : std::nullopt;
  }

  grpc::Status revoke(std::int64_t lease) {
    grpc::ClientContext context;
    limit_time(context);
    pb::LeaseRevokeRequest request;
    request.set_id(lease);
    pb::LeaseRevokeResponse response;
    return leases_.LeaseRevoke(&context, request, &response);
  }

 private:
  grpc::Status grant(pb::LeaseGrantResponse& granted) {
    grpc::ClientContext context;
    limit_time(context);
    pb::LeaseGrantRequest request;
    request.set_ttl(limits::lease.count());
    return leases_.LeaseGrant(&context, request, &granted);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  pb::KV::Stub keys_;
  pb::Lease::Stub leases_;
};

// ---- The registrar -------------------------------------------------------------------------

EtcdRegistrar::EtcdRegistrar(const std::string& address, std::string prefix)
    : prefix_(std::move(prefix)),
      leases_(std::make_unique<Leases>(address)),
      thread_([this](const std::stop_token& stop) { keep(stop); }) {}

EtcdRegistrar::~EtcdRegistrar() {
  thread_.request_stop();
  thread_.join();
  for (const Registration& registration : registrations_) leases_->revoke(registration.lease);
}

void EtcdRegistrar::add(const std::string& service, const std::string& url) {
  Registration registration{.key = key_of(service, url), .url = url};
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(registrations_, registration.key, &Registration::key) !=
      registrations_.end()) {
    return;
  }
  const grpc::Status status = leases_->register_anew(registration);
  if (!status.ok()) {
    throw std::runtime_error("etcd does not register " + url + ": " + status.error_message());
  }
  registrations_.push_back(std::move(registration));
}

void EtcdRegistrar::remove(const std::string& service, const std::string& url) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(registrations_, key_of(service, url), &Registration::key);
  if (found == registrations_.end()) return;
  const grpc::Status status = leases_->revoke(found->lease);
  if (!status.ok() && status.error_code() != grpc::StatusCode::NOT_FOUND) {
    throw std::runtime_error("etcd does not remove " + url + ": " + status.error_message());
  }
  registrations_.erase(found);
}

std::string EtcdRegistrar::key_of(const std::string& service, const std::string& url) const {
  const auto parsed = parse_url(url);
  if (!parsed || parsed->host.empty() || parsed->port == 0) {
    throw std::invalid_argument("no URL with host and port: " + url);
  }
  return keys_of(prefix_, service) + to_string(HostPort{parsed->host, parsed->port});
}

void EtcdRegistrar::renew_all() {
  const std::lock_guard lock(mutex_);
  for (Registration& registration : registrations_) {
    if (leases_->renew(registration.lease) == 0) leases_->register_anew(registration);
  }
}

void EtcdRegistrar::keep(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  constexpr std::chrono::milliseconds period = limits::lease;
  while (true) {
    stopped.wait_for(lock, stop, period / 3, [] { return false; });
    if (stop.stop_requested()) return;
    renew_all();
  }
}

}  // namespace rps::etcd
