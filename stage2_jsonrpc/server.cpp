#include "stage2_jsonrpc/server.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/registry.h>
#include <spdlog/logger.h>

#include "core/net/listen.hpp"
#include "core/server/descriptors.hpp"
#include "core/server/limits.hpp"
#include "core/server/self_probe.hpp"
#include "stage2_jsonrpc/worker.hpp"

namespace rps::jsonrpc {

namespace {

// Throws when somebody listens on the port already. Without this check sharing the port would
// succeed: the kernel lets any process of the same user join it, and gives it some of the
// connections.
void require_free(const HostPort& address) {
  (void)net::listen_on(address, net::PortSharing::no);
}

Limits with_descriptors(Limits limits, spdlog::logger& log) {
  limits.connections_max = server::reserve_descriptors(limits.connections_max, log);
  return limits;
}

class ThreadedServer final : public Server {
 public:
  ThreadedServer(const server::Context& context, const Limits& limits)
      : address_(context.flags.listen),
        threads_(server::serving_threads(context)),
        shared_{.limits = with_descriptors(limits, context.log),
                .game = context.game,
                .metrics = context.metrics,
                .log = context.log,
                .counters = Counters(threads_),
                .peers = PeerLimits(shared_.limits, std::random_device{}()),
                .host_names = server::host_names(context.flags, context.flags.listen)} {
    context.metrics.add(shared_.counters.registry());
    for (unsigned i = 0; i < threads_; ++i) {
      workers_.push_back(std::make_unique<Worker>(shared_, i));
    }
    for (unsigned i = 0; i < threads_; ++i) workers_[i]->set_next(*workers_[(i + 1) % threads_]);
    try {
      start(limits.accepting);
    } catch (...) {
      for (const auto& worker : workers_) worker->end(Clock::now());  // Those that have started.
      throw;
    }
  }

  ~ThreadedServer() override { ThreadedServer::drain(Clock::now()); }

  std::string url() const override { return "jsonrpc://" + to_string(address_); }

  // Over HTTP, which every connection may speak.
  bool answers() override { return server::answers_http(address_, server::limits::self_probe_max); }

  void reconfigure(const Limits& fresh) override {
    shared_.connections_max = server::reserve_descriptors(fresh.connections_max, shared_.log);
  }

  void stop_accepting() override {
    for (const auto& worker : workers_) worker->stop_accepting();
  }

  bool drain(Clock::time_point deadline) override {
    for (const auto& worker : workers_) worker->wait_until_accepted(deadline);
    const Clock::duration linger =
        std::min<Clock::duration>(shared_.limits.linger_max, (deadline - Clock::now()) / 2);
    for (const auto& worker : workers_) worker->begin_drain(deadline - linger);
    Worker::Unanswered all;
    for (const auto& worker : workers_) {
      const Worker::Unanswered its = worker->end(deadline);
      all.cut_off += its.cut_off;
      all.late += its.late;
    }
    report(all);
    return all.cut_off == 0;
  }

 private:
  void report(const Worker::Unanswered& unanswered) {
    if (unanswered.cut_off > 0) {
      shared_.log.warn(
          "connections closed with a call unanswered or a reply not sent completely: {}",
          unanswered.cut_off);
    }
    if (unanswered.late > 0) {
      shared_.log.info("connections on which bytes arrived after their last reply: {}",
                       unanswered.late);
    }
  }

  void start(Accepting accepting) {
    if (threads_ > 1 && accepting == Accepting::shared_port) {
      share_port();
    } else {
      accept_alone();
    }
  }

  // Every worker listens on the port and keeps the connections that the kernel assigns to it.
  void share_port() {
    if (address_.port != 0) require_free(address_);
    std::vector<std::vector<net::Fd>> listeners;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      listeners.push_back(net::listen_on(address_, net::PortSharing::yes));
      address_.port = net::port_of(listeners.back().front());  // The others join that of the first.
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->start(std::move(listeners[i]), {workers_[i].get()});
    }
  }

  // The first worker listens, and distributes the connections to all.
  void accept_alone() {
    std::vector<net::Fd> listeners = net::listen_on(address_, net::PortSharing::no);
    address_.port = net::port_of(listeners.front());
    std::vector<Worker*> all;
    for (const auto& worker : workers_) all.push_back(worker.get());
    for (std::size_t i = 1; i < all.size(); ++i) all[i]->start({}, {});
    all.front()->start(std::move(listeners), all);
  }

  HostPort address_;
  const unsigned threads_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

std::unique_ptr<Server> make_server(const server::Context& context, const Limits& limits) {
  return std::make_unique<ThreadedServer>(context, limits);
}

}  // namespace rps::jsonrpc
