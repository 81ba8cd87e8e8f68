// JSON-RPC over HTTP/1.1: each call is a POST to /rpc, each reply a response, in the same order, on
// a connection that stays open. As much of HTTP as that takes and no more.
#pragma once

#include <string>
#include <string_view>

#include "core/net/stream_client.hpp"

namespace rps::jsonrpc {

// A response must say its length: one in chunks or without Content-Length breaks the stream. A
// status other than 200 is the error that its body tells or, if that is no reply, the one that
// docs/errors.md gives the status. Events cannot come this way; the server refuses duels.
class HttpClientCodec final : public net::WireCodec {
 public:
  // `authority` is host and port, as in the URL.
  explicit HttpClientCodec(std::string_view authority);

  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override;

 private:
  std::string head_;  // Of every request, up to the number of its Content-Length.
  std::string body_;  // Of the request being encoded; kept for its memory.
};

}  // namespace rps::jsonrpc
