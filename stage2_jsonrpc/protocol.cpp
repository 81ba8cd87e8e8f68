#include "stage2_jsonrpc/protocol.hpp"

#include "stage2_jsonrpc/frame_protocol.hpp"
#include "stage2_jsonrpc/http_protocol.hpp"
#include "stage2_jsonrpc/line_protocol.hpp"

namespace rps::jsonrpc {

Progress Protocol::take_messages(std::string_view bytes, Context& context, std::string& out) {
  const Limits& limits = context.limits();
  Progress progress;
  std::size_t calls = 0;
  Next next = Next::message;
  while (progress.consumed < bytes.size() && next == Next::message) {
    progress.more = calls >= limits.calls_per_turn || out.size() > limits.unsent_bytes_max;
    if (progress.more) break;
    const Step step = take_message(bytes.substr(progress.consumed), context, out);
    progress.consumed += step.consumed;
    progress.messages += step.calls > 0 ? 1 : 0;
    calls += step.calls;
    next = step.next;
  }
  progress.partial = next == Next::more_bytes;
  progress.end = next == Next::end;
  return progress;
}

std::unique_ptr<Protocol> make_protocol(char first, const Limits& limits) {
  if (std::string_view("{[ \t\r\n").contains(first)) return std::make_unique<LineProtocol>();
  if (first >= 'A' && first <= 'Z') return std::make_unique<HttpProtocol>(limits);
  return std::make_unique<FrameProtocol>();
}

}  // namespace rps::jsonrpc
