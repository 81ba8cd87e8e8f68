#include "core/server/server.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <spdlog/logger.h>

#include "core/net/program.hpp"
#include "core/net/thread.hpp"
#include "core/server/admin.hpp"
#include "core/server/limits.hpp"
#include "core/server/log.hpp"
#include "core/server/unsupported.hpp"

namespace rps::server {

namespace {

// SIGTERM, SIGINT and SIGHUP, from the moment when threads are started: until the server serves
// they end the process at once, as they do before; afterwards wait() returns them. SIGINT and
// SIGHUP stay ignored where the process was started so, as by nohup. The signals are blocked, and
// so are they in all threads that are started later; a thread of this class receives them.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    // A blocked signal would be received even where it is ignored.
    for (const int signal : {SIGINT, SIGHUP}) {
      if (!net::is_ignored(signal)) sigaddset(&signals_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = start_thread([this] { receive(); });
  }

  ~StopSignals() {
    {
      const std::scoped_lock lock(mutex_);
      is_over_ = true;
    }
    // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): wakes it, if it still waits for this.
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The start is complete: a signal no longer ends the process by itself.
  void hold() {
    const std::scoped_lock lock(mutex_);
    is_held_ = true;
  }

  // Calls `idle` once a period until a signal has come; returns it.
  template <class Idle>
  int wait(std::chrono::seconds period, Idle idle) {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        if (came_.wait_for(lock, period, [this] { return signal_ != 0; })) return signal_;
      }
      idle();
    }
  }

  // From now on a signal ends the process, but for SIGHUP: the end of a session can send it twice,
  // from the kernel and from the shell.
  void restore() {
    sigset_t ending = signals_;
    sigdelset(&ending, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  }

 private:
  void receive() {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) {
    }
    const std::scoped_lock lock(mutex_);
    if (is_over_) return;
    if (!is_held_) {
      pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
      std::raise(signal);  // Ends the process.
    }
    signal_ = signal;
    came_.notify_one();
  }

  sigset_t signals_;
  std::mutex mutex_;
  std::condition_variable came_;
  bool is_held_ = false;  // These three are guarded by mutex_.
  bool is_over_ = false;
  int signal_ = 0;
  std::thread thread_;
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

void serve(const ServerFlags& flags, const MakeServer& make, spdlog::logger& log) {
  StopSignals signals;
  Game game(flags.game);
  Metrics metrics(game);
  std::unique_ptr<Server> server;
  std::optional<Admin> admin;  // Goes before the server, whose metrics it reads.
  if (flags.admin) {
    admin.emplace(*flags.admin, host_names(flags, *flags.admin),
                  [&metrics] { return metrics.text(); });
  }

  server = make({.flags = flags, .game = game, .metrics = metrics, .log = log});
  signals.hold();
  if (admin) admin->set_ready(true);
  announce(*server, admin ? &*admin : nullptr, log);
  log.info("serving at {}, house {}", server->url(), to_string(flags.game.house));

  const int signal = signals.wait(limits::sweep_period, [&game] { game.sweep(Clock::now()); });
  if (admin) admin->set_ready(false);
  signals.restore();
  log.info("SIG{}: draining for at most {} ms", ::sigabbrev_np(signal), flags.drain_max.count());
  stop(*server, flags.drain_max, metrics, log);
}

int run(int argc, const char* const* argv, const Program& program, const MakeServer& make) {
  std::signal(SIGPIPE, SIG_IGN);

  const auto flags = parse_flags(argc, argv, program);
  if (!flags) return flags.error();
  const auto log = make_logger(program.name, flags->log);
  try {
    serve(*flags, make, *log);
    return EXIT_SUCCESS;
  } catch (const Unsupported& error) {
    log->critical("{}", error.what());
    return exit_unsupported;
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
