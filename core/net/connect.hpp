// Connecting over TCP in an event loop: to one address, or to the first of several that answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "core/clock.hpp"
#include "core/net/address.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/fd.hpp"

namespace rps::net {

// A non-blocking socket with TCP_NODELAY that is connecting, or connected already. It becomes
// writable when the outcome is known. No descriptor, and errno, when it failed at once.
Fd begin_connect(const Address& address);

// 0 when the socket is connected, EINPROGRESS while that is not known, else why it is not, as errno
// says it.
int connect_outcome(const Fd& socket);

// Attempts to connect to several addresses, of which the first that is connected wins. Each address
// is tried when all before it have failed, or `stagger` after the one before it: so an address that
// does not answer costs a stagger, and not the time that is left (RFC 8305, section 5).
//
// Used by one thread. When an attempt has an outcome, the loop calls on_output(key) of its handler,
// which calls advance(). It must not move while it has attempts.
class Race {
 public:
  // RFC 8305, section 8.
  static constexpr std::chrono::milliseconds stagger{250};

  // REQUIRES: `loop` outlives it.
  Race(EventLoop& loop, std::uint32_t key) : loop_(loop), key_(key) {}
  ~Race() { clear(); }
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  // An address that is tried behind those that were added before; nothing when it was.
  void add(const Address& address);

  struct Winner {
    Fd socket;
    Address address;
  };

  // Begins the attempts whose time has come, and looks at those that were begun. After the winner
  // the race is clear.
  std::optional<Winner> advance(Clock::time_point now);

  // Every address that was added has failed.
  bool is_lost() const { return attempts_.empty() && begun_ == addresses_.size(); }

  // The latest failure, as errno says it; 0 before the first.
  int error() const { return error_; }

  // When advance() has something to do although no attempt has an outcome.
  Clock::time_point due() const {
    return begun_ < addresses_.size() ? next_at_ : Clock::time_point::max();
  }

  // Gives up all attempts, and forgets the addresses.
  void clear();

 private:
  struct Attempt {
    explicit Attempt(std::uint32_t key) : entry(key) {}
    EventLoop::Entry entry;
    Fd socket;
    std::size_t address = 0;
  };

  bool begin_next(Clock::time_point now);

  EventLoop& loop_;
  std::uint32_t key_;
  std::vector<Address> addresses_;
  std::size_t begun_ = 0;      // Of the addresses.
  Clock::time_point next_at_;  // When the next attempt begins beside those that are open.
  std::list<Attempt> attempts_;
  int error_ = 0;
};

}  // namespace rps::net
