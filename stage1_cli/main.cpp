// rps-cli: the game at a terminal or on a pipe.
#include <iostream>
#include <random>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "core/game.hpp"
#include "core/net/program.hpp"
#include "core/net/terminal.hpp"
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

bool wants_color(Color color) {
  switch (color) {
    case Color::always: return true;
    case Color::never: return false;
    case Color::by_output: break;
  }
  return net::shows_color(STDOUT_FILENO);
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
    const auto exit_code = run_batch(game, STDIN_FILENO, STDOUT_FILENO);
    if (!exit_code) throw std::runtime_error(exit_code.error());
    return *exit_code;
  }
  options.session_idle = Clock::duration::max();  // A person may go for lunch.
  Game game(options);
  Terminal terminal(STDIN_FILENO, STDOUT_FILENO);
  run_interactive(game, terminal, Paint(wants_color(flags.color)));
  if (const std::error_code error = terminal.write_error()) {
    throw std::system_error(error, "cannot write to stdout");
  }
  if (const std::error_code error = terminal.read_error()) {
    throw std::system_error(error, "cannot read stdin");
  }
  return 0;
}

int run(std::span<const char* const> arguments) {
  const auto flags = parse_flags(arguments);
  if (!flags) throw std::invalid_argument(flags.error());
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
  return rps::net::run_program("rps-cli", [&] {
    return rps::cli::run(std::span<char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
  });
}
