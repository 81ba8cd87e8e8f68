#include "stage2_jsonrpc/line_protocol.hpp"

#include <algorithm>

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/respond.hpp"

namespace rps::jsonrpc {

LineProtocol::Step LineProtocol::take_message(std::string_view bytes, Context& context,
                                              std::string& out) {
  const std::size_t feed = bytes.find('\n', searched_);
  if (std::min(feed, bytes.size()) > context.limits().line_bytes_max) {
    context.count_refusal(Error::too_large);
    json_format.encode_failure(json_format.null_id, too_large_failure, out);
    out.push_back('\n');
    return {.next = Next::end};
  }
  if (feed == std::string_view::npos) {
    searched_ = bytes.size();
    return {.next = Next::more_bytes};
  }
  searched_ = 0;
  Step step{.consumed = feed + 1};
  const std::string_view line = bytes.substr(0, feed);
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return step;

  const std::size_t size_before = out.size();
  step.calls = respond(line, {.format = json_format, .can_push = true, .trace = {}}, context, out);
  if (out.size() > size_before) out.push_back('\n');
  return step;
}

void LineProtocol::encode_event(const Event& event, std::string& out) {
  json_format.encode_event(event, out);
  out.push_back('\n');
}

}  // namespace rps::jsonrpc
