#include "stage2_jsonrpc/client_http.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/net/input_buffer.hpp"
#include "stage2_jsonrpc/client_format.hpp"

namespace rps::jsonrpc {

namespace {

// The error for a status whose body is no reply.
Error error_of_status(int status) {
  switch (status) {
    case 401: return Error::unauthenticated;
    case 403: return Error::permission_denied;
    case 404:
    case 405: return Error::unknown_operation;
    case 408:
    case 504: return Error::deadline_exceeded;
    case 409: return Error::not_your_turn;
    case 413:
    case 431: return Error::too_large;
    case 429: return Error::overloaded;
    case 503: return Error::unavailable;
    default: return status >= 400 && status < 500 ? Error::malformed_request : Error::internal;
  }
}

// At most what fits.
std::uint32_t in_milliseconds(std::uint32_t seconds) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(std::uint64_t{1000} * seconds, most));
}

}  // namespace

HttpClientCodec::HttpClientCodec(std::string_view authority)
    : response_({.header_bytes_max = net::InputBuffer::bytes_max,
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

HttpClientCodec::Outcome HttpClientCodec::decode(std::string_view bytes, const Expected* expected,
                                                 std::size_t& consumed, Reply& reply,
                                                 Event& /*event*/) {
  using Read = net::HttpResponseReader::Outcome;
  response_.reset();
  switch (response_.read(bytes, consumed)) {
    case Read::need_more: return Outcome::need_more;
    case Read::broken: return Outcome::broken;
    case Read::response: break;
  }
  return expected != nullptr ? read_reply(*expected, reply) : Outcome::broken;
}

HttpClientCodec::Outcome HttpClientCodec::decode_end(std::string_view bytes,
                                                     const Expected& expected, Reply& reply) {
  using Read = net::HttpResponseReader::Outcome;
  response_.reset();
  std::size_t consumed = 0;
  const Read read = response_.read(bytes, consumed);
  const bool is_whole = read == Read::need_more && response_.finish() == Read::response;
  return is_whole ? read_reply(expected, reply) : Outcome::broken;
}

// Of a whole response.
HttpClientCodec::Outcome HttpClientCodec::read_reply(const Expected& expected, Reply& reply) const {
  const Outcome outcome = response_.keeps_open() ? Outcome::reply : Outcome::last_reply;
  reply.operation = expected.operation;
  if (!json_client_format.read_reply(response_.body(), expected.sequence, reply)) {
    if (response_.status() == 200) return Outcome::broken;
    reply = Reply{.operation = expected.operation, .error = error_of_status(response_.status())};
  }
  if (reply.error && reply.retry_after_ms == 0) {
    reply.retry_after_ms = in_milliseconds(response_.retry_after_seconds());
  }
  return outcome;
}

}  // namespace rps::jsonrpc
