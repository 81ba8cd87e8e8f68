// rps-cli: the game at a terminal or on a pipe.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <random>
#include <span>
#include <string_view>

#include <unistd.h>

#include "core/game.hpp"
#include "stage1_cli/batch.hpp"
#include "stage1_cli/flags.hpp"
#include "stage1_cli/interactive.hpp"
#include "stage1_cli/terminal.hpp"

namespace rps::cli {

namespace {

std::uint64_t draw_secret() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

GameOptions game_options(const Flags& flags) {
  GameOptions options{.house = flags.house, .seed = flags.seed, .sessions_max = flags.sessions_max};
  if (!options.seed) options.secret = draw_secret();
  return options;
}

// By the rule of no-color.org: NO_COLOR counts when it is there and not empty.
bool wants_color(Color color) {
  switch (color) {
    case Color::always: return true;
    case Color::never: return false;
    case Color::by_output: break;
  }
  const char* const no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) && (no_color == nullptr || *no_color == '\0');
}

bool is_interactive(Mode mode) {
  switch (mode) {
    case Mode::batch: return false;
    case Mode::interactive: return true;
    case Mode::by_input: break;
  }
  return ::isatty(STDIN_FILENO);
}

int play(const Flags& flags) {
  GameOptions options = game_options(flags);
  if (!is_interactive(flags.mode)) {
    Game game(options);
    return run_batch(game, STDIN_FILENO, STDOUT_FILENO);
  }
  options.session_idle = Clock::duration::max();  // A person may go for lunch.
  Game game(options);
  Terminal terminal(STDIN_FILENO, STDOUT_FILENO);
  run_interactive(game, terminal, Paint(wants_color(flags.color)));
  return 0;
}

int run(std::span<const char* const> arguments) {
  const auto flags = parse_flags(arguments);
  if (!flags) {
    std::cerr << "rps-cli: " << flags.error() << '\n';
    return 2;
  }
  switch (flags->request) {
    case Request::run: return play(*flags);
    case Request::help: std::cout << help_text; break;
    case Request::version: std::cout << "rps-cli " RPS_VERSION "\n"; break;
  }
  return 0;
}

}  // namespace

}  // namespace rps::cli

int main(int argc, char** argv) {
  try {
    return rps::cli::run(std::span<char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
  } catch (const std::exception& problem) {
    std::cerr << "rps-cli: " << problem.what() << '\n';
    return 1;
  }
}
