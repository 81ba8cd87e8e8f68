// JSON-RPC over HTTP/1.1: each call is a POST to /rpc, each reply a response, in the same order.
// The connection stays open until the server says that it closes it.
#pragma once

#include <string>
#include <string_view>

#include "core/net/http_response.hpp"
#include "core/net/wire_codec.hpp"

namespace rps::jsonrpc {

// A response may be any that HttpResponseReader reads. The last reply of its stream is one whose
// header says so (`Connection: close`, HTTP/1.0) or whose body ends with the stream. With a status
// other than 200 the error is the one in the body or, if the body is no reply, the one that
// docs/errors.md gives the status, to be tried again after `Retry-After`. Events cannot come this
// way; the server refuses duels.
class HttpClientCodec final : public net::WireCodec {
 public:
  // `authority` is host and port, as in the URL.
  explicit HttpClientCodec(std::string_view authority);

  void encode(std::uint64_t sequence, const Command& command, std::string& out) override;

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override;
  bool has_last_replies() const override { return true; }
  Outcome decode_end(std::string_view bytes, const Expected& expected, Reply& reply) override;

 private:
  Outcome read_reply(const Expected& expected, Reply& reply) const;

  std::string head_;  // Of every request, up to the number of its Content-Length.
  std::string body_;  // Of the request being encoded; kept for its memory.
  net::HttpResponseReader response_;
};

}  // namespace rps::jsonrpc
