// Start, run and end of a server process, the same for every stage: flags, log, game, metrics,
// admin port, the server itself, its URL on stdout, signals, drain. A stage implements one class,
// Server, and a main() of ten lines.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/game.hpp"
#include "core/server/flags.hpp"
#include "core/server/metrics.hpp"

namespace spdlog {
class logger;
}

namespace rps::server {

// What run_server() passes to a stage's server; all of it outlives the server.
struct Context {
  const ServerFlags& flags;
  Game& game;
  Metrics& metrics;
  spdlog::logger& log;
};

// A stage's server. Its constructor listens and begins to serve, or throws std::exception whose
// what() tells a person why not. The functions below are called by one thread, in this order.
class Server {
 public:
  virtual ~Server() = default;

  // Reaches the server: "jsonrpc://127.0.0.1:41234".
  virtual std::string url() const = 0;

  // No new connection and no new call from now on; calls that run go on. Does not wait.
  virtual void stop_accepting() = 0;

  // Waits until the calls that have arrived are answered, at most until `deadline`, then closes
  // everything. True when no call that had arrived stayed unanswered; else the stage has logged
  // what it cut off.
  virtual bool drain(Clock::time_point deadline) = 0;
};

using MakeServer = std::function<std::unique_ptr<Server>(const Context&)>;

// Runs a server process from argv to exit code:
//   1. reads the flags, sets up log, game and metrics, opens the admin port (not ready yet);
//   2. makes the server, is ready, prints its URL as the first line on stdout and, when there is an
//      admin port, `admin http://host:port` as the second. If they cannot be written it logs that
//      and serves all the same: the server is what was asked for;
//   3. sweeps idle sessions and duels once a second, until SIGTERM, SIGINT or SIGHUP; the last two
//      only unless the process was started with them ignored;
//   4. is not ready, stops accepting, drains for flags.drain_max at most, logs how many calls were
//      answered meanwhile, returns 0.
// A signal before step 2 is complete, and a second SIGTERM or SIGINT, end the process at once.
// Returns 2 for wrong flags, exit_unsupported when `make` threw Unsupported, 1 when the start
// failed otherwise.
int run_server(int argc, const char* const* argv, const Program& program, const MakeServer& make);

}  // namespace rps::server
