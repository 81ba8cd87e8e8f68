#include "stage2_jsonrpc/server.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <prometheus/registry.h>

#include "core/net/listen.hpp"
#include "core/server/descriptors.hpp"
#include "stage2_jsonrpc/worker.hpp"

namespace rps::jsonrpc {

namespace {

// The kernel lets any process of the same user join a shared port unnoticed; a port that somebody
// listens on already is therefore tried alone first, which fails loudly.
void expect_free(const HostPort& address) {
  (void)net::listen_on(address, net::PortSharing::no);
}

unsigned thread_count(const server::ServerFlags& flags) {
  return flags.threads > 0 ? flags.threads : std::max(1U, std::thread::hardware_concurrency());
}

Limits with_descriptors(Limits limits, spdlog::logger& log) {
  limits.connections_max = server::reserve_descriptors(limits.connections_max, log);
  return limits;
}

class Server final : public server::Server {
 public:
  Server(const server::Context& context, const Limits& limits)
      : address_(context.flags.listen),
        shared_{.limits = with_descriptors(limits, context.log),
                .game = context.game,
                .metrics = context.metrics,
                .log = context.log,
                .counters = Counters(thread_count(context.flags)),
                .peers = PeerLimits(shared_.limits, std::random_device{}())} {
    context.metrics.add(shared_.counters.registry());
    const unsigned threads = thread_count(context.flags);
    for (unsigned i = 0; i < threads; ++i) {
      workers_.push_back(std::make_unique<Worker>(shared_, i));
    }
    if (threads > 1 && limits.accepting == Accepting::shared_port) {
      share_port();
    } else {
      accept_alone();
    }
  }

  ~Server() override { Server::drain(Clock::now()); }

  std::string url() const override { return "jsonrpc://" + to_string(address_); }

  void stop_accepting() override {
    for (const auto& worker : workers_) worker->stop_accepting();
  }

  bool drain(Clock::time_point deadline) override {
    for (const auto& worker : workers_) worker->begin_drain();
    bool complete = true;
    for (const auto& worker : workers_) complete &= worker->end(deadline);
    return complete;
  }

 private:
  // Every worker listens on the port and keeps what the kernel deals it.
  void share_port() {
    if (address_.port != 0) expect_free(address_);
    std::vector<net::Fd> listeners;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      listeners.push_back(net::listen_on(address_, net::PortSharing::yes));
      address_.port = net::port_of(listeners.back());  // The others join that of the first.
    }
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->start(std::move(listeners[i]), {workers_[i].get()});
    }
  }

  // The first worker listens, and deals the connections to all.
  void accept_alone() {
    net::Fd listener = net::listen_on(address_, net::PortSharing::no);
    address_.port = net::port_of(listener);
    std::vector<Worker*> all;
    for (const auto& worker : workers_) all.push_back(worker.get());
    for (std::size_t i = 1; i < all.size(); ++i) all[i]->start({}, {});
    all.front()->start(std::move(listener), all);
  }

  HostPort address_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

std::unique_ptr<server::Server> make_server(const server::Context& context, const Limits& limits) {
  return std::make_unique<Server>(context, limits);
}

}  // namespace rps::jsonrpc
