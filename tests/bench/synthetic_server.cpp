// rps-synthetic: a server that plays like the others but whose answers take a known time, and of
// which a known share is wrong. What a harness measures of it can be compared with what is true.
//
//   rps-synthetic --delay exp:1ms --wrong 0.01 --error 0.02 --seed 7 --protocol grpc
//
// Prints its URL, and at its end (SIGTERM) what it has done: Script::summary().
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "core/game.hpp"
#include "core/url.hpp"
#include "tests/bench/synthetic/script.hpp"
#include "tests/bench/synthetic/server.hpp"

namespace {

using namespace rps::synthetic;

struct Flags {
  std::string delay = "fixed:1ms";
  std::string listen = "127.0.0.1:0";
  std::string protocol = "jsonrpc";
  double wrong = 0;
  double error = 0;
  std::uint64_t seed = 0;
};

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--delay", flags.delay, "fixed:1ms, exp:1ms or bimodal:1ms,20ms,0.01");
  app.add_option("--listen", flags.listen, "host:port; port 0 lets the system choose");
  app.add_option("--protocol", flags.protocol)
      ->check(CLI::IsMember(RPS_HAVE_STAGE3 ? std::vector<std::string>{"jsonrpc", "http", "grpc"}
                                            : std::vector<std::string>{"jsonrpc", "http"}));
  app.add_option("--wrong", flags.wrong, "Share of answers with a wrong result")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--error", flags.error, "Share of calls that fail")->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", flags.seed, "Of the house's moves, the delays and the mistakes");
}

void block_signals() {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
}

void print_line(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

int serve(const Flags& flags) {
  const auto delay = Delay::parse(flags.delay);
  const auto listen = rps::parse_host_port(flags.listen);
  if (!delay || !listen) {
    std::fprintf(stderr, "rps-synthetic: %s\n", (delay ? listen.error() : delay.error()).c_str());
    return 2;
  }
  rps::Game game({.seed = flags.seed});
  Script script({.delay = *delay, .wrong = flags.wrong, .error = flags.error, .seed = flags.seed});
  const auto ready = [&](const rps::HostPort& address) {
    print_line(flags.protocol + "://" + to_string(address));
  };
  const bool is_grpc = flags.protocol == "grpc";
#if RPS_HAVE_STAGE3
  if (is_grpc) serve_grpc(*listen, game, script, ready);
#endif
  if (!is_grpc) serve_jsonrpc(*listen, game, script, ready);
  print_line(script.summary());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A server whose answers take a known time", "rps-synthetic");
  Flags flags;
  add_flags(app, flags);
  CLI11_PARSE(app, argc, argv);
  block_signals();
  try {
    return serve(flags);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "rps-synthetic: %s\n", failure.what());
    return 1;
  }
}
