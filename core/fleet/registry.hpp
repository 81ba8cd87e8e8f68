// Where the instances of a service are: the seam between the fleet and whatever knows about them, a
// file or a directory service. Clients read through Registry; whoever starts and stops servers
// writes through Registrar.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.hpp"

namespace rps::fleet {

struct Listing {
  std::uint64_t version = 0;      // Grows with every change.
  std::vector<std::string> urls;  // "jsonrpc://127.0.0.1:7001"; in order, each once.
};

// The list of one service, watched. Made with the first list at hand; from then on a source that
// fails, says nothing or makes no sense leaves the last good list as it is: losing sight of the
// servers is no reason to stop calling them.
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

  // Takes in what has changed, without waiting. True when list() is another one now.
  virtual bool poll(Clock::time_point now) = 0;
};

// Adds instances to a service and takes them away; a client's list follows on its own. Both wait
// until it is done, and throw std::exception when it cannot be done: they belong to the start and
// the end of a server. Where registrations live only as long as they are renewed, the
// implementation renews them by itself.
class Registrar {
 public:
  virtual ~Registrar() = default;

  // Does nothing when it is there already.
  virtual void add(const std::string& service, const std::string& url) = 0;

  // Does nothing when it is not there.
  virtual void remove(const std::string& service, const std::string& url) = 0;
};

}  // namespace rps::fleet
