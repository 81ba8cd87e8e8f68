#include "stage4_ebpf/start.hpp"

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/catch.hpp"

namespace rps::observe {
namespace {

Mode parse(std::vector<std::string> arguments) {
  CLI::App app;
  Mode mode = Mode::automatic;
  add_flags(app, mode);
  app.parse(arguments);
  return mode;
}

}  // namespace

TEST_CASE("--observe takes one of three words and is auto without") {
  CHECK(parse({}) == Mode::automatic);
  CHECK(parse({"--observe=auto"}) == Mode::automatic);
  CHECK(parse({"--observe=require"}) == Mode::require);
  CHECK(parse({"--observe=off"}) == Mode::off);
}

TEST_CASE("--observe refuses any other word and says which there are") {
  for (const std::string word : {"on", "AUTO", "off "}) {
    CHECK_THROWS_WITH(parse({"--observe=" + word}),
                      Catch::Matchers::Contains(
                          "--observe: must be one of auto|require|off, not '" + word + "'"));
  }
}

}  // namespace rps::observe
