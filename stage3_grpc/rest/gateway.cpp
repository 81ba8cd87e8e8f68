#include "stage3_grpc/rest/gateway.hpp"

#include <cerrno>
#include <future>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "core/net/listen.hpp"
#include "core/net/reserve.hpp"
#include "core/net/thread.hpp"
#include "stage3_grpc/rest/connection.hpp"

namespace rps::rpc::rest {

namespace {

// The tags in the epoll set: 0 wakes the loop, then come the listening sockets, then connections.
constexpr std::uint64_t wake_tag = 0;
constexpr std::uint64_t first_listener_tag = 1;
constexpr std::uint64_t first_connection_tag = 1'000;

struct Counters {
  explicit Counters(server::Metrics& metrics) {
    const auto registry = std::make_shared<prometheus::Registry>();
    connections = &prometheus::BuildGauge()
                       .Name("rps_rest_connections")
                       .Help("Open connections of the REST gateway.")
                       .Register(*registry)
                       .Add({});
    gave_way = &prometheus::BuildCounter()
                    .Name("rps_rest_connections_cut_total")
                    .Help("Connections of the REST gateway that the server has closed.")
                    .Register(*registry)
                    .Add({{"reason", "gave_way"}});
    requests = &prometheus::BuildCounter()
                    .Name("rps_rest_requests_total")
                    .Help("Requests that the REST gateway has answered.")
                    .Register(*registry)
                    .Add({});
    metrics.add(registry);
  }

  prometheus::Gauge* connections = nullptr;
  prometheus::Counter* gave_way = nullptr;
  prometheus::Counter* requests = nullptr;
};

}  // namespace

struct Gateway::Impl final : FeedOwner {
  Impl(const Settings& own_settings, const Service::Parts& parts, server::Metrics& all_metrics,
       spdlog::logger& own_log);
  ~Impl();

  // For other threads.
  void feed_filled(const std::shared_ptr<Feed>& feed) noexcept override;
  void wake() const noexcept { ::eventfd_write(wake_fd.get(), 1); }

  // The loop.
  void run();
  void run_pass();
  void obey();
  void accept_waiting(std::uint64_t tag);
  void admit(net::Fd socket, Clock::time_point now);
  bool make_room();
  void show_feeds(Clock::time_point now);
  void check_all(Clock::time_point now);
  void count();
  template <class Step>
  void step(std::uint64_t key, Step&& what);
  template <class Step>
  void step_all(Step&& what);

  const Settings& settings;
  server::Metrics& metrics;
  spdlog::logger& log;
  Counters counters;
  Service service;
  std::vector<net::Fd> listeners;
  const std::string url;
  net::Reserve reserve;
  Connection::Shared shared;
  net::Fd wake_fd;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections;
  std::uint64_t next_key = first_connection_tag;
  std::uint64_t counted = 0;
  Clock::time_point next_check;
  Clock::time_point next_sweep;

  std::mutex mutex;
  std::vector<std::shared_ptr<Feed>> filled;  // Guarded by the mutex, as are the next two.
  bool is_stopping = false;
  bool is_ending = false;

  std::promise<void> finished;  // All connections are closed after is_stopping, or the loop ended.
  std::size_t cut_off = 0;      // By the loop, before it finished.
  std::thread thread;           // Last: it uses all others.
};

Gateway::Impl::Impl(const Settings& own_settings, const Service::Parts& parts,
                    server::Metrics& all_metrics, spdlog::logger& own_log)
    : settings(own_settings),
      metrics(all_metrics),
      log(own_log),
      counters(all_metrics),
      service(parts),
      listeners(net::listen_on(*own_settings.listen, net::PortSharing::no)),
      url("http://" + to_string(HostPort{.host = own_settings.listen->host,
                                         .port = net::port_of(listeners.front())})),
      shared{.settings = own_settings, .service = service, .owner = *this},
      wake_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  bool is_ready = wake_fd && shared.epoll.add(wake_fd.get(), EPOLLIN, wake_tag);
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    is_ready = is_ready && shared.epoll.add(listeners[i].get(), EPOLLIN, first_listener_tag + i);
  }
  if (!is_ready) throw std::system_error(errno, std::system_category(), "epoll");
  thread = start_thread([this] { run(); });
}

Gateway::Impl::~Impl() {
  {
    const std::scoped_lock lock(mutex);
    is_ending = true;
  }
  wake();
  thread.join();
}

// ---- For other threads -----------------------------------------------------------------------

void Gateway::Impl::feed_filled(const std::shared_ptr<Feed>& feed) noexcept {
  const std::scoped_lock lock(mutex);
  filled.push_back(feed);
  if (filled.size() == 1) wake();
}

// ---- The loop --------------------------------------------------------------------------------

void Gateway::Impl::run() {
  bool has_ended = false;
  while (!has_ended) {
    try {
      run_pass();
    } catch (const std::exception& failure) {
      log.error("the REST gateway failed: {}", failure.what());
    }
    const std::scoped_lock lock(mutex);
    has_ended = is_ending || (is_stopping && shared.drains && connections.empty());
  }
  for (const auto& [key, connection] : connections) cut_off += connection->is_busy() ? 1 : 0;
  connections.clear();
  count();
  finished.set_value();
}

