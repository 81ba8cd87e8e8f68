#include "core/trace.hpp"

#include <string>

#include "tests/catch.hpp"

namespace rps {
namespace {

constexpr std::string_view good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST_CASE("A traceparent is read as the standard spells it") {
  const auto context = parse_traceparent(good);
  REQUIRE(context);
  CHECK(context->trace_id[0] == 0x0a);
  CHECK(context->trace_id[15] == 0x9c);
  CHECK(context->parent_id[0] == 0xb7);
  CHECK(context->parent_id[7] == 0x31);
  CHECK(context->sampled);
  std::string other(good);
  other.back() = '2';
  CHECK(!parse_traceparent(other)->sampled);
}

TEST_CASE("A later version may be longer, the first may not") {
  const std::string rest(good.substr(2));
  CHECK(parse_traceparent("01" + rest));
  CHECK(parse_traceparent("01" + rest + "-more"));
  CHECK(!parse_traceparent("01" + rest + "more"));
  CHECK(!parse_traceparent("00" + rest + "-more"));
  CHECK(!parse_traceparent("ff" + rest));
}

TEST_CASE("Anything else is no traceparent") {
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(!parse_traceparent(good.substr(0, size)));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'g', 'A', ' ', '\0'}) {
      std::string text(good);
      text[at] = c;
      CHECK(!parse_traceparent(text));
    }
  }
  CHECK(!parse_traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
  CHECK(!parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
}

// The cases of the standard's own test suite (w3c/trace-context, test/test.py) that concern one
// header.
TEST_CASE("The standard's examples are read or ignored as it says") {
  struct Example {
    const char* text;
    bool is_read;
  };
  constexpr Example examples[] = {
      {"00-12345678901234567890123456789012-1234567890123456-01", true},
      {"00-12345678901234567890123456789012-1234567890123456-00", true},
      {"cc-12345678901234567890123456789012-1234567890123456-01", true},
      {"cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
       true},
      {"cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-not-be-like",
       false},
      {"00-12345678901234567890123456789012-1234567890123456-01.", false},
      {"00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
       false},
      {"ff-12345678901234567890123456789012-1234567890123456-01", false},
      {".0-12345678901234567890123456789012-1234567890123456-01", false},
      {"0.-12345678901234567890123456789012-1234567890123456-01", false},
      {"000-12345678901234567890123456789012-1234567890123456-01", false},
      {"0-12345678901234567890123456789012-1234567890123456-01", false},
      {"00-00000000000000000000000000000000-1234567890123456-01", false},
      {"00-.2345678901234567890123456789012-1234567890123456-01", false},
      {"00-123456789012345678901234567890123-1234567890123456-01", false},
      {"00-1234567890123456789012345678901-1234567890123456-01", false},
      {"00-12345678901234567890123456789012-0000000000000000-01", false},
      {"00-12345678901234567890123456789012-.234567890123456-01", false},
      {"00-12345678901234567890123456789012-12345678901234567-01", false},
      {"00-12345678901234567890123456789012-123456789012345-01", false},
      {"00-12345678901234567890123456789012-1234567890123456-.0", false},
      {"00-12345678901234567890123456789012-1234567890123456-0.", false},
      {"00-12345678901234567890123456789012-1234567890123456-001", false},
      {"00-12345678901234567890123456789012-1234567890123456-1", false},
      {"00-1234567890123456789012345678901A-1234567890123456-01", false},
      {"", false},
  };
  for (const Example& example : examples) {
    INFO(example.text);
    CHECK(parse_traceparent(example.text).has_value() == example.is_read);
  }
}

TEST_CASE("What is written is read back") {
  const auto context = parse_traceparent(good);
  REQUIRE(context);
  CHECK(to_traceparent(*context) == good);
  CHECK(to_traceparent({.trace_id = {1}, .parent_id = {2}}) ==
        "00-01000000000000000000000000000000-0200000000000000-00");
}

}  // namespace
}  // namespace rps
