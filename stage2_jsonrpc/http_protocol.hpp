// HTTP/1.1 on the same port as the frames: POST /rpc takes one JSON-RPC payload, and three pages
// serve the server's operator. Requests may be pipelined; connections are kept open.
//
//   POST /rpc, application/json        200 with the JSON-RPC reply, be it a result or an error;
//                                      204 when no call of it wants a reply
//   GET /healthz, /readyz, /metrics    as on the admin port
//   another path                       404
//   another method                     405 and Allow
//   another media type                 415: a browser sends that one only after asking (CORS), so
//                                      no foreign page can play in a visitor's name
//   a host that the server is not      421, see HostNames in core/net/http_host.hpp
//   a body above body_bytes_max        413, and the stream ends
//   a header above header_bytes_max    431, and the stream ends
//   a request that takes too long      408, and the stream ends
//   what is not HTTP/1.1               400, and the stream ends
//
// The whole table: docs/http.md.
//
// Over HTTP a server cannot send what was not asked for, so it could not tell the events of a duel:
// the operations of a duel are refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/net/http.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

class HttpProtocol final : public Protocol {
 public:
  explicit HttpProtocol(const Limits& limits);

  void encode_event(const Event& event, std::string& out) override;
  void encode_timeout(Context& context, std::string& out) override;

 private:
  struct Response {
    net::HttpPage page;
    std::size_t calls = 1;  // What the request counts as; a page counts as one call.
  };

  Step take_message(std::string_view bytes, Context& context, std::string& out) override;
  Step end_with(const net::HttpPage& page, Context& context, std::string& out);
  Step refuse(Context& context, std::string& out);
  Response respond_to_request(Context& context);
  std::optional<net::HttpPage> page_for_request(Context& context) const;

  net::HttpReader reader_;
  bool is_for_rpc_ = false;  // The request was told to send its body: no page answers it.
};

}  // namespace rps::jsonrpc
