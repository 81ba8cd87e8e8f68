#include "core/net/http_wire_codec.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace rps::net {

namespace {

// At most what fits.
std::uint32_t in_milliseconds(std::uint32_t seconds) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(std::uint64_t{1000} * seconds, most));
}

}  // namespace

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

HttpWireCodec::Outcome HttpWireCodec::decode(std::string_view bytes, const Expected* expected,
                                             std::size_t& consumed, Reply& reply,
                                             Event& /*event*/) {
  using Read = HttpResponseReader::Outcome;
  response_.reset();
  switch (response_.read(bytes, consumed)) {
    case Read::need_more: return Outcome::need_more;
    case Read::broken: return Outcome::broken;
    case Read::response: break;
  }
  return expected != nullptr ? take_response(*expected, reply) : Outcome::broken;
}

HttpWireCodec::Outcome HttpWireCodec::decode_end(std::string_view bytes, const Expected& expected,
                                                 Reply& reply) {
  using Read = HttpResponseReader::Outcome;
  response_.reset();
  std::size_t consumed = 0;
  const Read read = response_.read(bytes, consumed);
  const bool is_whole = read == Read::need_more && response_.finish() == Read::response;
  return is_whole ? take_response(expected, reply) : Outcome::broken;
}

// Of a whole response.
HttpWireCodec::Outcome HttpWireCodec::take_response(const Expected& expected, Reply& reply) {
  const Outcome outcome = response_.keeps_open() ? Outcome::reply : Outcome::last_reply;
  const int status = response_.status();
  reply.operation = expected.operation;
  if (!read_body(status, response_.body(), expected, reply)) {
    if (status == 200) return Outcome::broken;
    reply = Reply{.operation = expected.operation, .error = error_of_status(status)};
  }
  if (reply.error && reply.retry_after_ms == 0) {
    reply.retry_after_ms = in_milliseconds(response_.retry_after_seconds());
  }
  return outcome;
}

}  // namespace rps::net
