#include "core/server/server.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include <spdlog/logger.h>

#include "core/net/program.hpp"
#include "core/server/admin.hpp"
#include "core/server/limits.hpp"
#include "core/server/log.hpp"

namespace rps::server {

namespace {

// Waits for SIGTERM and SIGINT. Constructed before any thread is started, so that all threads
// inherit the blocked signals, and only the thread that waits here receives them.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  // Calls `idle` once a period until a signal has come; returns it.
  template <class Idle>
  int wait(std::chrono::seconds period, Idle idle) {
    const timespec timeout{.tv_sec = period.count(), .tv_nsec = 0};
    for (;;) {
      const int signal = sigtimedwait(&signals_, nullptr, &timeout);
      if (signal > 0) return signal;
      idle();
    }
  }

  // From now on a signal ends the process.
  void restore() {
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  }

 private:
  sigset_t signals_;
};

void announce(const Server& server, const Admin* admin, spdlog::logger& log) {
  std::string lines = server.url() + "\n";
  if (admin) lines += "admin " + admin->url() + "\n";
  if (std::fputs(lines.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    log.warn("the URL could not be written to stdout");
  }
}

// Stops the server and logs what became of the calls.
void stop(Server& server, std::chrono::milliseconds drain_max, const Metrics& metrics,
          spdlog::logger& log) {
  const Metrics::Answered before = metrics.answered_so_far();
  const Clock::time_point deadline = Clock::now() + drain_max;
  server.stop_accepting();
  const bool is_complete = server.drain(deadline);
  const Metrics::Answered after = metrics.answered_so_far();
  const std::uint64_t refused = after.unavailable - before.unavailable;
  const std::uint64_t executed = after.all - before.all - refused;
  log.log(is_complete ? spdlog::level::info : spdlog::level::warn,
          "{}; since the signal: {} calls answered, {} refused as unavailable",
          is_complete ? "drained" : "drain incomplete, calls were cut off", executed, refused);
}

void serve(const ServerFlags& flags, const MakeServer& make, StopSignals& signals,
           spdlog::logger& log) {
  Game game(flags.game);
  Metrics metrics(game);
  std::unique_ptr<Server> server;
  std::optional<Admin> admin;  // Goes before the server, whose metrics it reads.
  if (flags.admin) admin.emplace(*flags.admin, [&metrics] { return metrics.text(); });

  server = make({.flags = flags, .game = game, .metrics = metrics, .log = log});
  if (admin) admin->set_ready(true);
  announce(*server, admin ? &*admin : nullptr, log);
  log.info("serving at {}, house {}", server->url(), to_string(flags.game.house));

  const int signal = signals.wait(limits::sweep_period, [&game] { game.sweep(Clock::now()); });
  if (admin) admin->set_ready(false);
  signals.restore();
  log.info("{}: draining for at most {} ms", signal == SIGINT ? "SIGINT" : "SIGTERM",
           flags.drain_max.count());
  stop(*server, flags.drain_max, metrics, log);
}

int run(int argc, const char* const* argv, const Program& program, const MakeServer& make) {
  StopSignals signals;
  std::signal(SIGPIPE, SIG_IGN);

  const auto flags = parse_flags(argc, argv, program);
  if (!flags) return flags.error();
  const auto log = make_logger(program.name, flags->log);
  try {
    serve(*flags, make, signals, *log);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    log->critical("{}", error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace

int run_server(int argc, const char* const* argv, const Program& program, const MakeServer& make) {
  return net::run_program(program.name, [&] { return run(argc, argv, program, make); });
}

}  // namespace rps::server
