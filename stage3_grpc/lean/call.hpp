// One unary call on an HTTP/2 stream: the request's message to be sent, and the response so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <grpcpp/support/status.h>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "rps/v1/rps.pb.h"

namespace rps::rpc {

// The messages that requests are serialized from and responses parsed into. All calls of a client
// share them, because one call is handled at a time; so the messages keep their memory.
struct LeanMessages {
  v1::PlayRequest play_request;
  v1::PlayResponse play_response;
  v1::ScoreRequest score_request;
  v1::ScoreResponse score_response;
};

// Used for one call after another; its buffers keep what they once grew to.
class LeanCall {
 public:
  // A response may be this long; more than that is no answer of ours.
  static constexpr std::size_t response_bytes_max = 65'536;

  // Forgets what came back and writes the request. REQUIRES: the operation is play or score.
  void begin(std::uint64_t id, const Command& command, LeanMessages& messages);

  // The same with the request of `other`, which is not used any longer, and when that was sent.
  void take_over(LeanCall& other);

  // The next bytes of the request, `room` at most; taken once.
  std::string_view take_request(std::size_t room);
  bool is_request_taken() const { return taken_ == request_.size(); }

  void on_header(std::string_view name, std::string_view value);
  void on_data(std::string_view bytes);

  // What came back, once the stream has closed in order. The reply's views point into `messages`.
  Reply answer(LeanMessages& messages) const;

  std::uint64_t id() const { return id_; }
  Operation operation() const { return operation_; }

  std::int32_t stream = 0;    // Its number; 0 while the call is not open.
  Clock::time_point sent_at;  // Kept by the connection; the epoch until the call is sent.
  bool has_left = false;      // Kept by the connection: its request was given to be sent.

 private:
  void forget_response();
  std::optional<std::string_view> message() const;
  grpc::Status status() const;
  std::uint32_t retry_after_ms() const;

  std::uint64_t id_ = 0;
  Operation operation_ = Operation::play;
  std::string request_;  // With its prefix.
  std::size_t taken_ = 0;
  std::string response_;  // With its prefix.
  bool is_response_too_long_ = false;
  int http_status_ = 0;
  std::optional<int> grpc_status_;
  bool is_grpc_ = false;              // By its content type.
  std::uint32_t retry_after_ms_ = 0;  // By the metadata; the details are read when it is 0.
  std::string grpc_message_;
  std::string grpc_details_;  // In base64.
};

}  // namespace rps::rpc
