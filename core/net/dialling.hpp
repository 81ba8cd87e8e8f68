// Opening a connection to an Endpoint in an event loop.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.hpp"
#include "core/net/connect.hpp"
#include "core/net/endpoint.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/fd.hpp"
#include "core/net/resolver.hpp"

namespace rps::net {

// Connects to the first address of the endpoint that answers (Race). The name is looked up before
// that unless it has just been, and then again when no address has answered, as the server may have
// moved. A look-up that takes longer than a `stagger` is not waited for when there are addresses of
// an earlier one; those that it brings later are tried behind them.
//
// Used by one thread. The owner calls advance() when the loop calls on_output() with the key, when
// it is due(), and when a look-up of the resolver has ended. It must not move while it dials.
class Dialling {
 public:
  // REQUIRES: `loop` outlives it.
  Dialling(EventLoop& loop, std::uint32_t key) : race_(loop, key) {}

  // REQUIRES: endpoint and resolver live until the outcome is known, or give_up().
  void begin(Endpoint& endpoint, Resolver& resolver, Clock::time_point now,
             Clock::time_point deadline);

  enum class Outcome : std::uint8_t { pending, connected, failed };

  // REQUIRES: begun, and no other outcome than `pending` since then.
  Outcome advance(Clock::time_point now);

  // When advance() is to be called at the latest.
  Clock::time_point due() const { return due_; }

  // After `connected`: the socket, which is non-blocking, has TCP_NODELAY, and is not in the loop;
  // and the address it is connected to.
  Race::Winner take() { return std::move(winner_); }

  // After `failed`: why.
  const std::string& error() const { return error_; }

  void give_up() { race_.clear(); }

 private:
  void look_up();
  std::string reason() const;

  Race race_;
  Endpoint* endpoint_ = nullptr;
  Resolver* resolver_ = nullptr;
  bool has_looked_up_ = false;
  Clock::time_point look_up_until_;
  Clock::time_point deadline_;
  Clock::time_point due_;
  Race::Winner winner_;
  std::string error_;
};

}  // namespace rps::net
