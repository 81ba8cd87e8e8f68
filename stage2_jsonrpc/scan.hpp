// The fast decoder of JSON: for requests as clients usually write them. One pass, from the bytes to
// commands, without a tree in between.
#pragma once

#include <cstddef>
#include <string_view>

#include "stage2_jsonrpc/call.hpp"

namespace rps::jsonrpc {

// Decodes a request or a batch whose strings are plain ASCII without escapes, whose ids are strings
// or integers, which has no member twice and none that is unknown, and whose method comes before
// its params. True: `calls` holds exactly what read_dom() would have made of the same bytes, and
// none of them is a failure. False: the payload has another shape, be it valid or not; only
// read_dom() can tell, and what is in `calls` means nothing.
bool scan(std::string_view payload, std::size_t batch_calls_max, Calls& calls);

}  // namespace rps::jsonrpc
