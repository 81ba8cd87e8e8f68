// Keeps the account of one gRPC connection, and closes it when it exceeds a budget.
#pragma once

#include <memory>

#include "stage3_grpc/boundary/cut_counters.hpp"
#include "stage3_grpc/boundary/frame_ledger.hpp"
#include "stage3_grpc/boundary/message_limit.hpp"
#include "stage3_grpc/boundary/socket_calls.hpp"

namespace rps::rpc::boundary {

// For a connection that carries HTTP/2 in plain text from its first byte on: under TLS there are no
// frames to be seen here.
class Accountant final : public SocketFilter {
 public:
  Accountant(const Budgets& budgets, std::shared_ptr<CutCounters> cuts);

  // A connection that exceeds a budget is shut down and counted; gRPC is told ECONNRESET and gets
  // none of the bytes that exceeded it. A message that is too long is announced to gRPC as one byte
  // longer than the limit (message_limit.hpp).
  ssize_t receive(int fd, msghdr& message, int flags) override;
  ssize_t send(int fd, const msghdr& message, int flags) override;

 private:
  FrameLedger ledger_;
  MessageLimit message_limit_;
  const std::shared_ptr<CutCounters> cuts_;  // Connections may be closed after their server.
};

}  // namespace rps::rpc::boundary
