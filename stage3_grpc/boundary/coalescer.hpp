// Sends what gRPC writes to one socket in one round with one system call.
//
// gRPC 1.51 calls sendmsg(2) once for each reply, also when one read brought sixteen requests of
// one connection. A round is what a thread of gRPC does between two calls that may block it. A
// polling thread, which is one that has called epoll_wait(2), holds the bytes that it sends to a
// socket, and sends them together before its next call that may block: before_blocking().
//
//   sent at once   what a thread that never polls sends; what does not fit or is not plain bytes;
//                  the first bytes for a socket in a round, if the last round sent to it only once:
//                  probably there is nothing that they could be sent with
//   held           everything else, up to held_bytes_max, and held_sends_max calls
//
// What the kernel does not take stays held, in order. send() then fails with EAGAIN, as sendmsg(2)
// would, until the kernel has taken it, and after_polling() tries again: epoll_wait(2) returns when
// the socket can be written again. So that hardly anything stays, a socket whose peer reads slowly
// is not held for at all.
//
// Sources: calls per reply and the gain are measured, docs/decisions/013-write-coalescing.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "stage3_grpc/boundary/blocked_sockets.hpp"
#include "stage3_grpc/boundary/socket_calls.hpp"

namespace rps::rpc::boundary {

inline constexpr std::size_t held_bytes_max = std::size_t{16} << 10;
// A reply waits at most for so many others of its socket.
inline constexpr unsigned held_sends_max = 32;

// The sending side of one socket. All functions may be called by several threads at once.
class Coalescer final : public BlockedSocket {
 public:
  // Sends through `socket`, the filter of `fd`. Owns neither; uses neither after close().
  Coalescer(int fd, SocketFilter& socket) : fd_(fd), socket_(socket) {}

  // As sendmsg(2), whose results and errno it has; bytes that are held count as sent. An error that
  // held bytes met is the result of the next call.
  ssize_t send(const msghdr& message, int flags);

  // Sends what is held, as far as the kernel takes it.
  void flush() override;

  // The same for the last time. Bytes that the kernel does not take are lost.
  void close();

 private:
  class Round;
  struct RoundId {
    std::uint64_t thread = 0;  // Never used again, unlike addresses and numbers of the system.
    std::uint64_t number = 0;
    bool operator==(const RoundId&) const = default;
  };
  struct Turn {  // What the last round that sent to this socket did.
    RoundId round;
    bool holds_first = false;
    unsigned sends = 0;
    unsigned holds = 0;
  };
  friend void before_blocking();
  friend void before_polling();

  bool holds_for(Round& round, const msghdr& message, int flags, std::size_t size);
  void hold(Round& round, const msghdr& message, std::size_t size);
  bool send_held();
  bool has_room_in_kernel() const;

  const int fd_;
  SocketFilter& socket_;
  std::mutex mutex_;
  std::string held_;
  Turn turn_;
  int failure_ = 0;  // The errno of held bytes; 0 when there was none.
  bool is_closed_ = false;
};

// To be called by a thread before it may block, other than in epoll_wait(2).
void before_blocking();

// To be called by a thread before and after each epoll_wait(2).
void before_polling();
void after_polling();

// Between gRPC and a socket whose replies are sent together.
class CoalescingFilter final : public SocketFilter {
 public:
  // Reads and writes through `socket`.
  CoalescingFilter(int fd, std::unique_ptr<SocketFilter> socket)
      : socket_(std::move(socket)), coalescer_(std::make_shared<Coalescer>(fd, *socket_)) {}
  ~CoalescingFilter() override { coalescer_->close(); }
  CoalescingFilter(const CoalescingFilter&) = delete;
  CoalescingFilter& operator=(const CoalescingFilter&) = delete;

  ssize_t receive(int fd, msghdr& message, int flags) override {
    return socket_->receive(fd, message, flags);
  }
  ssize_t send(int, const msghdr& message, int flags) override {
    return coalescer_->send(message, flags);
  }
  void before_shutdown() override {
    coalescer_->flush();
    socket_->before_shutdown();
  }

 private:
  const std::unique_ptr<SocketFilter> socket_;
  const std::shared_ptr<Coalescer> coalescer_;  // A thread's round may hold it after close().
};

}  // namespace rps::rpc::boundary
