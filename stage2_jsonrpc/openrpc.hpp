// rpc.discover: the description of the methods that the server sends on request.
#pragma once

#include <string>
#include <string_view>

namespace rps::jsonrpc {

// An OpenRPC 1.2.6 document as JSON text, shorter than a frame.
// Source: https://spec.open-rpc.org
std::string_view openrpc_document();

// Appends the whole reply to rpc.discover. `id` is JSON text.
void append_openrpc_reply(std::string_view id, std::string& out);

}  // namespace rps::jsonrpc
