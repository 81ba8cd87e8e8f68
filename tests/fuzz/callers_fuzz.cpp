// Any text as the file of --auth-tokens: each of its lines is a caller who may do what the line
// says, or the first line that is wrong rejects all of them.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stage3_grpc/chain/callers.hpp"
#include "tests/fuzz/require.hpp"

namespace rps::rpc::chain {
namespace {

using jsonrpc::require;

constexpr std::string_view blanks = " \t\r";

// The first word of `text`, which begins behind it then.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

struct Line {
  std::string_view hash;
  std::string_view operations;
  std::string_view name;
};

// Nothing for a line without a caller.
std::optional<Line> split(std::string_view text) {
  Line line;
  line.hash = take_word(text);
  if (line.hash.empty() || line.hash.starts_with('#')) return std::nullopt;
  line.operations = take_word(text);
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  line.name = text.substr(0, text.find_last_not_of(blanks) + 1);
  return line;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(lines.back().size() + 1, text.size()));
  }
  return lines;
}

TokenHash hash_of(std::string_view digits) {
  TokenHash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, hash[i], 16);
  }
  return hash;
}

bool names(std::string_view operations, Operation operation) {
  const std::string list = "," + std::string(operations) + ",";
  return operations == "*" || list.contains("," + std::string(to_string(operation)) + ",");
}

void check_allowed(const Line& line, const Operations& allowed) {
  for (const Operation operation : all_operations) {
    require(allowed.contains(operation) == names(line.operations, operation),
            "allowed is what the line names");
  }
}

void check_caller(const Callers& callers, const Line& line) {
  require(!line.name.empty(), "a caller has a name");
  if (line.hash == "-") return check_allowed(line, callers.allowed_to(line.name));
  require(line.hash.size() == 2 * sizeof(TokenHash), "a hash is whole");
  TokenHash hash = hash_of(line.hash);
  const Callers::TokenHolder* const holder = callers.find(hash);
  require(holder != nullptr && holder->name == line.name, "the holder of a token is found");
  check_allowed(line, holder->allowed);
}

void check_accepted(const Callers& callers, std::string_view text) {
  std::size_t count = 0;
  for (const std::string_view line : lines_of(text)) {
    const auto caller = split(line);
    if (!caller) continue;
    ++count;
    check_caller(callers, *caller);
  }
  require(callers.size() == count, "each line is a caller");
  require(count <= limits::callers_max, "of so many at most");
}

// The line that the mistake names is the first that is wrong.
void check_mistake(const std::string& mistake, std::string_view text) {
  constexpr std::string_view begin = "line ";
  require(mistake.starts_with(begin), "a mistake has its line");
  std::size_t number = 0;
  std::from_chars(mistake.data() + begin.size(), mistake.data() + mistake.size(), number);
  const auto lines = lines_of(text);
  require(number >= 1 && number <= lines.size(), "which the text has");
  const std::string_view wrong = lines[number - 1];
  const auto before = static_cast<std::size_t>(wrong.data() - text.data());
  require(Callers::parse(text.substr(0, before)).has_value(), "what is before it is right");
  const auto again = Callers::parse(text.substr(0, before + wrong.size()));
  require(!again && again.error() == mistake, "what is behind it does not matter");
}

}  // namespace
}  // namespace rps::rpc::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::rpc::chain;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto callers = Callers::parse(text);
  if (callers) {
    check_accepted(*callers, text);
  } else {
    check_mistake(callers.error(), text);
  }
  return 0;
}
