// The protocol of one connection to an instance, without its socket: calls go in and bytes come
// out; bytes go in, and answers come out. The fleet knows no more of a wire than these two
// interfaces.
//
// The life of a call, which its owner knows by a number of its own:
//
//     begin() ──▶ write(): its bytes leave ──▶ read(): answered, not_processed or lost
//        │                  │
//        │                  └──▶ cancel(): nothing is told of it any more, except `late`
//        └──▶ abandon(): the connection broke; the session says which calls may have been processed
//
// A session is used by one thread, and calls nobody back: what it has to tell, it tells in read().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/net/input_buffer.hpp"
#include "core/url.hpp"

namespace rps::fleet {

class Session {
 public:
  Session() = default;
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Whether a call may begin now. That may change with every other function here.
  virtual bool has_room() const = 0;

  // The peer has said that it takes no further calls on this connection. No call begins any more;
  // read() tells what becomes of the open ones. Once true it stays true.
  virtual bool is_leaving() const = 0;

  // It is leaving, no call is open, and read() has told everything: the connection can be closed.
  virtual bool is_over() const = 0;

  // The calls that were begun and whose ends read() has not told; with those that were cancelled
  // whose late answers must still come before the next one can.
  virtual std::size_t open_calls() const = 0;

  // Since when the peer has owed an answer that has not come, also to a cancelled call: when the
  // oldest such call was written. Nothing when no answer is due.
  virtual std::optional<Clock::time_point> owes_since() const = 0;

  // Begins a call; write() must follow, with the same `out`, before anything else. Its bytes are
  // appended to `out` here or there. A protocol that cannot carry the operation sends nothing, and
  // read() tells the answer Error::unknown_operation. Returns a handle for cancel().
  // REQUIRES: has_room(); `call` is the number of no open call.
  virtual std::uint64_t begin(std::uint32_t call, const Command& command, std::string& out) = 0;

  // Appends all other bytes that are to be sent to `out`, which goes to the peer `now`. False when
  // the connection cannot be used any longer.
  virtual bool write(std::string& out, Clock::time_point now) = 0;

  // Whether write() has something to send although no call has begun: an acknowledgement, say.
  virtual bool wants_to_write() const = 0;

  // Nobody waits for this answer any longer. The peer is told so where the protocol can do that.
  // REQUIRES: the call was begun and written, read() has not told its end, and it was not
  // cancelled.
  virtual void cancel(std::uint64_t handle) = 0;

  enum class News : std::uint8_t {
    nothing,        // No more until further bytes come.
    answered,       // Of `call`: `reply` holds the answer.
    late,           // Of a call that was cancelled, whose answer came now. It is dropped.
    not_processed,  // Of `call`: the peer has certainly not processed it, and will not.
    lost,           // Of `call`: no answer will come; the peer may have processed it.
    event,          // Of a duel: `event`.
    broken,         // These bytes are wrong: the connection cannot be used any longer.
  };

  // What read() tells. `reply` and `event` come in default-constructed; views in `reply` point into
  // the input, to constants, or into the protocol, where they are valid until the next call of any
  // session of that protocol.
  struct Told {
    std::uint32_t call = 0;
    Reply reply;
    Event event;
  };

  // Whether read() has something to tell although no bytes have come since it told `nothing`.
  virtual bool has_news() const = 0;

  // Takes bytes from the front of `input`, which may be empty, and tells one thing. Call it until
  // it tells `nothing` or `broken`.
  virtual News read(net::InputBuffer& input, Told& told) = 0;

  // The peer has ended the stream, behind `input` of which read() could make nothing. `answered`
  // when the end of the stream is the end of an answer: then it is leaving, and read() tells the
  // rest. Else `broken`.
  virtual News read_end(net::InputBuffer& input, Told& told) = 0;

  // The connection is of no use any longer. Appends the open calls, without the cancelled ones: to
  // `not_processed` those that the peer certainly has not processed, to `lost` the others.
  // Afterwards no function may be called.
  virtual void abandon(std::vector<std::uint32_t>& lost,
                       std::vector<std::uint32_t>& not_processed) = 0;
};

// What is common to all connections to one instance. It outlives its sessions.
class Protocol {
 public:
  Protocol() = default;
  virtual ~Protocol() = default;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;

  // The session of a new connection.
  virtual std::unique_ptr<Session> begin_session() = 0;
};

}  // namespace rps::fleet
