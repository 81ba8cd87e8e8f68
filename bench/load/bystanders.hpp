// Additional connections that carry no load: idle ones, and slow ones. A trial with them measures
// what they cost the server, and whether they slow the load's own connections.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/load/clients/connect.hpp"
#include "core/net/fd.hpp"

namespace rps::load {

// All connections are open and, but for the slow ones' bytes, silent once the constructor returns.
// They close with this object.
class Bystanders {
 public:
  // `idle` connections play one round each and then stay open without a call. `slow` connections
  // have each begun a request and send a further byte of it about once a second, from a thread of
  // this object; what comes back is not read. Throws std::exception: `url` is wrong or no server
  // answers there, an idle connection got no answer, or slow ones are wanted of another scheme than
  // jsonrpc and jsonrpc+lean.
  Bystanders(std::string_view url, std::size_t idle, std::size_t slow);

 private:
  void open_idle(std::string_view url, std::size_t count);
  void open_slow(std::string_view url, std::size_t count);

  Connection idle_;
  std::string request_;
  std::vector<net::Fd> slow_;
  std::jthread sender_;  // Uses the two above; ends before them.
};

}  // namespace rps::load
