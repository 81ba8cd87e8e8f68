#include "stage1_cli/flags.hpp"

#include <charconv>
#include <system_error>

namespace rps::cli {

const std::string_view help_text =
    "rps-cli: rock, paper, scissors at a terminal or on a pipe\n"
    "\n"
    "On a terminal a person plays against the house. On a pipe the game speaks\n"
    "one line in, one line out: play MOVE [SESSION], score SESSION,\n"
    "join GAME PLAYER [BEST_OF], throw GAME PLAYER MOVE, leave GAME PLAYER.\n"
    "\n"
    "  --batch             lines in, lines out, even at a terminal\n"
    "  --interactive       prompt and all, even on a pipe\n"
    "  --house NAME        how the house plays: fair (default), weighted, cycle,\n"
    "                      mirror or markov\n"
    "  --seed N            a house that can be foreseen: one seed, one transcript\n"
    "  --max-sessions N    sessions kept at once (default 100000)\n"
    "  --color WHEN        auto (default), always or never\n"
    "  --help, --version\n";

namespace {

// What is wrong with a value, in a sentence; empty when nothing is.
using Complaint = std::string;

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Complaint set_mode(Flags& flags, Mode mode) {
  if (flags.mode != Mode::by_input && flags.mode != mode) {
    return "--batch and --interactive exclude each other";
  }
  flags.mode = mode;
  return {};
}

Complaint set_color(Flags& flags, std::string_view value) {
  if (value == "auto") {
    flags.color = Color::by_output;
  } else if (value == "always") {
    flags.color = Color::always;
  } else if (value == "never") {
    flags.color = Color::never;
  } else {
    return "--color must be auto, always or never";
  }
  return {};
}

Complaint set_house(Flags& flags, std::string_view value) {
  const auto house = parse_strategy(value);
  if (!house) return "--house must be fair, weighted, cycle, mirror or markov";
  flags.house = *house;
  return {};
}

Complaint set_seed(Flags& flags, std::string_view value) {
  std::uint64_t seed = 0;
  if (!read_number(value, seed)) {
    return "--seed must be a whole number from 0 to 18446744073709551615";
  }
  flags.seed = seed;
  return {};
}

Complaint set_sessions_max(Flags& flags, std::string_view value) {
  std::size_t count = 0;
  if (!read_number(value, count) || count == 0 || count > rps::limits::sessions_max) {
    return "--max-sessions must be a whole number from 1 to " +
           std::to_string(rps::limits::sessions_max);
  }
  flags.sessions_max = count;
  return {};
}

using SetValue = Complaint (*)(Flags&, std::string_view);

// What sets the flag `name` from its value; null when there is no such flag with a value.
SetValue find_setter(std::string_view name) {
  if (name == "--house") return set_house;
  if (name == "--seed") return set_seed;
  if (name == "--max-sessions") return set_sessions_max;
  if (name == "--color") return set_color;
  return nullptr;
}

// Whether `argument` is a flag without a value, and if so, what came of it.
std::optional<Complaint> set_switch(Flags& flags, std::string_view argument) {
  if (argument == "--batch") return set_mode(flags, Mode::batch);
  if (argument == "--interactive") return set_mode(flags, Mode::interactive);
  if (argument == "--help" || argument == "-h") {
    flags.request = Request::help;
    return Complaint();
  }
  if (argument == "--version") {
    flags.request = Request::version;
    return Complaint();
  }
  return std::nullopt;
}

}  // namespace

std::expected<Flags, std::string> parse_flags(std::span<const char* const> arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (const auto complaint = set_switch(flags, argument)) {
      if (!complaint->empty()) return std::unexpected(*complaint);
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string name(argument.substr(0, equals));
    const SetValue set_value = find_setter(name);
    if (set_value == nullptr) {
      return std::unexpected("there is no flag " + std::string(argument) + ", see --help");
    }
    const bool has_value = equals != std::string_view::npos;
    if (!has_value && i + 1 == arguments.size()) return std::unexpected(name + " needs a value");
    const std::string_view value = has_value ? argument.substr(equals + 1) : arguments[++i];
    const Complaint complaint = set_value(flags, value);
    if (!complaint.empty()) return std::unexpected(complaint);
  }
  return flags;
}

}  // namespace rps::cli
