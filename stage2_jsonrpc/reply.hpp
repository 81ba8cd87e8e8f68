// The JSON texts that a server sends, written directly into the buffer that is sent.
#pragma once

#include <string>
#include <string_view>

#include "core/command.hpp"
#include "stage2_jsonrpc/call.hpp"

namespace rps::jsonrpc {

// The code with which a reply reports an error of the game, or of this server.
Failure failure_of(Error error);

// The member `message` of an error: the specification's words for its code, or explain(error).
std::string_view message_of(Code code, Error error);

// Each appends one JSON object of at most limits::reply_bytes_max bytes. `id` is JSON text.
void encode_json_reply(std::string_view id, const Reply& reply, std::string& out);
void encode_json_failure(std::string_view id, const Failure& failure, std::string& out);

// Appends the notification of an event.
void encode_json_event(const Event& event, std::string& out);

// Appends a JSON string. Bytes outside ASCII are taken to be UTF-8 and stay as they are.
void append_string(std::string_view text, std::string& out);

}  // namespace rps::jsonrpc
