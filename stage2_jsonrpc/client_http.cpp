#include "stage2_jsonrpc/client_http.hpp"

#include <array>
#include <charconv>

#include "core/net/input_buffer.hpp"
#include "stage2_jsonrpc/client_format.hpp"

namespace rps::jsonrpc {

HttpClientCodec::HttpClientCodec(std::string_view authority)
    : HttpWireCodec({.header_bytes_max = net::InputBuffer::bytes_max,
                     .body_bytes_max = net::InputBuffer::bytes_max}) {
  head_.append("POST /rpc HTTP/1.1\r\nHost: ").append(authority);
  head_.append("\r\nContent-Type: application/json\r\nContent-Length: ");
}

void HttpClientCodec::encode(std::uint64_t sequence, const Command& command, std::string& out) {
  body_.clear();
  json_client_format.append_request(sequence, command, body_);
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.begin(), digits.end(), body_.size()).ptr;
  out.append(head_).append(digits.begin(), end).append("\r\n\r\n").append(body_);
}

bool HttpClientCodec::read_body(int /*status*/, std::string_view body, const Expected& expected,
                                Reply& reply) {
  return json_client_format.read_reply(body, expected.sequence, reply);
}

}  // namespace rps::jsonrpc
