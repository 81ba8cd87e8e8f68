// Any bytes as records of the fixed layout: all or none of a payload's records are read, and what
// is answered has one reply, of one size, for each call that wants one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/fixed_layout.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/respond.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/fuzz/table.hpp"

namespace {

constexpr std::size_t batch_calls_max = 8;  // So that short inputs reach it.

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::jsonrpc;
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  Calls calls;
  fixed_layout_format.decode(payload, batch_calls_max, calls);
  require(!calls.list.empty(), "a payload has at least one call");

  const Limits limits{.batch_calls_max = batch_calls_max};
  Table table(limits);
  std::string out;
  respond(payload, {.format = fixed_layout_format, .can_push = true, .trace = {}}, table, out);
  const auto replies =
      static_cast<std::size_t>(std::ranges::count_if(calls.list, &Call::wants_reply));
  require(out.empty() == (replies == 0), "who wants a reply gets one, and nobody else");
  require(out.size() == replies * fixed_layout::reply_bytes, "replies have one size");
  return 0;
}
