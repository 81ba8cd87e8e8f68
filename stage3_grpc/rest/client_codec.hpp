// The bytes of the REST gateway's client: each call is a request of HTTP/1.1, each reply a response
// with JSON, in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/net/http_wire_codec.hpp"
#include "rps/v1/rps.pb.h"

namespace rps::rpc::rest {

// play is a POST to /v1/play, score a GET of /v1/sessions/{session_id}/score. The operations of
// duels are refused with unknown_operation, as an event has no way to this client; and the score of
// the empty id with malformed_request, as no path has it.
//
// A reply is read as the gRPC client reads it (contract/convert.hpp). The error of a response whose
// status is not 200 is the reason of its google.rpc.ErrorInfo, else the name at the front of its
// google.rpc.Status's message, else that of the status (docs/errors.md).
class ClientCodec final : public net::HttpWireCodec {
 public:
  // Of status line and fields together, and of a body; a response with more breaks the stream.
  static constexpr std::size_t header_bytes_max = 16'384;
  static constexpr std::size_t body_bytes_max = 65'536;

  // `authority` is host and port, as in the URL. Calls carry `token` unless it is empty (RFC 6750,
  // section 2.1). REQUIRES: the token is visible ASCII.
  explicit ClientCodec(std::string_view authority, std::string_view token = {});

  std::optional<Error> refusal(const Command& command) const override;
  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

 private:
  bool read_body(int status, std::string_view body, const Expected& expected,
                 Reply& reply) override;

  std::string play_head_;    // Up to the number of Content-Length.
  std::string score_tail_;   // Behind the id, to the end of the header.
  std::string body_;         // Of the request being encoded; kept for its memory.
  v1::PlayResponse played_;  // What the reply's views point into.
};

}  // namespace rps::rpc::rest
