// Keeps the account of one gRPC connection, and closes it when it exceeds a budget.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

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

  // See FrameLedger.
  int open_weight() const { return ledger_.open_weight(); }
  std::optional<Clock::time_point> served_at() const { return ledger_.served_at(); }

  Clock::time_point opened_at() const { return opened_at_; }

 private:
  std::optional<Breach> charge(const msghdr& message, ssize_t count, Clock::time_point now);

  const std::unique_ptr<SocketFilter> socket_;
  const int fd_;
  const Clock::time_point opened_at_;
  const std::shared_ptr<OpenConnections> connections_;
  FrameLedger ledger_;
  MessageLimit message_limit_;
  std::atomic<bool> is_cut_{false};
};

}  // namespace rps::rpc::boundary
