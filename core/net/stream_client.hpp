// A Client over byte streams: sockets or pipes, one or many, driven by one epoll. A stage brings
// only what its bytes mean (WireCodec) and how a stream is opened.
//
// Every stream answers in request order, so a reply belongs to the oldest open call of its stream.
// All that one read brings is decoded before the next, and what was submitted meanwhile leaves
// before it, in one write per stream: a poll costs one wait, and one read and one write for each
// stream that has something.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/client.hpp"
#include "core/net/epoll.hpp"
#include "core/net/fd.hpp"
#include "core/net/input_buffer.hpp"

namespace rps::net {

// What a stream's bytes mean. One codec serves all streams of a client, one call at a time.
class WireCodec {
 public:
  virtual ~WireCodec() = default;

  // Appends one request. `sequence` counts the requests of the stream, from 1; a wire that carries
  // ids uses it as the id.
  virtual void encode(std::uint64_t sequence, const Command& command, std::string& out) = 0;

  // The oldest call of the stream that is not answered yet.
  struct Expected {
    Operation operation = Operation::play;
    std::uint64_t sequence = 0;
  };

  enum class Outcome : std::uint8_t {
    need_more,  // No whole message yet.
    reply,      // `reply` holds the answer to the expected call.
    event,      // `event` holds what a duel tells.
    broken,     // These bytes are no message: the stream cannot be trusted any longer.
  };

  // Reads one message from the front of `bytes`, which is not empty, and says in `consumed` how
  // long it was. `expected` is null when no call is open: then a reply is `broken`. `reply` and
  // `event` come in default-constructed; views put into `reply` must point into `bytes` or to
  // constants.
  virtual Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                         Reply& reply, Event& event) = 0;
};

// One open stream. A socket is both ways at once: leave `out` empty. A child process has a pipe
// each way.
struct Stream {
  Fd in;             // Read from; sent to as well when `out` is empty. Non-blocking.
  Fd out;            // Written to. Non-blocking.
  pid_t child = -1;  // A child process behind the pipes; ended and reaped with the client.
};

// A stream that ends, fails or brings bytes that are no message is out of service for good: its
// open calls are answered with Error::unavailable. Later calls go to the others; when those are
// full or there are none, such a call is answered with Error::unavailable at the next poll.
class StreamClient final : public Client {
 public:
  // Opens one stream, or throws std::exception.
  using Open = std::function<Stream()>;

  // Opens `streams` streams at once; each carries `depth` open calls at most. Throws what `open`
  // throws, and std::system_error. REQUIRES: both are at least 1.
  StreamClient(std::unique_ptr<WireCodec> codec, std::size_t streams, std::size_t depth,
               const Open& open);

  // Closes the streams. Children have a moment to end on their own, then are killed.
  ~StreamClient() override;
  StreamClient(const StreamClient&) = delete;
  StreamClient& operator=(const StreamClient&) = delete;

  // The stream `id % streams` carries the call when it has room: whoever numbers its players from 0
  // and uses the numbers as ids has each of them on one stream. Else it is a stream without open
  // calls if there is one, else one that has room, in turns.
  void submit(std::uint64_t id, const Command& command) override;
  std::size_t poll(Clock::time_point deadline, Sink& sink) override;

  // Streams times depth, whether or not all streams still serve.
  std::size_t in_flight_max() const override { return lanes_.size() * depth_; }

  // The children behind the streams, for those who account for their CPU time.
  std::vector<pid_t> children() const;

 private:
  struct Call {
    std::uint64_t id = 0;
    Operation operation = Operation::play;
    Clock::time_point sent_at;
  };

  // A stream and its calls. The ring of calls and both buffers keep what they once grew to.
  struct Lane {
    Stream stream;
    std::vector<Call> calls;  // A ring of `depth`; `open` of them from `oldest` on.
    std::size_t oldest = 0;
    std::size_t open = 0;
    std::size_t unsent = 0;      // The newest of the open calls: encoded, but not written yet.
    std::uint64_t sequence = 0;  // Of the newest call.
    std::string out;
    std::size_t written = 0;  // Bytes of `out`.
    InputBuffer in;
    std::size_t place = 0;  // Its index in order_.
    bool dirty = false;     // Stands in dirty_.
    bool blocked = false;   // Waits for room to write.
    bool broken = false;
  };

  std::size_t place_for(std::uint64_t id);
  Call& call_at(Lane& lane, std::size_t index) const;
  Call take_oldest(Lane& lane);
  void regroup(Lane& lane);
  void swap_places(std::size_t a, std::size_t b);

  void serve(Lane& lane, Sink& sink);
  InputBuffer::Arrival receive(Lane& lane);
  bool decode(Lane& lane, Sink& sink);

  void flush_dirty(Sink& sink);
  void flush(Lane& lane, Sink& sink);
  bool write_out(Lane& lane);
  void watch_for_room(Lane& lane, bool blocked);

  void fail(Lane& lane, Sink& sink);
  void answer_refused(Sink& sink);
  void end_children();

  std::unique_ptr<WireCodec> codec_;
  std::size_t depth_;
  Epoll epoll_;
  std::vector<Lane> lanes_;

  // All lanes, grouped: [0, idle_) have no open call, [idle_, free_) have some and room for more,
  // the rest are full or broken.
  std::vector<std::uint32_t> order_;
  std::size_t idle_ = 0;
  std::size_t free_ = 0;
  std::size_t turn_ = 0;  // Spreads calls over the lanes that have some.

  std::vector<std::uint32_t> dirty_;   // Lanes with something new to write.
  std::vector<Call> refused_;          // Calls that found no stream …
  std::vector<Call> refused_in_turn_;  // … and those of them being answered.
  Clock::time_point received_at_;      // When the last read returned.
  std::size_t handed_over_ = 0;        // By this poll.
};

// A TCP connection with TCP_NODELAY, non-blocking, made within `timeout`; all addresses of `host`
// are tried in turn. Throws std::system_error.
Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

// Starts a child with non-blocking pipes on its stdin and stdout; stderr is shared. argv[0] is the
// path. Throws std::system_error.
//
// Writing to a child that died raises SIGPIPE, and unlike for sockets no flag of the call prevents
// it. So this sets SIGPIPE to ignored, for the whole process, when it would kill it; a handler
// that somebody installed stays. The child starts with the default again.
Stream spawn_child(const std::vector<std::string>& argv);

// The same with a pseudo-terminal in the place of the pipes. Its line discipline collects lines, as
// a person's terminal does, but neither echoes them nor turns \n into \r\n. It is not the child's
// controlling terminal.
Stream spawn_child_on_terminal(const std::vector<std::string>& argv);

}  // namespace rps::net
