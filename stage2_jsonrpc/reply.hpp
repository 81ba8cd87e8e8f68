// The JSON texts a server sends, written straight into the buffer that goes out.
#pragma once

#include <string>
#include <string_view>

#include "core/command.hpp"
#include "stage2_jsonrpc/call.hpp"

namespace rps::jsonrpc {

// The code of an error of the game, or of this server, once the request itself was well-formed.
Code code_of(Error error);

// What a message of this code says: the specification's words, or explain(error).
std::string_view message_of(Code code, Error error);

// Each appends one JSON object of at most limits::reply_bytes_max bytes. `id` is JSON text.
void append_reply(std::string_view id, const Reply& reply, std::string& out);
void append_failure(std::string_view id, const Failure& failure, std::string& out);

// Appends the notification that tells an event.
void append_event(const Event& event, std::string& out);

// Appends a JSON string. Bytes outside ASCII are taken to be UTF-8 and stay as they are.
void append_string(std::string_view text, std::string& out);

}  // namespace rps::jsonrpc