void Gateway::Impl::run_pass() {
  const auto ready = shared.epoll.wait(Clock::now() + limits::scan_period);
  const Clock::time_point now = Clock::now();
  for (const epoll_event& event : ready) {
    const std::uint64_t tag = event.data.u64;
    if (tag == wake_tag) {
      eventfd_t ignored = 0;
      ::eventfd_read(wake_fd.get(), &ignored);
    } else if (tag < first_connection_tag) {
      accept_waiting(tag);
    } else {
      step(tag, [&](Connection& connection) { return connection.on_ready(event.events, now); });
    }
  }
  obey();
  show_feeds(now);
  if (now >= next_check) check_all(now);
}

// Does what another thread has asked for.
void Gateway::Impl::obey() {
  bool begins = false;
  {
    const std::scoped_lock lock(mutex);
    begins = is_stopping && !shared.drains;
  }
  if (!begins) return;
  for (std::size_t i = 0; i < listeners.size(); ++i) accept_waiting(first_listener_tag + i);
  listeners.clear();
  shared.drains = true;
  step_all([](Connection& connection) { return connection.drain(Clock::now()); });
}

// Destroys the connection of this key when the step says that it is over, or throws.
template <class Step>
void Gateway::Impl::step(std::uint64_t key, Step&& what) {
  const auto found = connections.find(key);
  if (found == connections.end()) return;  // It was closed in this pass.
  bool goes_on = false;
  try {
    goes_on = what(*found->second);
  } catch (const std::exception& failure) {
    log.error("a connection of the REST gateway failed: {}", failure.what());
  }
  if (goes_on) return;
  connections.erase(found);
  reserve.refill();
}

template <class Step>
void Gateway::Impl::step_all(Step&& what) {
  std::vector<std::uint64_t> keys;
  keys.reserve(connections.size());
  for (const auto& [key, connection] : connections) keys.push_back(key);
  for (const std::uint64_t key : keys) step(key, what);
}

// ---- Accepting -------------------------------------------------------------------------------

void Gateway::Impl::accept_waiting(std::uint64_t tag) {
  if (listeners.empty()) return;  // The port was closed in this pass.
  const net::Fd& listener = listeners[tag - first_listener_tag];
  for (;;) {
    net::Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      admit(std::move(socket), Clock::now());
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EMFILE && errno != ENFILE) return;
    metrics.connection_refused(server::Refusal::resources);
    if (!reserve.turn_away(listener)) return;
  }
}

void Gateway::Impl::admit(net::Fd socket, Clock::time_point now) {
  const bool is_full = connections.size() >= static_cast<std::size_t>(settings.connections_max);
  if (is_full && !make_room()) {
    metrics.connection_refused(server::Refusal::limit);
    return;
  }
  const std::uint64_t key = next_key++;
  connections.emplace(key, std::make_unique<Connection>(shared, std::move(socket), key, now));
  step(key, [](Connection& connection) { return connection.start(); });
}

// Closes the connection, other than a spectator's, whose last answer is the longest ago: nobody can
// keep others out by opening connections and saying nothing, or a byte now and then.
bool Gateway::Impl::make_room() {
  auto chosen = connections.end();
  for (auto one = connections.begin(); one != connections.end(); ++one) {
    if (one->second->is_watching()) continue;
    if (chosen == connections.end() || one->second->answered_at() < chosen->second->answered_at()) {
      chosen = one;
    }
  }
  if (chosen == connections.end()) return false;
  connections.erase(chosen);
  counters.gave_way->Increment();
  return true;
}

// ---- Now and then ----------------------------------------------------------------------------

void Gateway::Impl::show_feeds(Clock::time_point now) {
  std::vector<std::shared_ptr<Feed>> taken;
  {
    const std::scoped_lock lock(mutex);
    taken.swap(filled);
  }
  for (const auto& feed : taken) {
    step(feed->key(), [&](Connection& connection) { return connection.on_feed(now); });
  }
}

void Gateway::Impl::check_all(Clock::time_point now) {
  next_check = now + limits::scan_period;
  step_all([now](Connection& connection) { return connection.check(now); });
  count();
  if (now < next_sweep) return;
  next_sweep = now + std::chrono::seconds(1);
  service.sweep(now);
}

void Gateway::Impl::count() {
  counters.connections->Set(static_cast<double>(connections.size()));
  counters.requests->Increment(static_cast<double>(shared.answered - counted));
  counted = shared.answered;
}

// ---- The gateway -----------------------------------------------------------------------------

Gateway::Gateway(const Settings& settings, const Service::Parts& parts, server::Metrics& metrics,
                 spdlog::logger& log) try
    : impl_(std::make_unique<Impl>(settings, parts, metrics, log)) {
} catch (const std::runtime_error& error) {
  throw std::runtime_error(std::string("the REST gateway: ") + error.what());
}

Gateway::~Gateway() = default;

std::string Gateway::url() const {
  return impl_->url;
}

void Gateway::stop_accepting() {
  impl_->service.close();
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->is_stopping = true;
  }
  impl_->wake();
}

std::size_t Gateway::drain(Clock::time_point deadline) {
  auto finished = impl_->finished.get_future();
  if (finished.wait_until(deadline) == std::future_status::timeout) {
    {
      const std::scoped_lock lock(impl_->mutex);
      impl_->is_ending = true;
    }
    impl_->wake();
    finished.wait();
  }
  return impl_->cut_off;
}

}  // namespace rps::rpc::rest
