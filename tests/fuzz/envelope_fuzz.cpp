// Any bytes as a payload of JSON-RPC: the fast reader says what the general one says, and whatever
// is answered is JSON with one reply for each call that wants one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "stage2_jsonrpc/dom.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/respond.hpp"
#include "stage2_jsonrpc/scan.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/table.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;

constexpr std::size_t batch_calls_max = 8;  // So that short inputs reach it.

bool is_same(const Call& a, const Call& b) {
  return a.failure == b.failure && a.wants_reply == b.wants_reply &&
         (!a.wants_reply || a.id == b.id) && a.is_discover == b.is_discover && a.trace == b.trace &&
         a.command.operation == b.command.operation && a.command.move == b.command.move &&
         a.command.session_id == b.command.session_id && a.command.game_id == b.command.game_id &&
         a.command.player_id == b.command.player_id && a.command.best_of == b.command.best_of;
}

void check_readers(std::string_view payload, const Calls& general) {
  Calls fast;
  if (!scan(payload, batch_calls_max, fast)) return;
  require(fast.is_batch == general.is_batch, "both readers see the same batch");
  require(std::ranges::equal(fast.list, general.list, is_same), "both readers see the same calls");
  require(
      std::ranges::none_of(fast.list, [](const Call& call) { return call.failure.has_value(); }),
      "the fast reader leaves failures to the general one");
}

void check_answer(std::string_view payload, const Calls& calls) {
  const Limits limits{.batch_calls_max = batch_calls_max};
  Table table(limits);
  std::string out;
  const std::size_t count =
      respond(payload, {.format = json_format, .can_push = true, .trace = {}}, table, out);
  require(count == calls.list.size(), "every call is counted");
  const auto replies =
      static_cast<std::size_t>(std::ranges::count_if(calls.list, &Call::wants_reply));
  require(out.empty() == (replies == 0), "who wants a reply gets one, and nobody else");
  if (out.empty()) return;
  const Json answer = Json::parse(out, nullptr, false);
  require(!answer.is_discarded(), "an answer is JSON");
  require(calls.is_batch ? answer.is_array() && answer.size() == replies : answer.is_object(),
          "a batch has one reply for each of its calls");
  if (!calls.list.front().is_discover) {
    require(out.size() <= replies * (limits::reply_bytes_max + 1) + 2, "replies have their limit");
  }
}

}  // namespace
}  // namespace rps::jsonrpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::jsonrpc;
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  Calls calls;
  read_dom(payload, batch_calls_max, calls);
  require(!calls.list.empty(), "a payload has at least one call");
  check_readers(payload, calls);
  check_answer(payload, calls);
  return 0;
}
