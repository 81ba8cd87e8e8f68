// rps-floor-pipe: the floor of a child process behind pipes. For every REQUEST_BYTES on stdin it
// writes REPLY_BYTES to stdout, until stdin ends. It answers all requests of one read with one
// write, as rps-cli does.
//
//   rps-floor-pipe REQUEST_BYTES REPLY_BYTES
//
// It prints nothing else: its stdout is the wire. The client is echo+pipe:PATH.
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>

#include <unistd.h>

#include "bench/floors/sizes.hpp"

namespace {

bool write_all(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::write(STDOUT_FILENO, data, size);
    if (count <= 0) return false;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const auto [request_bytes, reply_bytes] = rps::floors::read_sizes(argc, argv, "rps-floor-pipe");
  static std::array<char, 1 << 16> buffer;
  const std::string out((buffer.size() / request_bytes + 1) * reply_bytes, 'x');
  std::size_t pending = 0;  // Bytes of an unfinished request.
  for (;;) {
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size <= 0) return size == 0 ? 0 : 1;
    pending += static_cast<std::size_t>(size);
    const std::size_t calls = pending / request_bytes;
    pending %= request_bytes;
    if (!write_all(out.data(), calls * reply_bytes)) return 1;
  }
}
