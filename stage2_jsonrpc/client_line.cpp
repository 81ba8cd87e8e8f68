#include "stage2_jsonrpc/client_line.hpp"

#include "stage2_jsonrpc/client_format.hpp"

namespace rps::jsonrpc {

// No JSON text that we write has a line end inside: those of its strings are escaped.
void LineClientCodec::encode(std::uint64_t sequence, const Command& command, std::string& out) {
  json_client_format.append_request(sequence, command, out);
  out.push_back('\n');
}

LineClientCodec::Outcome LineClientCodec::decode(std::string_view bytes, const Expected* expected,
                                                 std::size_t& consumed, Reply& reply,
                                                 Event& event) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return Outcome::need_more;
  const std::string_view line = bytes.substr(0, end);
  consumed = end + 1;
  if (expected != nullptr) {
    reply.operation = expected->operation;
    if (json_client_format.read_reply(line, expected->sequence, reply)) return Outcome::reply;
  }
  return json_client_format.read_event(line, event) ? Outcome::event : Outcome::broken;
}

}  // namespace rps::jsonrpc
