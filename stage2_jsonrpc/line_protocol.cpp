#include "stage2_jsonrpc/line_protocol.hpp"

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/responder.hpp"

namespace rps::jsonrpc {

Progress LineProtocol::turn(std::string_view bytes, Service& service, std::string& out) {
  Progress progress;
  std::size_t calls = 0;
  while (progress.consumed < bytes.size()) {
    if (is_turn_over(limits_, calls, out.size())) {
      progress.more = true;
      return progress;
    }
    const std::string_view rest = bytes.substr(progress.consumed);
    const std::size_t feed = rest.find('\n', searched_);
    const std::size_t length = feed == std::string_view::npos ? rest.size() : feed;
    if (length > limits_.line_bytes_max) {
      service.refused(Error::too_large);
      json_format.append_failure(json_format.null_id, too_large_failure, out);
      out.push_back('\n');
      progress.end = true;
      return progress;
    }
    if (feed == std::string_view::npos) {
      searched_ = rest.size();
      progress.partial = true;
      return progress;
    }
    searched_ = 0;
    progress.consumed += feed + 1;
    const std::string_view line = rest.substr(0, feed);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;

    ++progress.messages;
    const std::size_t before = out.size();
    calls += responder_.answer(line, {.format = json_format, .can_push = true, .trace = {}},
                               service, out);
    if (out.size() > before) out.push_back('\n');
  }
  return progress;
}

void LineProtocol::append_event(const Event& event, std::string& out) {
  json_format.append_event(event, out);
  out.push_back('\n');
}

}  // namespace rps::jsonrpc
