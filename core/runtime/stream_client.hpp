// A Client over byte streams: sockets or pipes, one or many, driven by one epoll. A stage brings
// only what its bytes mean (WireCodec) and how a stream is opened.
//
// Every stream answers in request order, so a reply belongs to the oldest open call of its stream.
// Requests submitted between two polls leave in one write per stream; everything that one read
// brings is decoded before the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "core/client.hpp"
#include "core/runtime/fd.hpp"

namespace rps::runtime {

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

  // Reads one message from the front of `bytes` and says in `consumed` how long it was.
  // `expected` is null when no call is open: then a reply is `broken`. `reply` and `event` come in
  // default-constructed; views put into `reply` must point into `bytes` or to constants.
  virtual Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                         Reply& reply, Event& event) = 0;
};

// One open stream. A socket is both `in` and `out` (the same descriptor duplicated is not needed:
// leave `out` empty); a child process has a pipe each way.
struct Stream {
  Fd in;        // Read from; written to as well when `out` is empty. Non-blocking.
  Fd out;       // Written to. Non-blocking.
  pid_t child = -1;  // A child process behind the pipes; ended and reaped with the client.
};

class StreamClient final : public Client {
 public:
  // Opens one stream, or throws std::exception.
  using Open = std::function<Stream()>;

  // Opens `streams` streams at once; each carries `depth` open calls at most.
  StreamClient(std::unique_ptr<WireCodec> codec, std::size_t streams, std::size_t depth,
               const Open& open);
  ~StreamClient() override;
  StreamClient(const StreamClient&) = delete;
  StreamClient& operator=(const StreamClient&) = delete;

  void submit(std::uint64_t id, const Command& command) override;
  std::size_t poll(Clock::time_point deadline, Sink& sink) override;
  std::size_t in_flight_max() const override;

  // The children behind the streams, for those who account for their CPU time.
  std::vector<pid_t> children() const;

 private:
  struct Lane;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A TCP connection with TCP_NODELAY, non-blocking, made within `timeout`. Throws std::system_error.
Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

// Starts a child with non-blocking pipes on its stdin and stdout; stderr is shared. argv[0] is the
// path. Throws std::system_error.
Stream spawn_child(const std::vector<std::string>& argv);

}  // namespace rps::runtime
