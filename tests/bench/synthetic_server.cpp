// rps-synthetic: a server that plays like the others but whose answers take a known time, and of
// which a known share is wrong. What a harness measures of it can be compared with what is true.
//
//   rps-synthetic --delay exp:1ms --wrong 0.01 --error 0.02 --seed 7 --protocol grpc
//
// Prints its URL, and at its end (SIGTERM) what it has done: Script::summary().
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "core/flags/group.hpp"
#include "core/game.hpp"
#include "core/net/program.hpp"
#include "core/url.hpp"
#include "tests/bench/synthetic/script.hpp"
#include "tests/bench/synthetic/server.hpp"

namespace {

using namespace rps::synthetic;

struct Flags {
  Delay delay = *Delay::parse("fixed:1ms");
  rps::HostPort listen{.host = "127.0.0.1", .port = 0};
  std::string protocol = "jsonrpc";
  double wrong = 0;
  double error = 0;
  std::uint64_t seed = 0;
};

void add_flags(CLI::App& app, Flags& flags) {
  rps::flags::Choices<std::string> protocols{{"jsonrpc", "jsonrpc"}, {"http", "http"}};
  if (RPS_HAVE_STAGE3) protocols.emplace_back("grpc", "grpc");
  rps::flags::Group network(app, "Network");
  network.add_address("--listen", flags.listen, "Address to serve at; port 0 picks a free one");
  network.add_choice("--protocol", flags.protocol, protocols, "What is spoken there");

  constexpr rps::RealRange share{.min = 0, .max = 1};
  rps::flags::Group behaviour(app, "Behaviour");
  const auto read_delay = [&flags](const std::string& text) {
    const auto delay = Delay::parse(text);
    if (!delay) return delay.error();
    flags.delay = *delay;
    return std::string();
  };
  behaviour.add("--delay", "DELAY", "fixed:1ms",
                "Time that an answer takes: fixed:1ms, exp:1ms or bimodal:1ms,20ms,0.01",
                read_delay);
  behaviour.add_share("--wrong", flags.wrong, share, "Share of answers with a wrong result");
  behaviour.add_share("--error", flags.error, share, "Share of calls that fail");
  behaviour.add_number("--seed", flags.seed, {},
                       "Chooses the house's moves, the delays and the mistakes");
}

void block_signals() {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
}

void print_line(const std::string& line) {
  std::cout << line << '\n' << std::flush;
}

int serve(const Flags& flags) {
  rps::Game game({.seed = flags.seed});
  Script script(
      {.delay = flags.delay, .wrong = flags.wrong, .error = flags.error, .seed = flags.seed});
  const auto ready = [&](const rps::HostPort& address) {
    print_line(flags.protocol + "://" + to_string(address));
  };
  const bool is_grpc = flags.protocol == "grpc";
#if RPS_HAVE_STAGE3
  if (is_grpc) serve_grpc(flags.listen, game, script, ready);
#endif
  if (!is_grpc) serve_jsonrpc(flags.listen, game, script, ready);
  print_line(script.summary());
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("A server whose answers take a known time", "rps-synthetic");
  Flags flags;
  add_flags(app, flags);
  if (const auto exit_code = rps::flags::parse(app, argc, argv, "rps-synthetic")) return *exit_code;
  block_signals();
  return serve(flags);
}

}  // namespace

int main(int argc, char** argv) {
  return rps::net::run_program("rps-synthetic", [&] { return run(argc, argv); });
}
