// The complete decoder of JSON: it accepts all that JSON-RPC 2.0 allows, and says what is wrong
// with all else. It is slow. What scan() (scan.hpp) accepts, it decodes alike.
//
//   refused as -32700   what RFC 8259 does not call JSON (a byte order mark, a NUL, invalid UTF-8,
//                       a lone surrogate, bytes behind the value), a member given twice, a number
//                       beyond the range of a double
//   refused as -32600   more than limits::json_depth_max containers inside each other, an empty or
//                       too long batch, more than limits::call_values_max values in a request,
//                       members that JSON-RPC does not allow, an id that is not a string, a number
//                       or null or is longer than limits::id_text_bytes_max
//   refused as -32601   an unknown method; of those that begin with "rpc." there is rpc.discover
//   refused as -32602   parameters of the wrong type, unknown, given twice or too many
#pragma once

#include <cstddef>
#include <string_view>

#include "stage2_jsonrpc/call.hpp"

namespace rps::jsonrpc {

// Always fills `calls` with at least one call; a payload that is refused as a whole is one failure.
// A payload past one of the limits is refused where it passes the limit; what is behind that place
// is not read, and may be no JSON.
void read_dom(std::string_view payload, std::size_t batch_calls_max, Calls& calls);

}  // namespace rps::jsonrpc
