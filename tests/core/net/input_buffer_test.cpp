#include "core/net/input_buffer.hpp"

#include <array>
#include <string>
#include <utility>

#include <fcntl.h>

#include "tests/catch.hpp"

namespace rps::net {
namespace {

using Arrival = InputBuffer::Arrival;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0);
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }

  void write(const std::string& text) const {
    REQUIRE(::write(in.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

  Fd out;
  Fd in;
};

TEST_CASE("What is read stays until it is consumed") {
  Pipe pipe;
  InputBuffer buffer;
  CHECK(buffer.read_from(pipe.out) == Arrival::nothing);
  pipe.write("abc");
  CHECK(buffer.read_from(pipe.out) == Arrival::bytes);
  buffer.consume(1);
  pipe.write("de");
  CHECK(buffer.read_from(pipe.out) == Arrival::bytes);
  CHECK(buffer.bytes() == "bcde");
  buffer.consume(4);
  CHECK(buffer.empty());
}

TEST_CASE("The end of the stream is told after its last bytes") {
  Pipe pipe;
  InputBuffer buffer;
  pipe.write("x");
  {
    const Fd closed = std::move(pipe.in);
  }
  CHECK(buffer.read_from(pipe.out) == Arrival::bytes);
  CHECK(buffer.read_from(pipe.out) == Arrival::end);
  CHECK(buffer.bytes() == "x");
}

TEST_CASE("A message may fill the buffer, and one byte more is its end") {
  Pipe pipe;
  InputBuffer buffer;
  const std::string chunk(4096, 'x');
  for (std::size_t read = 0; read < InputBuffer::bytes_max; read += chunk.size()) {
    pipe.write(chunk);
    while (buffer.read_from(pipe.out) == Arrival::bytes) {
    }
  }
  CHECK(buffer.bytes().size() == InputBuffer::bytes_max);
  pipe.write("x");
  CHECK(buffer.read_from(pipe.out) == Arrival::failure);
  buffer.consume(1);  // With room again it goes on.
  CHECK(buffer.read_from(pipe.out) == Arrival::bytes);
  CHECK(buffer.bytes().size() == InputBuffer::bytes_max);
}

}  // namespace
}  // namespace rps::net
