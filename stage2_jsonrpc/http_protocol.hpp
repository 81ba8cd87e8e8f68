// HTTP/1.1 beside the frames: POST /rpc takes one JSON-RPC payload, and three pages answer whoever
// operates the server. Requests may be pipelined; connections are kept open.
//
//   POST /rpc, application/json        200 with the JSON-RPC reply, be it a result or an error;
//                                      204 when no call of it wants a reply
//   GET /healthz, /readyz, /metrics    as on the admin port
//   another path                       404
//   another method                     405 and Allow
//   another media type                 415: a browser sends that one only after asking (CORS), so
//                                      no foreign page can play in a visitor's name
//   a body above body_bytes_max        413, and the stream ends
//   a header above header_bytes_max    431, and the stream ends
//   what is not HTTP/1.1               400, and the stream ends
//
// The server cannot speak first here, so duels are refused: nobody would hear of their events.
#pragma once

#include <string>
#include <string_view>

#include "core/net/http.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

class HttpProtocol final : public Protocol {
 public:
  // REQUIRES: all three outlive this.
  HttpProtocol(const Limits& limits, Responder& responder, Pages& pages);

  Progress turn(std::string_view bytes, Service& service, std::string& out) override;
  void append_event(const Event& event, std::string& out) override;

 private:
  struct Answer {
    net::HttpPage page;
    std::size_t calls = 1;
  };

  Answer answer(const net::HttpRequest& request, Service& service);
  Answer answer_rpc(const net::HttpRequest& request, Service& service);

  const Limits& limits_;
  Responder& responder_;
  Pages& pages_;
  net::HttpReader reader_;
};

}  // namespace rps::jsonrpc
