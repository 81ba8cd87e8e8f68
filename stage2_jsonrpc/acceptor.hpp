// Accepts connections from listening sockets and distributes them to the workers in turn.
//
// accept() fails when the process has no descriptor left, or the kernel no memory. Then the peer is
// served in the place of an idle connection of the owner; without one it is turned away with a
// descriptor held in reserve. Where even that fails, accepting pauses until retry(), as epoll would
// report the listening socket again at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"
#include "core/net/reserve.hpp"
#include "stage2_jsonrpc/shared.hpp"

struct sockaddr_storage;

namespace rps::jsonrpc {

class Worker;

// Runs on the thread of one worker, its owner.
class Acceptor {
 public:
  // Has `epoll`, which is the owner's, report the listening sockets with `tag`.
  // REQUIRES: `shared`, `epoll` and all workers outlive this; there is at least one worker.
  Acceptor(Shared& shared, net::Epoll& epoll, std::uint64_t tag, std::vector<net::Fd> listeners,
           Worker& owner, std::vector<Worker*> workers);

  // Accepts the peers that wait: at most 64 at each socket, so that a flood of them does not keep
  // the owner from serving the connections that it has.
  void accept_waiting();

  // Accepts all of them, before the listening sockets are closed: closing them resets those that
  // still wait, though the kernel has received what they sent.
  void accept_all_waiting();

  // Ends a pause. To be called regularly.
  void retry();

 private:
  bool accept_one(const net::Fd& listener);
  bool accept_without_means(const net::Fd& listener, int error);
  bool turn_away(const net::Fd& listener);
  void distribute(net::Fd socket, const sockaddr_storage& address);

  Shared& shared_;
  net::Epoll& epoll_;
  const std::uint64_t tag_;
  std::vector<net::Fd> listeners_;
  net::Reserve reserve_;
  // Set when accept() fails, which is logged then, and cleared by a retry() before which accept()
  // has not failed again.
  bool is_failing_ = false;
  bool failed_since_retry_ = false;
  Worker& owner_;
  std::vector<Worker*> workers_;
  std::size_t next_worker_ = 0;
};

}  // namespace rps::jsonrpc
