// The place between gRPC and its sockets.
//
// gRPC offers no place where a program could look at what a connection sends, before HTTP/2 has
// carried it out. But gRPC reads, writes and closes its sockets through recvmsg(2), sendmsg(2) and
// close(2), and the dynamic linker takes a function from the program before it takes it from the C
// library. So socket_calls.cpp defines these three for the whole process. For a descriptor without
// a filter each of them is the system call and nothing else; so is recvmsg with MSG_ERRQUEUE, which
// reads no bytes of the connection.
//
// The functions get no argument of ours, so the filters stand in a table of the process, by
// descriptor. Finding a filter is one load.
#pragma once

#include <memory>

#include <sys/socket.h>

namespace rps::rpc::boundary {

// What reads and writes one socket in gRPC's place. gRPC calls each function from one thread at a
// time, but receive() and send() may run at the same time. Both do what the system call of the same
// arguments does, with its result and errno, except as far as the filter's purpose requires.
class SocketFilter {
 public:
  // Called before the descriptor is closed, after the last receive() and send().
  virtual ~SocketFilter() = default;

  virtual ssize_t receive(int fd, msghdr& message, int flags) = 0;
  virtual ssize_t send(int fd, const msghdr& message, int flags) = 0;
};

// Descriptors from this one on cannot have a filter.
inline constexpr int filtered_descriptors_max = 1 << 20;

// From now on `filter` stands between gRPC and the open socket `fd`, until `fd` is closed, which
// destroys it. REQUIRES: fd < filtered_descriptors_max; gRPC does not know the socket yet.
void attach(int fd, std::unique_ptr<SocketFilter> filter);

// The system calls, past every filter.
ssize_t receive_from_kernel(int fd, msghdr& message, int flags);
ssize_t send_to_kernel(int fd, const msghdr& message, int flags);

}  // namespace rps::rpc::boundary
