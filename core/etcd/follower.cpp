#include "core/etcd/follower.hpp"

#include <cstdint>
#include <stop_token>
#include <utility>

#include "core/clock.hpp"
#include "core/etcd/limits.hpp"
#include "core/etcd/wait.hpp"
#include "core/net/thread.hpp"
#include "etcd.grpc.pb.h"

namespace rps::etcd {

namespace pb = etcdserverpb;

class Follower::Reader {
 public:
  Reader(const Endpoint& endpoint, Keys keys)
      : address_(endpoint.address),
        range_(std::move(keys)),
        connection_(endpoint),
        keys_(connection_.channel()),
        watch_(connection_.channel()) {}

  // All keys as of now. The error is etcd's or gRPC's.
  std::expected<Values, std::string> read(const std::stop_token& stop) {
    pb::RangeRequest request;
    request.set_key(range_.first);
    request.set_range_end(range_.end);
    pb::RangeResponse response;
    const grpc::Status status = connection_.call(stop, [&](grpc::ClientContext& context) {
      return keys_.Range(&context, request, &response);
    });
    if (!status.ok()) return std::unexpected(status.error_message());
    has_lost_data_ = response.header().revision() < revision_;
    revision_ = response.header().revision();
    Values values;
    for (const pb::KeyValue& entry : response.kvs()) values[entry.key()] = entry.value();
    return values;
  }

  // Reads and watches until `stop`.
  void follow(const std::stop_token& stop, const Listener& listener) {
    std::string last_failure;
    while (!stop.stop_requested()) {
      auto values = read(stop);
      std::string failure = values ? "" : values.error();
      Clock::duration pause = limits::read_again_after;
      if (values && has_lost_data_) {
        failure = "it has lost its data and is read again in " +
                  std::to_string(limits::lease.count()) + " s";
        pause = limits::lease;
      } else if (values) {
        last_failure.clear();
        listener.take(*values);
        failure = watch(stop, *values, listener);
      }
      if (stop.stop_requested()) return;
      if (failure != last_failure) {
        listener.lose_track("etcd at " + to_string(address_) + ": " + failure);
      }
      last_failure = std::move(failure);
      if (!wait_until(Clock::now() + pause, stop)) return;
    }
  }

 private:
  // Follows the changes since read(). Returns why the watch ended.
  std::string watch(const std::stop_token& stop, Values& values, const Listener& listener) {
    grpc::ClientContext context;
    if (const auto status = connection_.authorize(context, stop); !status.ok()) {
      return status.error_message();
    }
    // A member that has lost the others ends the watch then, instead of hearing nothing.
    context.AddMetadata("hasleader", "true");
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    const auto stream = watch_.Watch(&context);
    pb::WatchRequest request;
    pb::WatchCreateRequest& create = *request.mutable_create_request();
    create.set_key(range_.first);
    create.set_range_end(range_.end);
    create.set_start_revision(revision_ + 1);
    stream->Write(request);
    pb::WatchResponse response;
    while (stream->Read(&response) && !response.canceled()) {
      if (response.events().empty()) continue;
      for (const pb::Event& event : response.events()) apply(event, values);
      revision_ = response.header().revision();
      listener.take(values);
    }
    const bool is_canceled = response.canceled();
    if (is_canceled) context.TryCancel();  // etcd keeps the stream open.
    const grpc::Status status = stream->Finish();
    return is_canceled ? why_canceled(response) : status.error_message();
  }

  static void apply(const pb::Event& event, Values& values) {
    if (event.type() == pb::Event::DELETE) {
      values.erase(event.kv().key());
    } else {
      values[event.kv().key()] = event.kv().value();
    }
  }

  static std::string why_canceled(const pb::WatchResponse& response) {
    if (response.compact_revision() != 0) return "it has compacted the watch's revision";
    return "it canceled the watch: " + response.cancel_reason();
  }

  const HostPort address_;
  const Keys range_;
  Connection connection_;
  pb::KV::Stub keys_;
  pb::Watch::Stub watch_;
  std::int64_t revision_ = 0;   // Of the last read(), or of the last change since.
  bool has_lost_data_ = false;  // The last read() found etcd at an older revision than before.
};

Follower::Follower(const Endpoint& endpoint, Keys keys)
    : reader_(std::make_unique<Reader>(endpoint, std::move(keys))) {}

Follower::~Follower() = default;

std::expected<Follower::Values, std::string> Follower::read() {
  return reader_->read(std::stop_token());
}

void Follower::start(Listener listener) {
  thread_ = start_thread<std::jthread>(
      [this, listener = std::move(listener)](const std::stop_token& stop) {
        reader_->follow(stop, listener);
      });
}

}  // namespace rps::etcd
