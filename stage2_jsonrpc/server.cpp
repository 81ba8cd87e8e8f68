#include "stage2_jsonrpc/server.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/system_error.hpp>
#include <prometheus/registry.h>
#include <spdlog/logger.h>
#include <sys/resource.h>

#include "stage2_jsonrpc/worker.hpp"

namespace rps::jsonrpc {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

tcp::endpoint resolve(const HostPort& address) {
  asio::io_context io;
  tcp::resolver resolver(io);
  return *resolver.resolve(address.host, std::to_string(address.port)).begin();
}

// The kernel lets any process of the same user join a shared port unnoticed; a port that somebody
// listens on already is therefore tried alone first, which fails loudly.
void expect_free(const tcp::endpoint& at) {
  asio::io_context io;
  tcp::acceptor probe(io, at);
}

// Every connection is a descriptor; the usual soft limit of 1024 would be the real one.
void raise_descriptor_limit(std::size_t connections_max, spdlog::logger& log) {
  constexpr std::size_t others = 64;  // Listeners, log, admin port and so on.
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = connections_max + others;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    log.warn("{} connections need {} descriptors, and the limit is {}", connections_max, wanted,
             limit.rlim_cur);
  }
}

class Server final : public runtime::Server {
 public:
  Server(const runtime::Context& context, const Limits& limits)
      : host_(context.flags.listen.host),
        shared_{.limits = limits,
                .game = context.game,
                .metrics = context.metrics,
                .log = context.log,
                .cuts = {}} {
    raise_descriptor_limit(limits.connections_max, context.log);
    context.metrics.add(shared_.cuts.registry());
    const unsigned threads = context.flags.threads > 0
                                 ? context.flags.threads
                                 : std::max(1U, std::thread::hardware_concurrency());
    const bool share_port = threads > 1;
    tcp::endpoint at = resolve(context.flags.listen);
    if (share_port && at.port() != 0) expect_free(at);
    for (unsigned i = 0; i < threads; ++i) {
      workers_.push_back(std::make_unique<Worker>(shared_, at, share_port));
      at = workers_.front()->endpoint();  // The others join the port that the first was given.
    }
    port_ = at.port();
    for (const auto& worker : workers_) worker->start();
  }

  ~Server() override { Server::drain(Clock::now()); }

  std::string url() const override {
    return "jsonrpc://" + to_string(HostPort{.host = host_, .port = port_});
  }

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
  std::string host_;
  std::uint16_t port_ = 0;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

std::unique_ptr<runtime::Server> make_server(const runtime::Context& context,
                                             const Limits& limits) {
  try {
    return std::make_unique<Server>(context, limits);
  } catch (const boost::system::system_error& failure) {
    throw std::runtime_error("cannot listen on " + to_string(context.flags.listen) + ": " +
                             failure.code().message());
  }
}

}  // namespace rps::jsonrpc
