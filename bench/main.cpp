// rps-bench: the load harness. What it can do is its list of subcommands.
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "bench/compare_command.hpp"

int main(int argc, char** argv) {
  CLI::App app("The load harness of the rock-paper-scissors servers.");
  app.require_subcommand(1);
  rps::load::CompareCommand compare(app);
  try {
    app.parse(argc, argv);
    return compare.run({argv, argv + argc});
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "rps-bench: " << error.what() << '\n';
    return 1;
  }
}
