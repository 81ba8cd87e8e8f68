#include "stage3_grpc/transport_security.hpp"

#include <mutex>
#include <string>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <spdlog/logger.h>

#include "core/net/address.hpp"
#include "stage3_grpc/tls/filter.hpp"

namespace rps::rpc {

class TransportSecurity::Outcomes final : public tls::Witness {
 public:
  explicit Outcomes(std::shared_ptr<PeerTable> peers)
      : registry_(std::make_shared<prometheus::Registry>()),
        handshakes_(prometheus::BuildCounter()
                        .Name("rps_tls_handshakes_total")
                        .Help("TLS handshakes by what became of them.")
                        .Register(*registry_)),
        accepted_(handshakes_.Add({{"result", "accepted"}})),
        certificate_(handshakes_.Add({{"result", "certificate"}})),
        protocol_(handshakes_.Add({{"result", "protocol"}})),
        closed_(handshakes_.Add({{"result", "closed"}})),
        broken_(prometheus::BuildCounter()
                    .Name("rps_tls_broken_total")
                    .Help("Connections that violated TLS after their handshake.")
                    .Register(*registry_)
                    .Add({})),
        peers_(std::move(peers)) {}

  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

  std::shared_ptr<const void> accepted(int fd, std::string identity) override {
    accepted_.Increment();
    return std::make_shared<PeerEntry>(peers_, peer_address_of(fd),
                                       Peer{.identity = std::move(identity)});
  }

  // A connection that its peer closes before the handshake is complete, as a port scan does, is
  // counted and not logged.
  void refused(int fd, tls::Failure why, const std::string& reason) override {
    counter_of(why).Increment();
    if (why != tls::Failure::closed) note(fd, reason);
  }

  void broken(int fd, const std::string& reason) override {
    broken_.Increment();
    note(fd, reason);
  }

  struct News {
    std::uint64_t count = 0;
    std::string last;
  };
  News take_news() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(news_, {});
  }

 private:
  prometheus::Counter& counter_of(tls::Failure why) {
    switch (why) {
      case tls::Failure::certificate: return certificate_;
      case tls::Failure::protocol: return protocol_;
      case tls::Failure::closed: break;
    }
    return closed_;
  }

  void note(int fd, const std::string& reason) {
    std::string last = net::peer_text(fd) + ": " + reason;
    const std::scoped_lock lock(mutex_);
    ++news_.count;
    news_.last.swap(last);
  }

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& handshakes_;
  prometheus::Counter& accepted_;
  prometheus::Counter& certificate_;
  prometheus::Counter& protocol_;
  prometheus::Counter& closed_;
  prometheus::Counter& broken_;
  const std::shared_ptr<PeerTable> peers_;
  std::mutex mutex_;
  News news_;  // Guarded by mutex_.
};

TransportSecurity::TransportSecurity(const tls::Files& files, std::shared_ptr<PeerTable> peers,
                                     server::Metrics& metrics, spdlog::logger& log)
    : log_(log),
      outcomes_(std::make_shared<Outcomes>(std::move(peers))),
      reloader_(files, *outcomes_->registry(), log) {
  metrics.add(outcomes_->registry());
}

std::unique_ptr<boundary::SocketFilter> TransportSecurity::protect(int fd) {
  return tls::make_filter(fd, *reloader_.context(), outcomes_);
}

void TransportSecurity::tick(Clock::time_point now) {
  reloader_.tick(now);
  const Outcomes::News news = outcomes_->take_news();
  if (news.count == 0) return;
  log_.warn("TLS failed for {} connections; the last one was from {}", news.count, news.last);
}

}  // namespace rps::rpc
