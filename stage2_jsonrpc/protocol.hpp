// The protocol of a connection without the connection: bytes that came in, bytes to go out. Three
// ways to tell messages apart in a stream share one port; the first byte says which it is.
//
//   first byte             protocol                                   here
//   0xCA                   frames                                     frame_protocol.hpp
//   `{`, `[`, white space  a line of JSON each                        line_protocol.hpp
//   `A` to `Z`             HTTP/1.1, a method being in capitals       http_protocol.hpp
//   anything else          an error frame, and the stream ends        frame_protocol.hpp
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

// Who carries the calls out.
class Service {
 public:
  virtual Reply call(const Call& call) = 0;

  // A call, or what should have been one, was refused before it could be carried out.
  virtual void refused(Error error) = 0;

 protected:
  ~Service() = default;
};

// The pages that HTTP offers beside POST /rpc.
class Pages {
 public:
  virtual bool is_ready() = 0;
  virtual std::string metrics_text() = 0;

 protected:
  ~Pages() = default;
};

// What happened in one turn.
struct Progress {
  std::size_t consumed = 0;  // Bytes from the front that are done with.
  std::size_t messages = 0;  // Whole messages among them.
  bool partial = false;      // A message has begun whose end has not come.
  bool more = false;         // The turn ended early: whole messages may still be left.
  bool end = false;          // The stream ends here, by error or by agreement.
};

// Whether a turn of so many calls, with so many bytes unsent, has had its share.
inline bool is_turn_over(const Limits& limits, std::size_t calls, std::size_t unsent_bytes) {
  return calls >= limits.calls_per_turn || unsent_bytes > limits.unsent_bytes_max;
}

class Responder;

// One for each connection. Carries calls out in the order in which they came and writes their
// replies in the same order.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // One turn: all whole messages at the front of `bytes`, until the turn's share of calls is used
  // up or `out` holds more than may wait unsent. `bytes` begins where the last turn stopped
  // consuming, and is longer than it was unless the last turn left `more`.
  virtual Progress turn(std::string_view bytes, Service& service, std::string& out) = 0;

  // Appends what a duel tells. Never called for a protocol that cannot push (can_push of its
  // calls is false): there nobody can have joined one.
  virtual void append_event(const Event& event, std::string& out) = 0;
};

// The protocol that `first` begins. All that is passed must outlive it.
std::unique_ptr<Protocol> make_protocol(char first, const Limits& limits, Responder& responder,
                                        Pages& pages);

}  // namespace rps::jsonrpc
