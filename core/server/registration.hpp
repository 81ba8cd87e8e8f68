// How a server makes itself known to the clients that look for it: the interface between the frame
// of the servers and a directory service, which a stage's main() hands in (Stage::directory).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/url.hpp"

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

// A directory service.
struct Directory {
  std::vector<std::string> schemes;  // Of its URLs.

  // What puts an entry on the list that the URL names, and keeps it there. Throws
  // std::invalid_argument for a URL that makes no sense; connects to nothing.
  using Register = std::function<std::unique_ptr<Registration>(Entry entry)>;
  std::function<Register(const Url& url)> read;
};

}  // namespace rps::server
