#include "core/etcd/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>

#include "core/fleet/limits.hpp"
#include "core/url.hpp"

namespace rps::etcd {

namespace {

Follower::Keys keys_beginning_with(const std::string& start) {
  return {.first = start, .end = end_of(start)};
}

}  // namespace

// ---- The caller's thread -------------------------------------------------------------------

EtcdRegistry::EtcdRegistry(Options options)
    : options_(std::move(options)),
      changed_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      follower_(options_.endpoint,
                keys_beginning_with(keys_of(options_.prefix, options_.service))) {
  if (!changed_) throw std::system_error(errno, std::system_category(), "eventfd");
  const auto values = follower_.read();
  if (!values) {
    throw std::runtime_error("etcd at " + to_string(options_.endpoint.address) +
                             " gives no list of \"" + options_.service + "\": " + values.error());
  }
  take(*values);
  poll(Clock::time_point());
  follower_.start({.take = [this](const auto& now) { take(now); },
                   .lose_track =
                       [this](const std::string& reason) {
                         lose_track(reason + "; the last list of \"" + options_.service +
                                    "\" stays until etcd gives a new one");
                       }});
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

// ---- The follower's thread -----------------------------------------------------------------

void EtcdRegistry::take(const Follower::Values& values) {
  std::vector<std::string> urls;
  std::set<std::string> left_out;
  for (const auto& [key, url] : values) {
    if (!fleet::is_instance_url(url)) {
      left_out.insert("etcd's key " + key + " holds no URL with host and port; it is left out");
    } else if (std::ranges::find(urls, url) == urls.end()) {
      urls.push_back(url);
    }
  }
  if (urls.size() > fleet::limits::instances_max) {
    return lose_track("etcd lists more than " + std::to_string(fleet::limits::instances_max) +
                      " instances of \"" + options_.service + "\"; the last list stays");
  }
  const std::lock_guard lock(mutex_);
  std::ranges::set_difference(left_out, left_out_, std::back_inserter(sentences_));
  left_out_ = std::move(left_out);
  next_ = std::move(urls);
  is_followed_ = true;
  ::eventfd_write(changed_.get(), 1);
}

void EtcdRegistry::lose_track(std::string sentence) {
  const std::lock_guard lock(mutex_);
  sentences_.push_back(std::move(sentence));
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
