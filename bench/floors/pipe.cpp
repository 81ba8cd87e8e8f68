// rps-floor-pipe: the floor of a child process behind pipes. For every REQUEST_BYTES on stdin it
// writes REPLY_BYTES to stdout, until stdin ends. It answers all requests of one read with one
// write, as rps-cli does.
//
//   rps-floor-pipe REQUEST_BYTES REPLY_BYTES
//
// It prints nothing else: its stdout is the wire. The client is echo+pipe:PATH.
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "bench/floors/sizes.hpp"
#include "core/net/file.hpp"
#include "core/net/program.hpp"

namespace {

int run(int argc, char** argv) {
  const auto [request_bytes, reply_bytes] = rps::floors::read_sizes(argc, argv);
  static std::array<char, 1 << 16> buffer;
  const std::string out((buffer.size() / request_bytes + 1) * reply_bytes, 'x');
  std::size_t pending = 0;  // Bytes of an unfinished request.
  for (;;) {
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size == 0) return 0;
    if (size < 0) throw std::system_error(errno, std::system_category(), "cannot read stdin");
    pending += static_cast<std::size_t>(size);
    const std::size_t calls = pending / request_bytes;
    pending %= request_bytes;
    const std::string_view replies = std::string_view(out).substr(0, calls * reply_bytes);
    if (const std::error_code error = rps::net::write_all(STDOUT_FILENO, replies)) {
      throw std::system_error(error, "cannot write to stdout");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return rps::net::run_program("rps-floor-pipe", [&] { return run(argc, argv); });
}
