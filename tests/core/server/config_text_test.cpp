#include "core/server/config_text.hpp"

#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

namespace rps::server {

namespace {

// The entries as "key=value;value ", or the mistake.
std::string parsed(std::string_view text) {
  const auto entries = parse_config(text);
  if (!entries) return entries.error();
  std::string told;
  for (const ConfigEntry& entry : *entries) {
    told += entry.key + "=";
    for (const std::string& value : entry.values) told += value + ";";
    told += " ";
  }
  return told;
}

}  // namespace

TEST_CASE("a line sets a flag, with or without quotes and comments") {
  CHECK(parsed("") == "");
  CHECK(parsed("\n\r\n  # a = b\n") == "");
  CHECK(parsed("drain = 5s") == "drain=5s; ");
  CHECK(parsed("\t drain=5s \r\nhouse = fair\n") == "drain=5s; house=fair; ");
  CHECK(parsed("drain = 5s# fast") == "drain=5s; ");
  CHECK(parsed("a = \"x # y\" # z") == "a=x # y; ");
  CHECK(parsed("a = 'say \"x\"'") == "a=say \"x\"; ");
  CHECK(parsed("a = \"\"") == "a=; ");
  CHECK(parsed("a = b = c, d") == "a=b = c, d; ");
  CHECK(parsed("a = 1\na = 2") == "a=1; a=2; ");
}

TEST_CASE("an array gives a flag several values") {
  CHECK(parsed("a = [x, y]") == "a=x;y; ");
  CHECK(parsed("a=[\"x,]#\" , 'y' ,z] # w") == "a=x,]#;y;z; ");
  CHECK(parsed("a = [x,]") == "a=x; ");
}

TEST_CASE("what is no such line is refused with its number and its key") {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"a = 1\n\n[game]\n", "line 3: the section '[game]' has no meaning"},
      {"drain", "line 1: the key 'drain' has no '=' behind it"},
      {"drain =", "line 1: the key 'drain' has no value"},
      {"drain = # 5s", "line 1: the key 'drain' has no value"},
      {"a = \"x", "line 1: the key 'a' has a value whose quotes do not end"},
      {"a = \"x\" y", "line 1: the key 'a' has something behind its value"},
      {"a = [x", "line 1: the key 'a' has an array that does not end on its line"},
      {"a = [\nx]", "line 1: the key 'a' has no value"},
      {"a = [x # ]", "line 1: the key 'a' has an array that does not end on its line"},
      {"a = ['x' y]", "line 1: the key 'a' has an array that does not end on its line"},
      {"a = []", "line 1: the key 'a' has no value"},
      {"a = [,]", "line 1: the key 'a' has no value"},
      {"a = [x] y", "line 1: the key 'a' has something behind its value"}};
  for (const auto& [text, mistake] : wrong) {
    INFO(text);
    CHECK(parsed(text) == mistake);
  }
}

}  // namespace rps::server
