// A Client over one or more byte streams, which are sockets or pipes. A stage provides its
// WireCodec and a function that opens a stream.
//
// Every stream answers in request order (RequestQueue). All that one read brings is decoded before
// the next read; what the sink submits meanwhile is written before it, in one write per stream. So
// a poll makes one wait, and one read and one write for each stream that has bytes to move.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/client.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/loop_client.hpp"
#include "core/net/request_queue.hpp"
#include "core/net/stream.hpp"
#include "core/net/wire_codec.hpp"
#include "core/url.hpp"

namespace rps::net {

// A stream that ends, fails or brings bytes that are no message is out of service for good: its
// open calls are answered with Error::unavailable. Later calls go to the other streams; when those
// are full, or none is left, such a call is answered with Error::unavailable at the next poll.
class StreamClient final : public LoopClient {
 public:
  // Opens one stream, or throws std::exception.
  using Open = std::function<Stream()>;

  // Opens `streams` streams at once; each carries `depth` open calls at most. Throws what `open`
  // throws, and std::system_error. REQUIRES: both are at least 1.
  StreamClient(std::unique_ptr<WireCodec> codec, std::size_t streams, std::size_t depth,
               const Open& open);

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

  // The children behind the streams, for those who account for their CPU time.
  const std::vector<pid_t>& children() const { return children_; }

 private:
  // A stream and its open calls; the id of a request is the caller's.
  struct Slot {
    Slot(EventLoop& loop, std::uint32_t index) : stream(loop, index) {}

    BufferedStream stream;
    RequestQueue requests;
    bool is_broken = false;  // Gets no calls any longer.
  };

  bool has_room(const Slot& slot) const { return !slot.is_broken && slot.requests.size() < depth_; }
  Slot* find_slot(std::uint64_t id);

  void on_input(std::uint32_t index) override;
  void on_output(std::uint32_t index) override;
  bool decode(Slot& slot);
  void fail(Slot& slot);
  void close_streams();

  std::unique_ptr<WireCodec> codec_;
  std::size_t depth_;
  std::deque<Slot> slots_;
  std::size_t turn_ = 0;  // Where find_slot() begins to look.
  std::vector<pid_t> children_;
  Clock::time_point received_at_;  // When the last read returned.
};

// A StreamClient whose streams are TCP connections to host and port of `url`, made within
// options.timeout_max each. Throws std::system_error.
std::unique_ptr<StreamClient> connect_streams(const Url& url, const ConnectOptions& options,
                                              std::unique_ptr<WireCodec> codec);

}  // namespace rps::net
