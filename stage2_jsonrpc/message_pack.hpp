// JSON-RPC 2.0 in MessagePack: the same members, methods, parameters and errors as in JSON.
// Decoding builds no tree and allocates nothing: MessagePack has no escapes, so that all texts of a
// call are views into the payload. Why this is not left to a library:
// docs/decisions/011-message-pack.md.
//
//   refused as -32700   what is no MessagePack or cut short, bytes behind the value, bin, ext, keys
//                       that are not text, text that is not UTF-8, a member given twice
//   refused as -32600   more than limits::json_depth_max containers inside each other, an empty or
//                       too long batch, members that JSON-RPC does not allow, an id that is not
//                       text, a number or nil or takes more than limits::id_text_bytes_max bytes
//   refused as -32601   an unknown method; rpc.discover, whose document is JSON
//   refused as -32602   parameters of the wrong type, unknown, or too many
//
// -32700 is the failure of the whole payload, and none of its calls is executed. Members that
// JSON-RPC does not know are ignored, also when they are given twice.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/call.hpp"

// The format itself is message_pack_format in format.hpp.
namespace rps::jsonrpc {

// Always fills `calls` with at least one call.
void decode_message_pack(std::string_view payload, std::size_t batch_calls_max, Calls& calls);

}  // namespace rps::jsonrpc
