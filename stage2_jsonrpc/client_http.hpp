// JSON-RPC over HTTP/1.1: each call is a POST to /rpc, each reply a response, in the same order.
// The connection stays open until the server says that it closes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/net/http_wire_codec.hpp"

namespace rps::jsonrpc {

// A reply counts whatever the status is, and the error is the one in the body. If the body is no
// reply, it is the one that docs/errors.md gives the status. Events cannot come this way; the
// server refuses duels.
class HttpClientCodec final : public net::HttpWireCodec {
 public:
  // `authority` is host and port, as in the URL.
  explicit HttpClientCodec(std::string_view authority);

  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

 private:
  bool read_body(int status, std::string_view body, const Expected& expected,
                 Reply& reply) override;

  std::string head_;  // Of every request, up to the number of its Content-Length.
  std::string body_;  // Of the request being encoded; kept for its memory.
};

}  // namespace rps::jsonrpc
