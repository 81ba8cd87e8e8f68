#include "stage2_jsonrpc/read_buffer.hpp"

#include <cstring>
#include <string>

#include "tests/catch.hpp"

namespace rps::jsonrpc {
namespace {

void put(ReadBuffer& buffer, std::string_view bytes) {
  const auto room = buffer.prepare();
  REQUIRE(room.size() >= bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

TEST_CASE("What is read and not consumed stays, in order") {
  ReadBuffer buffer;
  put(buffer, "abc");
  buffer.consume(1);
  put(buffer, "def");
  CHECK(buffer.bytes() == "bcdef");
  buffer.consume(5);
  put(buffer, "g");
  CHECK(buffer.bytes() == "g");
}

TEST_CASE("The buffer grows to hold the longest frame but its last byte, and no further") {
  ReadBuffer buffer;
  std::string all;
  while (all.size() < ReadBuffer::bytes_max - 1) {
    const std::size_t room = buffer.prepare().size();
    const std::string part(std::min(room, ReadBuffer::bytes_max - 1 - all.size()),
                           static_cast<char>('a' + all.size() % 26));
    put(buffer, part);
    all += part;
  }
  CHECK(buffer.bytes() == all);
  CHECK(buffer.prepare().size() == 1);
}

TEST_CASE("The buffer is small again when reads are small again") {
  ReadBuffer buffer;
  for (int i = 0; i < 8; ++i) {
    put(buffer, std::string(buffer.prepare().size(), 'x'));
    buffer.consume(buffer.bytes().size());
  }
  CHECK(buffer.prepare().size() == ReadBuffer::bytes_max);
  put(buffer, "x");
  buffer.consume(1);
  CHECK(buffer.prepare().size() == ReadBuffer::bytes_min);
}

}  // namespace
}  // namespace rps::jsonrpc
