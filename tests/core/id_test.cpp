#include "core/id.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace rps;

TEST_CASE("An id is 1 to 64 visible ASCII characters") {
  CHECK(is_id("a"));
  CHECK(is_id("!~"));
  CHECK(is_id(std::string(limits::id_bytes_max, 'x')));

  CHECK_FALSE(is_id(""));
  CHECK_FALSE(is_id(std::string(limits::id_bytes_max + 1, 'x')));
  CHECK_FALSE(is_id("a b"));
  CHECK_FALSE(is_id("a\n"));
  CHECK_FALSE(is_id(std::string_view("a\0b", 3)));
  CHECK_FALSE(is_id("\x7f"));
  CHECK_FALSE(is_id("\xc3\xa9"));
}

TEST_CASE("An id keeps its text and compares by it") {
  const Id id("player-1");
  CHECK(id.view() == "player-1");
  CHECK(id == Id("player-1"));
  CHECK_FALSE(id == Id("player-2"));
  CHECK_FALSE(id == Id("player-11"));
  CHECK(Id().empty());
  CHECK_FALSE(Id::parse(""));
  CHECK(Id::parse("x")->view() == "x");
}
