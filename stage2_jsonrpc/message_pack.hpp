// JSON-RPC 2.0 in MessagePack: the same members, methods, parameters and errors as in JSON, spelled
// shorter. Read without a tree; nothing is allocated, as all text stands in the payload unescaped.
//
//   refused as -32700   what is no MessagePack or cut short, bytes behind the value, bin, ext, keys
//                       that are not text, text that is not UTF-8, a member given twice
//   refused as -32600   more than limits::json_depth_max containers inside each other, an empty or
//                       too long batch, an envelope that is none, an id that is not text, a number
//                       or nil or takes more than limits::id_text_bytes_max bytes
//   refused as -32601   an unknown method; rpc.discover, whose document is JSON
//   refused as -32602   parameters of the wrong type, unknown, or too many
//
// The first line is of the payload as a whole: one failure, and nothing carried out. Members that
// the protocol does not know are ignored, also when they are given twice.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/call.hpp"

// The format itself is message_pack_format in format.hpp.
namespace rps::jsonrpc {

// Always fills `calls` with at least one call.
void read_message_pack(std::string_view payload, std::size_t batch_calls_max, Calls& calls);

}  // namespace rps::jsonrpc
