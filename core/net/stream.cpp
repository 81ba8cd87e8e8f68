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

bool BufferedStream::write() {
  while (written_ < output.size()) {
    const char* const data = output.data() + written_;
    const std::size_t size = output.size() - written_;
    const ssize_t count = stream_.out ? ::write(stream_.out.get(), data, size)
                                      : ::send(stream_.in.get(), data, size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return false;
    if (count < 0) {
      loop_.wait_for_room(entry_, true);
      return true;
    }
    written_ += static_cast<std::size_t>(count);
  }
  output.clear();
  written_ = 0;
  loop_.wait_for_room(entry_, false);
  return true;
}

}  // namespace rps::net
