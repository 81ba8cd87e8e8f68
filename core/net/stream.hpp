// A stream of bytes to a peer: its descriptors alone (Stream), or with buffers (BufferedStream).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "core/net/event_loop.hpp"
#include "core/net/fd.hpp"
#include "core/net/input_buffer.hpp"

namespace rps::net {

// The descriptors of an open stream, which must be non-blocking. A socket carries both directions:
// leave `out` empty. A child process has a pipe for each.
struct Stream {
  Fd in;             // Read from; written to as well when `out` is empty.
  Fd out;            // Written to.
  pid_t child = -1;  // The child process behind the pipes; the owner of the stream reaps it.
};

// A stream in an event loop. Reading takes what one system call brings; writing takes all of
// `output` that the kernel has room for, and lets the loop wait for room for the rest. The buffers
// do not shrink. It must not move while it is open.
class BufferedStream {
 public:
  // REQUIRES: `loop` outlives it; `key` is what the loop's handler hears.
  BufferedStream(EventLoop& loop, std::uint32_t key) : loop_(loop), entry_(key) {}
  ~BufferedStream() { close(); }
  BufferedStream(const BufferedStream&) = delete;
  BufferedStream& operator=(const BufferedStream&) = delete;

  // Takes the stream and adds it to the loop. False, and errno, when the loop cannot take it: then
  // the stream is closed. REQUIRES: it is not open.
  bool open(Stream stream);

  // Closes the descriptors and empties both buffers.
  void close();

  bool is_open() const { return static_cast<bool>(stream_.in); }
  const Fd& input_fd() const { return stream_.in; }

  // Reads once into `input`.
  InputBuffer::Arrival read() { return input.read_from(stream_.in); }

  // The loop's next flush calls on_output() of this stream; there the owner calls write().
  void request_write() { loop_.mark(entry_); }

  // Writes `output`, and `bytes` behind it. What the kernel has no room for now stays in `output`;
  // `bytes` are copied there only then. False when the stream does not take bytes any longer.
  bool write(std::string_view bytes = {});

  // Begins or ends to wait for room, as write() does by itself. For a socket that is being
  // connected: on_output() is called when the outcome is known.
  void wait_for_room(bool waits) { loop_.wait_for_room(entry_, waits); }

  InputBuffer input;   // Was read and is not decoded yet.
  std::string output;  // Is to be written, behind what write() has left.

 private:
  std::optional<std::size_t> write_now(std::string_view bytes);

  EventLoop& loop_;
  EventLoop::Entry entry_;
  Stream stream_;
  std::size_t written_ = 0;  // Bytes of `output`.
};

}  // namespace rps::net
