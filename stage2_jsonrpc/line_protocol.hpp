// One JSON text on each line, in and out: for people with netcat and for clients that end their
// messages with a line feed. A line of nothing but white space is skipped. A line longer than
// line_bytes_max is answered with -32003, and the stream ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

class LineProtocol final : public Protocol {
 public:
  void encode_event(const Event& event, std::string& out) override;

 private:
  Step take_message(std::string_view bytes, Context& context, std::string& out) override;

  // How many bytes at the front are known to hold no line feed, so that none is searched twice.
  std::size_t searched_ = 0;
};

}  // namespace rps::jsonrpc
