#include "core/etcd/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>

#include "core/etcd/connection.hpp"
#include "core/etcd/limits.hpp"
#include "core/etcd/wait.hpp"
#include "core/fleet/limits.hpp"
#include "core/url.hpp"
#include "etcd.grpc.pb.h"

namespace rps::etcd {

namespace pb = etcdserverpb;

// ---- Calls to etcd -------------------------------------------------------------------------

class EtcdRegistry::Reader {
 public:
  explicit Reader(const Options& options)
      : start_(keys_of(options.prefix, options.service)),
        connection_(options.endpoint),
        keys_(connection_.channel()),
        watch_(connection_.channel()) {}

  // All keys as of now. The error is etcd's or gRPC's.
  std::expected<Values, std::string> read(const std::stop_token& stop) {
    pb::RangeRequest request;
    request.set_key(start_);
    request.set_range_end(end_of(start_));
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

  // Whether the last read() found etcd at an older revision than was seen before.
  bool has_lost_data() const { return has_lost_data_; }

  // Follows the changes since read() and calls `changed` with what they make of `values`. Returns
  // why the watch ended.
  template <typename Changed>
  std::string watch(const std::stop_token& stop, Values& values, const Changed& changed) {
    grpc::ClientContext context;
    if (const auto status = connection_.authorize(context, stop); !status.ok()) {
      return status.error_message();
    }
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
      revision_ = response.header().revision();
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
  Connection connection_;
  pb::KV::Stub keys_;
  pb::Watch::Stub watch_;
  std::int64_t revision_ = 0;  // Of the last read(), or of the last change since.
  bool has_lost_data_ = false;
};

// ---- The caller's thread -------------------------------------------------------------------

EtcdRegistry::EtcdRegistry(Options options)
    : options_(std::move(options)), changed_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!changed_) throw std::system_error(errno, std::system_category(), "eventfd");
  auto reader = std::make_shared<Reader>(options_);
  const auto values = reader->read(std::stop_token());
  if (!values) {
    throw std::runtime_error("etcd at " + to_string(options_.endpoint.address) +
                             " gives no list of \"" + options_.service + "\": " + values.error());
  }
  publish(*values);
  poll(Clock::time_point());
  thread_ = std::jthread([this, reader](const std::stop_token& stop) { follow(stop, *reader); });
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
    is_current_ = is_followed_;
  }
  for (const std::string& sentence : sentences) options_.warn(sentence);
  if (!next || (listing_.version != 0 && *next == listing_.urls)) return false;
  listing_.urls = std::move(*next);
  ++listing_.version;
  return true;
}

// ---- The thread of the registry ------------------------------------------------------------

void EtcdRegistry::follow(const std::stop_token& stop, Reader& reader) {
  std::string last_failure;
  while (!stop.stop_requested()) {
    auto values = reader.read(stop);
    std::string failure = values ? "" : values.error();
    if (values && reader.has_lost_data()) {
      report_loss();
      if (!wait_until(Clock::now() + limits::lease, stop)) return;
      continue;
    }
    if (values) {
      publish(*values);
      failure = reader.watch(stop, *values, [this](const Values& now) { publish(now); });
    }
    if (stop.stop_requested()) return;
    if (!values) lose_track();
    if (failure != last_failure) {
      report("etcd at " + to_string(options_.endpoint.address) + ": " + failure +
             "; the last list of \"" + options_.service + "\" stays until etcd gives a new one");
    }
    last_failure = values ? "" : failure;
    if (!wait_until(Clock::now() + limits::read_again_after, stop)) return;
  }
}

void EtcdRegistry::publish(const Values& values) {
  std::vector<std::string> urls;
  for (const auto& [key, url] : values) {
    if (!fleet::is_instance_url(url)) {
      report("etcd's key " + key + " holds no URL with host and port; it is left out");
    } else if (std::ranges::find(urls, url) == urls.end()) {
      urls.push_back(url);
    }
  }
  if (urls.size() > fleet::limits::instances_max) {
    report("etcd lists more than " + std::to_string(fleet::limits::instances_max) +
           " instances of \"" + options_.service + "\"; the last list stays");
    lose_track();
    return;
  }
  const std::lock_guard lock(mutex_);
  next_ = std::move(urls);
  is_followed_ = true;
  ::eventfd_write(changed_.get(), 1);
}

void EtcdRegistry::report(std::string sentence) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(sentences_, sentence) == sentences_.end()) {
    sentences_.push_back(std::move(sentence));
  }
  ::eventfd_write(changed_.get(), 1);
}

void EtcdRegistry::report_loss() {
  lose_track();
  report("etcd at " + to_string(options_.endpoint.address) +
         " has lost its data; the last list of \"" + options_.service + "\" stays for " +
         std::to_string(limits::lease.count()) + " s, in which servers register again");
}

void EtcdRegistry::lose_track() {
  const std::lock_guard lock(mutex_);
  is_followed_ = false;
  ::eventfd_write(changed_.get(), 1);
}

fleet::Source fleet_source() {
  fleet::Source source{.read = [](const Url& url) {
    return [endpoint = read_endpoint(url), prefix = read_prefix(url)](const std::string& service,
                                                                      fleet::Source::Warn warn) {
      return std::make_unique<EtcdRegistry>(EtcdRegistry::Options{
          .endpoint = endpoint, .prefix = prefix, .service = service, .warn = std::move(warn)});
    };
  }};
  source.parameters.assign(endpoint_parameters.begin(), endpoint_parameters.end());
  return source;
}

}  // namespace rps::etcd
