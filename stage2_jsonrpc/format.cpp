#include "stage2_jsonrpc/format.hpp"

#include "stage2_jsonrpc/dom.hpp"
#include "stage2_jsonrpc/reply.hpp"
#include "stage2_jsonrpc/scan.hpp"

namespace rps::jsonrpc {

namespace {

void decode_json(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  if (!scan(payload, batch_calls_max, calls)) read_dom(payload, batch_calls_max, calls);
}

}  // namespace

const Format json_format{
    .codec = Codec::json,
    .null_id = "null",
    .decode = decode_json,
    .encode_reply = encode_json_reply,
    .encode_failure = encode_json_failure,
    .encode_event = encode_json_event,
    .begin_batch = [](std::size_t, std::string& out) { out.push_back('['); },
    .separate = [](std::string& out) { out.push_back(','); },
    .end_batch = [](std::string& out) { out.push_back(']'); },
};

const Format* format_of(Codec codec) {
  switch (codec) {
    case Codec::json: return &json_format;
    case Codec::message_pack: return &message_pack_format;
    case Codec::fixed_layout: return &fixed_layout_format;
  }
  return nullptr;  // As it came: a number without a name.
}

}  // namespace rps::jsonrpc
