#include "stage1_cli/flags.hpp"

#include "core/number.hpp"

namespace rps::cli {

const std::string_view help_text =
    "rps-cli: rock, paper, scissors at a terminal or on a pipe\n"
    "\n"
    "On a terminal a person plays against the house. On a pipe the game speaks\n"
    "one line in, one line out: play MOVE [SESSION], score SESSION,\n"
    "join GAME PLAYER [BEST_OF], throw GAME PLAYER MOVE, leave GAME PLAYER.\n"
    "\n"
    "Console:\n"
    "  --batch                     Read and write lines, even at a terminal\n"
    "  --interactive               Show prompts, even on a pipe\n"
    "  --color auto|always|never [auto]\n"
    "                              When colors are written\n"
    "Game:\n"
    "  --house fair|weighted|cycle|mirror|markov [fair]\n"
    "                              How the house chooses its moves\n"
    "  --seed NUMBER               Makes the house's moves repeatable: one seed, one\n"
    "                              transcript\n"
    "Limits:\n"
    "  --max-sessions COUNT [100000]\n"
    "                              Sessions kept at once (1 to 10000000)\n"
    "\n"
    "  --help, --version\n";

namespace {

// What is wrong with a value, in a sentence; empty when nothing is.
using Complaint = std::string;

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
  const auto seed = parse_count(value, {});
  if (!seed) return "--seed " + seed.error();
  flags.seed = *seed;
  return {};
}

Complaint set_sessions_max(Flags& flags, std::string_view value) {
  const auto count = parse_count(value, {.min = 1, .max = rps::limits::sessions_max});
  if (!count) return "--max-sessions " + count.error();
  flags.sessions_max = *count;
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
