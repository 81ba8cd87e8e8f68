// Any bytes as a payload of MessagePack: what is read as a call is what an independent reader finds
// there, and whatever is answered is MessagePack.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/respond.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/table.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;

constexpr std::size_t batch_calls_max = 8;  // So that short inputs reach it.

// The call as a foreign reader understands it. REQUIRES: `call` is none that failed.
void check_call(const Call& call, const Json& request) {
  require(request.is_object() && request.value("jsonrpc", "") == "2.0", "a call is a request");
  require(call.wants_reply == request.contains("id"), "who gives an id wants a reply");
  const std::string method = request.at("method").get<std::string>();
  require(method == to_string(call.command.operation), "a call is of its method");
}

void check_calls(std::string_view payload, const Calls& calls) {
  const bool is_read =
      std::ranges::any_of(calls.list, [](const Call& call) { return !call.failure.has_value(); });
  if (!is_read) return;
  const Json message = Json::from_msgpack(payload, true, false);
  require(!message.is_discarded(), "what is read is MessagePack");
  require(calls.is_batch == message.is_array(), "an array is a batch");
  for (std::size_t i = 0; i < calls.list.size(); ++i) {
    if (calls.list[i].failure) continue;
    check_call(calls.list[i], calls.is_batch ? message.at(i) : message);
  }
}

void check_answer(std::string_view payload, const Calls& calls) {
  const Limits limits{.batch_calls_max = batch_calls_max};
  Table table(limits);
  std::string out;
  respond(payload, {.format = message_pack_format, .can_push = true, .trace = {}}, table, out);
  const auto replies =
      static_cast<std::size_t>(std::ranges::count_if(calls.list, &Call::wants_reply));
  require(out.empty() == (replies == 0), "who wants a reply gets one, and nobody else");
  require(out.size() <= replies * limits::reply_bytes_max + 5, "replies have their limit");
  if (out.empty()) return;
  const Json answer = Json::from_msgpack(out, true, false);
  require(!answer.is_discarded(), "an answer is MessagePack");
  require(calls.is_batch ? answer.is_array() && answer.size() == replies : answer.is_object(),
          "a batch has one reply for each of its calls");
}

}  // namespace
}  // namespace rps::jsonrpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::jsonrpc;
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  Calls calls;
  message_pack_format.decode(payload, batch_calls_max, calls);
  require(!calls.list.empty(), "a payload has at least one call");
  check_calls(payload, calls);
  check_answer(payload, calls);
  return 0;
}
