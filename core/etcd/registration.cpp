#include "core/etcd/registration.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <utility>

#include "core/clock.hpp"
#include "core/etcd/limits.hpp"
#include "core/etcd/wait.hpp"
#include "etcd.grpc.pb.h"

namespace rps::etcd {

namespace pb = etcdserverpb;

namespace {

std::string key_of(const std::string& prefix, const std::string& service, const std::string& url) {
  const auto parsed = parse_url(url);
  return keys_of(prefix, service) + to_string(HostPort{.host = parsed->host, .port = parsed->port});
}

}  // namespace

// Used by the thread alone.
class EtcdRegistration::Keeper {
 public:
  Keeper(Endpoint endpoint, std::string key, server::Entry entry)
      : key_(std::move(key)),
        entry_(std::move(entry)),
        connection_(std::move(endpoint)),
        keys_(connection_.channel()),
        leases_(connection_.channel()) {}

  void run(const std::stop_token& stop) {
    do {
      const Clock::time_point now = Clock::now();
      if (now >= probe_at_) probe();
      if (!is_well() && lease_ != 0) take_off("the server does not answer itself");
      if (is_well() && Clock::now() >= keep_at_) keep(stop);
    } while (wait_until(is_well() ? std::min(probe_at_, keep_at_) : probe_at_, stop));
    if (lease_ != 0) take_off("");
  }

 private:
  bool is_well() const { return probe_failures_ < limits::probe_failures_max; }

  void probe() {
    const bool was_well = is_well();
    probe_failures_ = entry_.answers() ? 0 : probe_failures_ + 1;
    probe_at_ = Clock::now() + limits::probe_period;
    if (!was_well && is_well()) keep_at_ = Clock::now();
  }

  // Renews the lease, or puts the key under a new one.
  void keep(const std::stop_token& stop) {
    constexpr std::chrono::milliseconds third = std::chrono::milliseconds(limits::lease) / 3;
    const Clock::time_point began = Clock::now();
    const bool had_lease = lease_ != 0;
    grpc::Status status = had_lease ? renew(stop) : grpc::Status::OK;
    if (status.ok() && lease_ == 0) {
      if (had_lease) tell("etcd does not know the lease any longer");
      status = put(stop);
    }
    if (stop.stop_requested()) return;
    if (status.ok()) kept_at_ = began;
    keep_at_ = Clock::now() + (status.ok() ? third : limits::try_again_after);
    tell(status.ok() ? "" : status.error_message());
  }

  // Leaves lease_ at 0 when etcd does not know the lease.
  grpc::Status renew(const std::stop_token& stop) {
    pb::LeaseKeepAliveResponse response;
    const grpc::Status status = connection_.call(stop, [&](grpc::ClientContext& context) {
      const auto stream = leases_.LeaseKeepAlive(&context);
      pb::LeaseKeepAliveRequest request;
      request.set_id(lease_);
      const bool is_answered =
          stream->Write(request) && stream->WritesDone() && stream->Read(&response);
      if (is_answered) context.TryCancel();  // etcd keeps the stream open otherwise.
      const grpc::Status end = stream->Finish();
      return is_answered ? grpc::Status::OK : end;
    });
    if (status.ok() && response.ttl() == 0) lease_ = 0;
    return status;
  }

  grpc::Status put(const std::stop_token& stop) {
    pb::LeaseGrantRequest wish;
    wish.set_ttl(limits::lease.count());
    pb::LeaseGrantResponse granted;
    grpc::Status status = connection_.call(stop, [&](grpc::ClientContext& context) {
      return leases_.LeaseGrant(&context, wish, &granted);
    });
    if (!status.ok()) return status;
    pb::PutRequest request;
    request.set_key(key_);
    request.set_value(entry_.url);
    request.set_lease(granted.id());
    pb::PutResponse response;
    status = connection_.call(stop, [&](grpc::ClientContext& context) {
      return keys_.Put(&context, request, &response);
    });
    if (status.ok()) {
      lease_ = granted.id();
    } else if (!stop.stop_requested()) {
      revoke(granted.id());  // The put may have been carried out although its answer is missing.
    }
    return status;
  }

  // When etcd does not answer in time, the lease stays: it is revoked with the next turn of the
  // loop, if there is one, or expires.
  void take_off(const std::string& why) {
    const grpc::Status status = revoke(lease_);
    const bool is_off = status.ok() || status.error_code() == grpc::NOT_FOUND;
    if (is_off) lease_ = 0;
    tell(is_off ? why : "the lease stays until it expires: " + status.error_message());
  }

  grpc::Status revoke(std::int64_t lease) {
    pb::LeaseRevokeRequest request;
    request.set_id(lease);
    pb::LeaseRevokeResponse response;
    return connection_.call(
        std::stop_token(),
        [&](grpc::ClientContext& context) {
          return leases_.LeaseRevoke(&context, request, &response);
        },
        limits::withdraw_max);
  }

  // Tells the state when it has changed, each failure, and the first success behind one.
  void tell(const std::string& failure) {
    const bool is_listed = lease_ != 0 && Clock::now() - kept_at_ < limits::lease;
    const bool has_changed = std::exchange(is_listed_, is_listed) != is_listed;
    const bool had_failed = std::exchange(has_failed_, !failure.empty());
    if (has_changed || had_failed || has_failed_) {
      entry_.tell({.is_listed = is_listed, .failure = failure});
    }
  }

  const std::string key_;
  const server::Entry entry_;
  Connection connection_;
  pb::KV::Stub keys_;
  pb::Lease::Stub leases_;
  std::int64_t lease_ = 0;     // 0: none.
  Clock::time_point kept_at_;  // When the latest renewal, or the put, began.
  bool is_listed_ = false;
  bool has_failed_ = false;
  int probe_failures_ = 0;  // In a row.
  Clock::time_point probe_at_;
  Clock::time_point keep_at_;
};

EtcdRegistration::EtcdRegistration(Endpoint endpoint, const std::string& prefix,
                                   const std::string& service, server::Entry entry)
    : keeper_(std::make_unique<Keeper>(std::move(endpoint), key_of(prefix, service, entry.url),
                                       std::move(entry))),
      thread_([this](const std::stop_token& stop) { keeper_->run(stop); }) {}

EtcdRegistration::~EtcdRegistration() = default;

void EtcdRegistration::withdraw() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

}  // namespace rps::etcd
