// One JSON text a line in, one a line out: for people with netcat and for clients that frame by
// line feeds. A line that is empty but for white space is skipped; one above line_bytes_max is
// answered with -32003, and the stream ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "stage2_jsonrpc/limits.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

class LineProtocol final : public Protocol {
 public:
  // REQUIRES: both outlive this.
  LineProtocol(const Limits& limits, Responder& responder)
      : limits_(limits), responder_(responder) {}

  Progress turn(std::string_view bytes, Service& service, std::string& out) override;
  void append_event(const Event& event, std::string& out) override;

 private:
  const Limits& limits_;
  Responder& responder_;
  std::size_t searched_ = 0;  // Bytes at the front that hold no line feed, so none is read twice.
};

}  // namespace rps::jsonrpc
