// Sockets for which bytes wait that gRPC takes for sent, but that the kernel has not taken.
//
// gRPC waits for such a socket to become writable only when it has something to send itself. So a
// filter that keeps bytes back says so here, and is called whenever epoll_wait(2) has returned in
// any thread of gRPC: it returns when one of the sockets can be written again.
#pragma once

#include <memory>

namespace rps::rpc::boundary {

// Keeps the bytes that wait for one socket. flush() is called by any thread while bytes wait, and
// may be called once more afterwards.
class BlockedSocket : public std::enable_shared_from_this<BlockedSocket> {
 public:
  virtual ~BlockedSocket() = default;

  // Sends what waits, as far as the kernel takes it.
  virtual void flush() = 0;

 protected:
  BlockedSocket() = default;
  BlockedSocket(const BlockedSocket&) = delete;
  BlockedSocket& operator=(const BlockedSocket&) = delete;

  // Says whether bytes wait. REQUIRES: calls do not overlap; the last one, before the owner
  // releases the object, says that none wait.
  void set_blocked(bool blocked);
  bool is_blocked() const { return is_blocked_; }

 private:
  bool is_blocked_ = false;
};

// To be called by a thread after each epoll_wait(2): flushes the sockets for which bytes wait.
void flush_blocked_sockets();

}  // namespace rps::rpc::boundary
