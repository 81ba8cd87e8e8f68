// The place between gRPC and its sockets.
//
// gRPC offers no place where a program could look at what a connection sends, before HTTP/2 has
// carried it out. But gRPC is linked statically, so the linker's --wrap puts functions of ours in
// place of recvmsg(2), sendmsg(2), shutdown(2), close(2), epoll_wait(2), gpr_cv_wait() and
// gpr_sleep_until() wherever gRPC and this project call them. For a descriptor without a filter the
// first four are the system call and nothing else; so is recvmsg with MSG_ERRQUEUE, which reads no
// bytes of the connection. The last three say when a thread of gRPC may block (coalescer.hpp).
//
// The functions get no argument of ours, so the filters stand in a table of the process, by
// descriptor. Finding a filter is one load.
#pragma once

#include <cerrno>
#include <memory>

#include <sys/socket.h>

namespace rps::rpc::boundary {

// What reads and writes one socket in gRPC's place; this class does what the system calls do. gRPC
// calls each function from one thread at a time, but receive() and send() may run at the same time.
// Both do what the system call of the same arguments does, with its result and errno, except as far
// as a derived filter's purpose requires. So send() never returns 0 for a message with bytes.
class SocketFilter {
 public:
  SocketFilter() = default;
  SocketFilter(const SocketFilter&) = delete;
  SocketFilter& operator=(const SocketFilter&) = delete;

  // Called before the descriptor is closed, after the last receive() and send().
  virtual ~SocketFilter() = default;

  virtual ssize_t receive(int fd, msghdr& message, int flags);
  virtual ssize_t send(int fd, const msghdr& message, int flags);

  // Called before each shutdown(2).
  virtual void before_shutdown() {}
};

// Descriptors from this one on cannot have a filter.
inline constexpr int filtered_descriptors_max = 1 << 20;

// From now on `filter` stands between gRPC and the open socket `fd`, until `fd` is closed, which
// destroys it. REQUIRES: fd < filtered_descriptors_max; gRPC does not know the socket yet.
void attach(int fd, std::unique_ptr<SocketFilter> filter);

// The system calls, past every filter.
ssize_t receive_from_kernel(int fd, msghdr& message, int flags);
ssize_t send_to_kernel(int fd, const msghdr& message, int flags);

// What a filter returns when it fails as a system call does.
inline ssize_t fail_with(int error) {
  errno = error;
  return -1;
}

}  // namespace rps::rpc::boundary
