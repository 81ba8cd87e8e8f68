// The list of a service's instances: the interface between the fleet and the source of the list,
// such as a file or a directory service. Clients read through Registry; programs that start and
// stop servers write through Registrar.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace rps::fleet {

struct Listing {
  std::uint64_t version = 0;      // Grows with every change.
  std::vector<std::string> urls;  // "jsonrpc://127.0.0.1:7001"; in order, each once.
};

// The list of one service, watched for changes. When it is constructed it has its first list.
// Later, a source that fails or cannot be parsed leaves the last valid list in force: the servers
// may well be running although the list cannot be read.
//
// Fits an epoll loop: wait until fd() is readable or due() has come, then poll(). Used by one
// thread; an implementation that needs a thread of its own makes fd() readable from there.
class Registry {
 public:
  virtual ~Registry() = default;

  // As of the last poll(); valid until the next.
  virtual const Listing& list() const = 0;

  // Readable when poll() has something to do; -1 if that is never known. The same at all times.
  virtual int fd() const = 0;

  // When poll() is to be called at the latest.
  virtual Clock::time_point due() const = 0;

  // Reads what has changed, without waiting. True when list() has changed.
  virtual bool poll(Clock::time_point now) = 0;

  // False while the source fails, so that list() may be outdated. As of the last poll().
  virtual bool is_current() const = 0;
};

// Whether a list may hold this: a URL with one host and its port.
bool is_instance_url(std::string_view text);

// Adds instances to a service and removes them; the lists of the clients follow. Both functions
// wait until the change is made, and throw std::exception when it cannot be made: call them when a
// server starts and ends. An implementation whose registrations expire renews them by itself.
class Registrar {
 public:
  virtual ~Registrar() = default;

  // Does nothing when it is there already.
  virtual void add(const std::string& service, const std::string& url) = 0;

  // Does nothing when it is not there.
  virtual void remove(const std::string& service, const std::string& url) = 0;
};

}  // namespace rps::fleet
