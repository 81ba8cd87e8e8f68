// How a server makes itself known to the clients that look for it.
#pragma once

#include <functional>
#include <string>

namespace rps::server {

// A server's entry in the list of a service. It is kept there until withdraw(), or the destructor.
class Registration {
 public:
  virtual ~Registration() = default;

  // Takes the entry off the list, so that clients begin no more calls here. Waits for that, but not
  // longer than the directory service may take (its own limit): then the entry goes when it
  // expires. Does nothing the second time.
  virtual void withdraw() = 0;
};

// What a server registers.
struct Entry {
  std::string url;  // What clients connect to.

  // Whether the server answers. Called now and then on a thread of the registration.
  std::function<bool()> answers;

  // The state of the entry: called when it is on the list, or no longer is, and for each failure to
  // put it there or keep it there, with the reason. On a thread of the registration.
  struct State {
    bool is_listed = false;
    std::string failure;  // Empty: none.
  };
  std::function<void(const State& state)> tell;
};

}  // namespace rps::server
