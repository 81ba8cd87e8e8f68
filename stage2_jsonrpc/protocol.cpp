#include "stage2_jsonrpc/protocol.hpp"

#include "stage2_jsonrpc/frame_protocol.hpp"
#include "stage2_jsonrpc/http_protocol.hpp"
#include "stage2_jsonrpc/line_protocol.hpp"

namespace rps::jsonrpc {

std::unique_ptr<Protocol> make_protocol(char first, const Limits& limits, Responder& responder,
                                        Pages& pages) {
  if (std::string_view("{[ \t\r\n").contains(first)) {
    return std::make_unique<LineProtocol>(limits, responder);
  }
  if (first >= 'A' && first <= 'Z') {
    return std::make_unique<HttpProtocol>(limits, responder, pages);
  }
  return std::make_unique<FrameProtocol>(limits, responder);
}

}  // namespace rps::jsonrpc
