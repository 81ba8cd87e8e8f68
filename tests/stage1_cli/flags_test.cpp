#include "stage1_cli/flags.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::cli {
namespace {

std::expected<Flags, std::string> parse(const std::vector<const char*>& arguments) {
  return parse_flags(arguments);
}

TEST_CASE("without flags everything is as documented") {
  const auto flags = parse({}).value();
  CHECK(flags.request == Request::run);
  CHECK(flags.mode == Mode::by_input);
  CHECK(flags.color == Color::by_output);
  CHECK(flags.house == Strategy::fair);
  CHECK_FALSE(flags.seed.has_value());
  CHECK(flags.sessions_max == rps::limits::sessions_default);
}

TEST_CASE("a value follows its flag behind a sign or as the next word") {
  const auto flags = parse({"--batch", "--house=markov", "--seed", "18446744073709551615",
                            "--max-sessions=10000000", "--color", "never"})
                         .value();
  CHECK(flags.mode == Mode::batch);
  CHECK(flags.house == Strategy::markov);
  CHECK(flags.seed == 18446744073709551615U);
  CHECK(flags.sessions_max == rps::limits::sessions_max);
  CHECK(flags.color == Color::never);
  CHECK(parse({"--seed=1", "--seed=2"}).value().seed == 2);
  CHECK(parse({"--help"}).value().request == Request::help);
  CHECK(parse({"--version"}).value().request == Request::version);
}

TEST_CASE("a wrong flag is told by its name") {
  using Pair = std::pair<std::vector<const char*>, std::string>;
  for (const auto& [arguments, name] : std::vector<Pair>{
           {{"--bogus"}, "--bogus"},
           {{"--bogus=1"}, "--bogus"},
           {{"file"}, "file"},
           {{""}, "--help"},
           {{"--batch=yes"}, "--batch=yes"},
           {{"--batch", "--interactive"}, "--interactive"},
           {{"--seed"}, "--seed needs a value"},
           {{"--seed="}, "--seed"},
           {{"--seed=-1"}, "--seed"},
           {{"--seed=18446744073709551616"}, "--seed"},
           {{"--seed=7x"}, "--seed"},
           {{"--house", "casino"}, "--house"},
           {{"--max-sessions=0"}, "--max-sessions"},
           {{"--max-sessions=10000001"}, "--max-sessions"},
           {{"--color=sometimes"}, "--color"},
       }) {
    CAPTURE(name);
    const auto flags = parse(arguments);
    REQUIRE_FALSE(flags.has_value());
    CHECK(flags.error().find(name) != std::string::npos);
  }
}

}  // namespace
}  // namespace rps::cli
