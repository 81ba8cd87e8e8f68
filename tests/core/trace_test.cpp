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

}  // namespace
}  // namespace rps
