// Keeps the account of one gRPC connection, and closes it when it exceeds a budget. Takes leave of
// the peer when the server drains.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "core/clock.hpp"
#include "stage3_grpc/boundary/frame_ledger.hpp"
#include "stage3_grpc/boundary/message_limit.hpp"
#include "stage3_grpc/boundary/open_connections.hpp"
#include "stage3_grpc/boundary/socket_calls.hpp"

namespace rps::rpc::boundary {

// For a connection that carries HTTP/2 in plain text from its first byte on: under TLS there are no
// frames to be seen here.
class Accountant final : public SocketFilter {
 public:
  // Reads and writes through `socket`. Stands in `connections` as long as it lives. (Connections
  // may be closed after their server.)
  Accountant(int fd, const Budgets& budgets, std::shared_ptr<OpenConnections> connections,
             std::unique_ptr<SocketFilter> socket);
  ~Accountant() override;

  // A connection that exceeds a budget is cut; gRPC is told ECONNRESET and gets none of the bytes
  // that exceeded it. Nor does it get any after cut(). A message that is too long is announced to
  // gRPC as one byte longer than the limit (message_limit.hpp).
  ssize_t receive(int fd, msghdr& message, int flags) override;
  ssize_t send(int fd, const msghdr& message, int flags) override;
  void before_shutdown() override { socket_->before_shutdown(); }

  // The functions that follow may be called from any thread.

  // Counts the connection and shuts it down; gRPC closes it then. The second time does nothing.
  void cut(Breach breach);
  bool is_cut() const { return is_cut_.load(std::memory_order_relaxed); }

  // Tells the peer that it may open no further call: sends GOAWAY with the greatest number of a
  // stream, behind it a PING (RFC 9113, section 6.8). gRPC does not know of either, and goes on
  // serving. What the socket does not take is sent before gRPC's next bytes, or by the next call of
  // this function. Nothing happens before the server has greeted.
  void say_goodbye();

  // Whether the peer has acknowledged that PING. Such a peer opens no call any more.
  bool has_heard_goodbye() const;

  // As cut(), but the connection is not counted among those that were cut.
  void close();

  // See FrameLedger.
  int open_weight() const { return ledger_.open_weight(); }
  std::optional<Clock::time_point> served_at() const { return ledger_.served_at(); }

  Clock::time_point opened_at() const { return opened_at_; }

 private:
  std::optional<Breach> charge(const msghdr& message, ssize_t count, Clock::time_point now);
  bool send_goodbye();

  const std::unique_ptr<SocketFilter> socket_;
  const int fd_;
  const Clock::time_point opened_at_;
  const std::shared_ptr<OpenConnections> connections_;
  FrameLedger ledger_;
  MessageLimit message_limit_;
  std::atomic<bool> is_cut_{false};
  std::atomic<std::uint32_t> goodbye_ping_{0};  // Its number among the PINGs; 0 until it is sent.
  std::mutex sending_;                          // Held while bytes are sent. Guards what follows.
  std::span<const std::uint8_t> goodbye_;       // What is left of it, once it is to be said.
  bool is_goodbye_begun_ = false;
};

}  // namespace rps::rpc::boundary
