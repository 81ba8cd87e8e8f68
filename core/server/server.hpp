// Start, run and end of a server process, the same for every stage: flags, log, game, metrics,
// admin port, the server itself, its URL on stdout, signals, reloads, drain. A stage implements one
// class, a Server, and a main() of ten lines.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/game.hpp"
#include "core/server/flags.hpp"
#include "core/server/limits.hpp"
#include "core/server/metrics.hpp"

namespace spdlog {
class logger;
}

namespace rps::server {

class BulkLog;

// What run_server() passes to a stage's server; all of it outlives the server.
struct Context {
  const ServerFlags& flags;
  Game& game;
  Metrics& metrics;
  spdlog::logger& log;
  BulkLog& bulk_log;
};

// A stage's server. Its constructor listens and begins to serve, or throws std::exception whose
// what() tells a person why not. The functions below are called by one thread, in this order; those
// that reload any number of times.
class Server {
 public:
  virtual ~Server() = default;

  // Reaches the server: "jsonrpc://127.0.0.1:41234".
  virtual std::string url() const = 0;

  // Lines for stdout about further ports of the server, each with its end: "rest http://…\n".
  virtual std::string further_urls() const { return {}; }

  // Whether the server answers a client now, by asking it as one. Takes 1 s at most, and is called
  // by another thread than the other functions, between the constructor and stop_accepting().
  virtual bool answers() = 0;

  // SIGHUP has come to a server that was started with --config. Reads anew what the server has read
  // from files other than that of --config, such as certificates. What is wrong with such a file
  // is the stage's to log; what was read before then stays in force.
  virtual void reload_files() {}

  // No new connection and no new call from now on; calls that run go on. Does not wait.
  virtual void stop_accepting() = 0;

  // Waits until the calls that have arrived are answered, at most until `deadline`, then closes
  // everything. True when no call that had arrived stayed unanswered; else the stage has logged
  // what it cut off.
  virtual bool drain(Clock::time_point deadline) = 0;
};

// How many threads a stage's server starts to serve: --threads, or else one for each CPU that the
// process may use, at most `default_max`. Logs the number and where it comes from.
unsigned serving_threads(const Context& context, unsigned default_max = limits::threads_max);

// What a stage adds to the frame that all servers share. StageSettings is what the stage's own
// flags set, a default-constructible value. StageServer is a Server with one function more:
//
//   // Puts the reloadable flags (flags::Group) in force; the others have the values that the
//   server
//   // was made with. Threads that serve see the new values at once or with their next call.
//   `fresh`
//   // ends with this call. Throws std::exception when the values cannot be put in force; then
//   // nothing has changed. Called as the functions that reload.
//   void reconfigure(const StageSettings& fresh);
template <class StageServer, class StageSettings>
struct Stage {
  Program program;
  // Adds flags that set `settings`, which outlives the parser. Called for each reading of the
  // flags.
  std::function<void(CLI::App&, StageSettings& settings)> add_flags;
  // Makes the server. The settings outlive it.
  std::function<std::unique_ptr<StageServer>(const Context&, const StageSettings&)> make;
};

namespace detail {

// The settings of one reading of the flags, of whatever type the stage has for them.
class AnySettings {
 public:
  virtual ~AnySettings() = default;
  virtual void add_flags(CLI::App& app) = 0;
  virtual std::unique_ptr<Server> make(const Context& context) const = 0;
  // REQUIRES: `server` was made by the same stage.
  virtual void reconfigure(Server& server) const = 0;
};

template <class StageServer, class StageSettings>
class SettingsOf final : public AnySettings {
 public:
  explicit SettingsOf(const Stage<StageServer, StageSettings>& stage) : stage_(stage) {}

  void add_flags(CLI::App& app) override { stage_.add_flags(app, settings_); }
  std::unique_ptr<Server> make(const Context& context) const override {
    return stage_.make(context, settings_);
  }
  void reconfigure(Server& server) const override {
    static_cast<StageServer&>(server).reconfigure(settings_);
  }

 private:
  const Stage<StageServer, StageSettings>& stage_;
  StageSettings settings_;
};

using NewSettings = std::function<std::unique_ptr<AnySettings>()>;
int run_server(int argc, const char* const* argv, const Program& program,
               const NewSettings& new_settings);

}  // namespace detail

// Runs a server process from argv to exit code:
//   1. reads the flags, sets up log, game and metrics, opens the admin port (not ready yet);
//   2. makes the server, is ready, prints its URL as the first line on stdout and, when there is an
//      admin port, `admin http://host:port` as the second; behind them what further_urls() says. If
//      they cannot be written it logs that and serves all the same: the server is what was asked
//      for;
//   3. once a second sweeps idle sessions and duels and looks whether the file of --config has
//      changed (reload.hpp), until SIGTERM or SIGINT, or SIGHUP without --config. With --config
//      SIGHUP reloads. SIGINT and SIGHUP do nothing when the process was started with them ignored;
//      With --register the server is on the list of a directory service meanwhile;
//   4. is not ready and leaves that list, stops accepting, drains for --drain at most, logs how
//   many
//      calls were answered meanwhile, returns 0.
// A signal before step 2 is complete, but for a SIGHUP that reloads, and a second SIGTERM or SIGINT
// end the process at once.
// Returns 2 for wrong flags, exit_unsupported when Stage::make threw Unsupported, 1 when the start
// failed otherwise.
template <class StageServer, class StageSettings>
int run_server(int argc, const char* const* argv, const Stage<StageServer, StageSettings>& stage) {
  return detail::run_server(argc, argv, stage.program, [&stage] {
    return std::make_unique<detail::SettingsOf<StageServer, StageSettings>>(stage);
  });
}

}  // namespace rps::server
