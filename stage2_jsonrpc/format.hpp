// How the payloads of one codec are decoded and encoded. JSON-RPC itself (calls, batches, errors,
// ids that are echoed) is the same for all; the type byte of a frame chooses the format.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/frame.hpp"

namespace rps::jsonrpc {

struct Format {
  Codec codec;

  // The id of a reply to a call whose id could not be read.
  std::string_view null_id;

  // Always fills `calls` with at least one call; a payload that is refused as a whole gives one
  // call with a failure. The views in `calls` point into the payload, to constants or into
  // calls.texts.
  void (*decode)(std::string_view payload, std::size_t batch_calls_max, Calls& calls);

  // Each appends one message of at most limits::reply_bytes_max bytes. `id` is spelled as
  // decode() found it.
  void (*encode_reply)(std::string_view id, const Reply& reply, std::string& out);
  void (*encode_failure)(std::string_view id, const Failure& failure, std::string& out);
  void (*encode_event)(const Event& event, std::string& out);

  // What stands around and between the replies of a batch, of which there are `count`, at least 1.
  void (*begin_batch)(std::size_t count, std::string& out);
  void (*separate)(std::string& out);
  void (*end_batch)(std::string& out);
};

extern const Format json_format;
extern const Format message_pack_format;  // message_pack.hpp
extern const Format fixed_layout_format;  // fixed_layout.hpp

// Null for a number that is no codec.
const Format* format_of(Codec codec);

}  // namespace rps::jsonrpc
