#include "core/net/stream.hpp"

#include <cassert>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace rps::net {

bool BufferedStream::open(Stream stream) {
  assert(!is_open());
  const int output_fd = stream.out ? stream.out.get() : stream.in.get();
  if (!loop_.add(entry_, stream.in.get(), output_fd)) return false;
  stream_ = std::move(stream);
  return true;
}

void BufferedStream::close() {
  loop_.remove(entry_);
  stream_ = Stream();
  input.clear();
  output.clear();
  written_ = 0;
}

bool BufferedStream::write(std::string_view bytes) {
  if (output.empty()) {
    const auto taken = write_now(bytes);
    if (!taken) return false;
    output = bytes.substr(*taken);
  } else {
    output += bytes;
    const auto taken = write_now(std::string_view(output).substr(written_));
    if (!taken) return false;
    written_ += *taken;
  }
  if (written_ == output.size()) {
    output.clear();
    written_ = 0;
  }
  loop_.wait_for_room(entry_, !output.empty());
  return true;
}

// As many of the bytes as the kernel has room for; nothing when the stream takes none any longer.
std::optional<std::size_t> BufferedStream::write_now(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const char* const data = bytes.data() + taken;
    const std::size_t size = bytes.size() - taken;
    const ssize_t count = stream_.out ? ::write(stream_.out.get(), data, size)
                                      : ::send(stream_.in.get(), data, size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return std::nullopt;
    if (count < 0) break;
    taken += static_cast<std::size_t>(count);
  }
  return taken;
}

}  // namespace rps::net
