#include "stage2_jsonrpc/client_format.hpp"

#include "stage2_jsonrpc/call.hpp"

namespace rps::jsonrpc {

const ClientFormat& client_format_of(Codec codec) {
  switch (codec) {
    case Codec::json: return json_client_format;
    case Codec::message_pack: return message_pack_client_format;
    case Codec::fixed_layout: return fixed_layout_client_format;
  }
  return json_client_format;
}

Error meaning_of(std::int64_t code) {
  if (code < -32768 || code > -32000) return Error::internal;  // Not reserved for the protocol.
  switch (static_cast<Code>(code)) {
    case Code::parse_error:
    case Code::invalid_request:
    case Code::invalid_params: return Error::malformed_request;
    case Code::method_not_found: return Error::unknown_operation;
    case Code::overloaded: return Error::overloaded;
    case Code::unknown: return Error::unknown_session;
    case Code::refused: return Error::not_your_turn;
    case Code::too_large: return Error::too_large;
    case Code::deadline_exceeded: return Error::deadline_exceeded;
    case Code::unavailable: return Error::unavailable;
    case Code::unauthenticated: return Error::unauthenticated;
    case Code::permission_denied: return Error::permission_denied;
    case Code::internal_error: return Error::internal;
  }
  return Error::internal;  // A code that this protocol does not define.
}

}  // namespace rps::jsonrpc
