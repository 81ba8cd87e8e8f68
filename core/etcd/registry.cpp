#include "core/etcd/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>

#include "core/etcd/connection.hpp"
#include "core/etcd/limits.hpp"
#include "core/fleet/limits.hpp"
#include "core/url.hpp"
#include "etcd.grpc.pb.h"

namespace rps::etcd {

namespace pb = etcdserverpb;

namespace {

bool is_instance_url(const std::string& text) {
  const auto url = parse_url(text);
  return url && !url->host.empty() && url->port != 0;
}

// False when `stop` came first.
bool pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, limits::read_again_after, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

// ---- Calls to etcd -------------------------------------------------------------------------

class EtcdRegistry::Source {
 public:
  explicit Source(const Options& options)
      : start_(keys_of(options.prefix, options.service)),
        channel_(connect(options.address)),
        keys_(channel_),
        watch_(channel_) {}

  // All keys as of now. The error is etcd's or gRPC's.
  std::expected<Values, std::string> read(const std::stop_token& stop) {
    grpc::ClientContext context;
    limit_time(context);
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    pb::RangeRequest request;
    request.set_key(start_);
    request.set_range_end(end_of(start_));
    pb::RangeResponse response;
    const grpc::Status status = keys_.Range(&context, request, &response);
    if (!status.ok()) return std::unexpected(status.error_message());
    revision_ = response.header().revision();
    Values values;
    for (const pb::KeyValue& entry : response.kvs()) values[entry.key()] = entry.value();
    return values;
  }

  // Follows the changes since read() and calls `changed` with what they make of `values`. Returns
  // why the watch ended.
  template <typename Changed>
  std::string watch(const std::stop_token& stop, Values& values, const Changed& changed) {
    grpc::ClientContext context;
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    const auto stream = watch_.Watch(&context);
    pb::WatchRequest request;
    pb::WatchCreateRequest& create = *request.mutable_create_request();
    create.set_key(start_);
    create.set_range_end(end_of(start_));
    create.set_start_revision(revision_ + 1);
    stream->Write(request);
    pb::WatchResponse response;
    while (stream->Read(&response) && !response.canceled()) {
      if (response.events().empty()) continue;
      for (const pb::Event& event : response.events()) apply(event, values);
      changed(values);
    }
    const std::string reason = response.canceled() ? why_canceled(response) : "";
    context.TryCancel();
    const grpc::Status status = stream->Finish();
    return reason.empty() ? status.error_message() : reason;
  }

 private:
  static void apply(const pb::Event& event, Values& values) {
    if (event.type() == pb::Event::DELETE) {
      values.erase(event.kv().key());
    } else {
      values[event.kv().key()] = event.kv().value();
    }
  }

  static std::string why_canceled(const pb::WatchResponse& response) {
    if (response.compact_revision() != 0) return "etcd has compacted the watch's revision";
    return "etcd canceled the watch: " + response.cancel_reason();
  }

  const std::string start_;
  const std::shared_ptr<grpc::Channel> channel_;
  pb::KV::Stub keys_;
  pb::Watch::Stub watch_;
  std::int64_t revision_ = 0;  // Of the last read().
};

// ---- The caller's thread -------------------------------------------------------------------

EtcdRegistry::EtcdRegistry(Options options)
    : options_(std::move(options)), changed_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!changed_) throw std::system_error(errno, std::system_category(), "eventfd");
  auto source = std::make_shared<Source>(options_);
  const auto values = source->read(std::stop_token());
  if (!values) {
    throw std::runtime_error("etcd at " + options_.address + " gives no list of \"" +
                             options_.service + "\": " + values.error());
  }
  publish(*values);
  poll(Clock::time_point());
  thread_ = std::jthread([this, source](const std::stop_token& stop) { follow(stop, *source); });
}

bool EtcdRegistry::poll(Clock::time_point) {
  eventfd_t ignored = 0;
  ::eventfd_read(changed_.get(), &ignored);
  std::optional<std::vector<std::string>> next;
  std::vector<std::string> sentences;
  {
    const std::lock_guard lock(mutex_);
    next.swap(next_);
    sentences.swap(sentences_);
  }
  for (const std::string& sentence : sentences) options_.warn(sentence);
  if (!next || (listing_.version != 0 && *next == listing_.urls)) return false;
  listing_.urls = std::move(*next);
  ++listing_.version;
  return true;
}

// ---- The thread of the registry ------------------------------------------------------------

void EtcdRegistry::follow(const std::stop_token& stop, Source& source) {
  std::string last_failure;
  while (!stop.stop_requested()) {
    auto values = source.read(stop);
    std::string failure = values ? "" : values.error();
    if (values) {
      publish(*values);
      failure = source.watch(stop, *values, [this](const Values& now) { publish(now); });
    }
    if (stop.stop_requested()) return;
    if (failure != last_failure) {
      report("etcd at " + options_.address + ": " + failure + "; the last list of \"" +
             options_.service + "\" stays until etcd gives a new one");
    }
    last_failure = values ? "" : failure;
    if (!pause(stop)) return;
  }
}

void EtcdRegistry::publish(const Values& values) {
  std::vector<std::string> urls;
  for (const auto& [key, url] : values) {
    if (!is_instance_url(url)) {
      report("etcd's key " + key + " holds no URL with host and port; it is left out");
    } else if (std::ranges::find(urls, url) == urls.end()) {
      urls.push_back(url);
    }
  }
  if (urls.size() > fleet::limits::instances_max) {
    report("etcd lists more than " + std::to_string(fleet::limits::instances_max) +
           " instances of \"" + options_.service + "\"; the last list stays");
    return;
  }
  const std::lock_guard lock(mutex_);
  next_ = std::move(urls);
  ::eventfd_write(changed_.get(), 1);
}

void EtcdRegistry::report(std::string sentence) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(sentences_, sentence) == sentences_.end()) {
    sentences_.push_back(std::move(sentence));
  }
  ::eventfd_write(changed_.get(), 1);
}

}  // namespace rps::etcd
