// The protocol of a connection, as code without I/O: bytes that were received go in, bytes to send
// come out. Three protocols share one port; the first byte of a connection selects one of them.
//
//   first byte             protocol                                     declared in
//   0xCA                   frames                                       frame_protocol.hpp
//   `{`, `[`, white space  JSON texts, one on each line                 line_protocol.hpp
//   `A` to `Z`             HTTP/1.1, whose methods are capital letters  http_protocol.hpp
//   carriage return        lines and HTTP may begin with empty lines: the first byte behind them
//   anything else          an error frame, then the stream ends         frame_protocol.hpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "core/net/http_host.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

// What a protocol needs of the server. Dispatcher (dispatcher.hpp) implements it for the server;
// tests implement their own. One Context serves all connections of a thread, one after the other.
class Context {
 public:
  // REQUIRES: `limits` outlives this.
  explicit Context(const Limits& limits) : limits_(limits) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Executes the command of a call. The reply is an error when the game or the server refuses it.
  virtual Reply execute(const Call& call) = 0;

  // Counts a message or a call that was refused before it could be executed.
  virtual void count_refusal(Error error) = 0;

  // True when the server will read nothing behind the bytes of this turn and then end the stream.
  // A protocol that can say so says it in its last answer.
  virtual bool is_last_turn() const { return false; }

  // What the HTTP pages /readyz and /metrics show.
  virtual bool is_ready() const = 0;
  virtual std::string metrics_text() const = 0;

  // For HTTP: whether the server has this name, and the value of the field Date.
  virtual bool accepts(const net::HttpAuthority& host) const = 0;
  virtual std::string_view http_date() = 0;

  const Limits& limits() const { return limits_; }

  // The calls of the payload that is being answered. The object is reused, so that in steady state
  // decoding allocates nothing.
  Calls& decoded_calls() { return decoded_calls_; }

 protected:
  ~Context() = default;

 private:
  const Limits& limits_;
  Calls decoded_calls_;
};

// What Protocol::take_messages() did.
struct Progress {
  std::size_t consumed = 0;  // Bytes from the front that are not needed any more.
  std::size_t messages = 0;  // Whole messages among them.
  bool partial = false;      // The bytes end in the middle of a message.
  bool more = false;         // The turn ended early: whole messages may still be left.
  bool end = false;          // Nothing further is read from this stream.
};

// There is one for each connection. Calls are executed in the order in which they arrive, and their
// replies are written in the same order.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // One turn of the connection: takes whole messages from the front of `bytes` and appends their
  // answers to `out`, until they have made limits.calls_per_turn calls or `out` holds more than
  // limits.unsent_bytes_max.
  // `bytes` begins where the last turn stopped consuming; it has more bytes than then, unless that
  // turn reported `more`.
  Progress take_messages(std::string_view bytes, Context& context, std::string& out);

  // Appends what a peer is told whose message took too long, before its connection is closed.
  // Nothing in a protocol that has no word for it, and when no message has begun.
  virtual void encode_timeout(Context& context, std::string& out);

  // Appends an event of a duel. Never called for a protocol that cannot push (its calls have
  // can_push false), because no player can have joined a duel through it.
  virtual void encode_event(const Event& event, std::string& out) = 0;

 protected:
  enum class Next : std::uint8_t {
    message,     // Another message may follow.
    more_bytes,  // The rest of this message has not arrived.
    end,         // The stream ends here.
  };

  // What became of the bytes at the front.
  struct Step {
    std::size_t consumed = 0;
    std::size_t calls = 0;  // Of the message that was answered; 0 when none was.
    Next next = Next::message;
  };

  // For a protocol that leaves its messages to another one.
  static Step take_message_with(Protocol& other, std::string_view bytes, Context& context,
                                std::string& out) {
    return other.take_message(bytes, context, out);
  }

 private:
  // Takes one message and appends its answer. `bytes` has at least one byte.
  virtual Step take_message(std::string_view bytes, Context& context, std::string& out) = 0;
};

// The protocol that `first` selects. REQUIRES: `limits` outlives it.
std::unique_ptr<Protocol> make_protocol(char first, const Limits& limits);

}  // namespace rps::jsonrpc
