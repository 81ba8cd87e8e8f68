// rps-bench: the load harness. What it can do is its list of subcommands.
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "bench/compare_command.hpp"
#if RPS_HAVE_STAGE2
#include "bench/stage2_command.hpp"
#endif

int main(int argc, char** argv) {
  CLI::App app("The load harness of the rock-paper-scissors servers.");
  app.require_subcommand(1);
  rps::load::CompareCommand compare(app);
#if RPS_HAVE_STAGE2
  rps::load::Stage2Command stage2(app);
#endif
  try {
    app.parse(argc, argv);
#if RPS_HAVE_STAGE2
    if (stage2.chosen()) return stage2.run();
#endif
    return compare.run({argv, argv + argc});
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "rps-bench: " << error.what() << '\n';
    return 1;
  }
}
