#include "stage2_jsonrpc/protocol.hpp"

#include "stage2_jsonrpc/frame_protocol.hpp"
#include "stage2_jsonrpc/http_protocol.hpp"
#include "stage2_jsonrpc/line_protocol.hpp"

namespace rps::jsonrpc {

namespace {

// Empty lines at the beginning of a stream. The first byte behind them selects the protocol of the
// stream, which then does everything.
class EmptyLinesFirst final : public Protocol {
 public:
  explicit EmptyLinesFirst(const Limits& limits) : limits_(limits) {}

  void encode_event(const Event& event, std::string& out) override {
    selected_->encode_event(event, out);
  }
  void encode_timeout(Context& context, std::string& out) override {
    if (selected_) selected_->encode_timeout(context, out);
  }

 private:
  Step take_message(std::string_view bytes, Context& context, std::string& out) override {
    if (!selected_ && bytes == "\r") return {.next = Next::more_bytes};
    if (!selected_ && bytes.starts_with("\r\n")) return {.consumed = 2};
    if (!selected_ && bytes.front() == '\r') selected_ = std::make_unique<LineProtocol>();
    if (!selected_) selected_ = make_protocol(bytes.front(), limits_);
    return take_message_with(*selected_, bytes, context, out);
  }

  const Limits& limits_;
  std::unique_ptr<Protocol> selected_;
};

}  // namespace

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

void Protocol::encode_timeout(Context&, std::string&) {}

std::unique_ptr<Protocol> make_protocol(char first, const Limits& limits) {
  if (first == '\r') return std::make_unique<EmptyLinesFirst>(limits);
  if (std::string_view("{[ \t\n").contains(first)) return std::make_unique<LineProtocol>();
  if (first >= 'A' && first <= 'Z') return std::make_unique<HttpProtocol>(limits);
  return std::make_unique<FrameProtocol>();
}

}  // namespace rps::jsonrpc
