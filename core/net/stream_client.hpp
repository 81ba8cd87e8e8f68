// A Client over one or more byte streams, which are sockets or pipes. A stage provides its
// WireCodec, and a function that opens a stream or the Endpoint to connect to.
//
// Every stream answers in request order (RequestQueue). All that one read brings is decoded before
// the next read; what the sink submits meanwhile is written before it, in one write per stream. So
// a poll makes one wait, and one read and one write for each stream that has bytes to move.
//
// What becomes of a stream that ends:
//
//     open ──▶ closed ──▶ dialling ──▶ open      a connection: opened again for the next call
//       │         ▲           │ fails
//       │         └─ waiting ◀┤                  only if it is to outlast outages
//       ▼                     ▼
//     out of service ◀────────┘                  a child's pipes, at once
//
// When a connection ends, those of its calls are sent again over the next one that the server has
// certainly not processed: all that follow a `last_reply`, and those that were not written. Calls
// that were written and may be carried out twice (is_idempotent) are sent again as well, but not
// when the connection has brought no reply at all: this server may end at each of them. All other
// calls are answered with Error::unavailable, because the server may have carried them out.
//
// A server that has a name may have moved when a connection is opened again. So its name is looked
// up again, on a thread beside the event loop, and all its addresses are tried (Dialling).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/client.hpp"
#include "core/net/byte_queue.hpp"
#include "core/net/dialling.hpp"
#include "core/net/endpoint.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/loop_client.hpp"
#include "core/net/request_queue.hpp"
#include "core/net/resolver.hpp"
#include "core/net/stream.hpp"
#include "core/net/wire_codec.hpp"
#include "core/url.hpp"

namespace rps::net {

// A stream is out of service for good when its pipes end, when it brings bytes that are no message,
// or when its connection cannot be opened again. Later calls go to the other streams; when those
// are full, or none is left, such a call is answered with Error::unavailable at the next poll.
class StreamClient final : public LoopClient {
 public:
  // How long connecting again may take, with looking up the name and all addresses, and the time
  // between two attempts of a client that outlasts outages.
  static constexpr std::chrono::milliseconds dial_max{5000};
  static constexpr std::chrono::milliseconds dial_period{100};

  // Opens one stream, or throws std::exception.
  using Open = std::function<Stream()>;

  // Opens `streams` streams at once; each carries `depth` open calls at most. None is opened again.
  // Throws what `open` throws, and std::system_error. REQUIRES: both are at least 1.
  StreamClient(std::unique_ptr<WireCodec> codec, std::size_t streams, std::size_t depth,
               const Open& open);

  // The same with connections to `endpoint`, each made within options.timeout_max, which are opened
  // again when they end.
  StreamClient(std::unique_ptr<WireCodec> codec, Endpoint endpoint, const ConnectOptions& options);

  // Closes the streams. Children have 200 ms to end, all of them together, then they are killed.
  ~StreamClient() override;
  StreamClient(const StreamClient&) = delete;
  StreamClient& operator=(const StreamClient&) = delete;

  // The stream `id % streams` carries the call when it has room. So a caller that numbers its
  // players from 0 and uses the numbers as ids has each player on one stream. Else a stream without
  // open calls carries it, else one that has room, in turns; the search compares all streams.
  void submit(std::uint64_t id, const Command& command) override;

  // Streams times depth, whether or not all streams are still in service.
  std::size_t in_flight_max() const override { return slots_.size() * depth_; }

  ConnectionCounts connection_counts() const override { return counts_; }

  // The children behind the streams, for those who account for their CPU time.
  const std::vector<pid_t>& children() const { return children_; }

 private:
  // A stream and its open calls; the id of a request is the caller's.
  struct Slot {
    enum class State : std::uint8_t {
      open,
      closed,    // Dialled when it has a call.
      dialling,  // Until `due`.
      waiting,   // Dialled when it is `due`; gets no calls.
      out_of_service,
    };

    Slot(EventLoop& loop, std::uint32_t index) : dialling(loop, index), stream(loop, index) {}

    State state = State::open;
    Dialling dialling;
    Address address;  // Of the latest connection.
    BufferedStream stream;
    RequestQueue requests;
    ByteQueue unanswered;      // The encoded requests, in the same order.
    std::size_t written = 0;   // Bytes of those that the stream was given.
    std::size_t resent = 0;    // Requests, of the oldest, that an earlier connection was given.
    bool is_proven = false;    // The connection has brought a reply.
    std::size_t failures = 0;  // In a row: connections that brought no reply.
    Clock::time_point due;
  };

  // How a connection ended.
  enum class End : std::uint8_t {
    in_order,  // After a `last_reply`.
    lost,
    broken,  // It brought bytes that are no message.
  };

  bool has_room(const Slot& slot) const;
  Slot* find_slot(std::uint64_t id);

  void step(Clock::time_point until) override;
  void on_input(std::uint32_t index) override;
  void on_output(std::uint32_t index) override;
  void on_looked_up();
  bool write(Slot& slot);
  void decode(Slot& slot);
  void decode_end(Slot& slot);
  RequestQueue::Request pop(Slot& slot);
  void take_reply(Slot& slot, const Reply& reply);
  void take_last_reply(Slot& slot, const Reply& reply);

  // Whether something is to be done when the slot is `due`.
  static bool is_timed(Slot::State state) {
    return state == Slot::State::dialling || state == Slot::State::waiting;
  }
  void set_state(Slot& slot, Slot::State state, Clock::time_point due = {});
  void dial(Slot& slot);
  void advance_dialling(Slot& slot);
  void finish_dialling(Slot& slot);
  void fail_dialling(Slot& slot);
  void end(Slot& slot, End how);
  Slot::State state_after(Slot& slot, End how);
  void sort_out(Slot& slot, End how);
  void retire(Slot& slot);
  void answer_lost();
  void close_streams();

  std::unique_ptr<WireCodec> codec_;
  std::size_t depth_;
  std::optional<Endpoint> endpoint_;  // None when streams are not opened again.
  Resolver resolver_;
  bool outlasts_outages_ = false;
  std::deque<Slot> slots_;
  std::size_t timed_slots_ = 0;  // Those that dial or wait.
  std::size_t turn_ = 0;         // Where find_slot() begins to look.
  std::vector<pid_t> children_;
  std::vector<RequestQueue::Request> lost_;  // Calls that are to be answered.
  ConnectionCounts counts_;
  Clock::time_point received_at_;  // When the last read returned.
};

// A StreamClient whose streams are TCP connections to host and port of `url`. Throws
// std::system_error.
std::unique_ptr<StreamClient> connect_streams(const Url& url, const ConnectOptions& options,
                                              std::unique_ptr<WireCodec> codec);

}  // namespace rps::net
