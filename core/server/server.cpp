#include "core/server/server.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <expected>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <spdlog/logger.h>

#include "core/net/program.hpp"
#include "core/net/thread.hpp"
#include "core/server/admin.hpp"
#include "core/server/cpus.hpp"
#include "core/server/listed.hpp"
#include "core/server/log.hpp"
#include "core/server/reload.hpp"
#include "core/server/unsupported.hpp"

namespace rps::server {

namespace {

// SIGTERM, SIGINT and SIGHUP, from the moment when threads are started: until the server serves
// they end the process at once, as they do before; afterwards wait() returns them. A SIGHUP that
// reloads does neither: wait() tells `idle` of it. A SIGHUP that comes before the flags are known
// waits for them. SIGINT and SIGHUP stay ignored where the process was started so, as by nohup. The
// signals are blocked, and so are they in all threads that are started later; a thread of this
// class receives them.
class Signals {
 public:
  Signals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    // A blocked signal would be received even where it is ignored.
    for (const int signal : {SIGINT, SIGHUP}) {
      if (!net::is_ignored(signal)) sigaddset(&signals_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = start_thread([this] { receive(); });
  }

  ~Signals() {
    {
      const std::scoped_lock lock(mutex_);
      is_over_ = true;
    }
    // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): wakes it, if it still waits for this.
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The flags are known: whether a SIGHUP reloads. One that has come before does so now, or ends
  // the process.
  void know_hangup(bool reloads) {
    bool has_come = false;
    {
      const std::scoped_lock lock(mutex_);
      hangup_reloads_ = reloads;
      has_come = hangup_came_;
    }
    if (has_come) take(SIGHUP);
  }

  // The start is complete: a signal no longer ends the process by itself.
  void hold() {
    const std::scoped_lock lock(mutex_);
    is_held_ = true;
  }

  // Calls `idle` once a period, and at once when a SIGHUP that reloads has come, which it is told,
  // until another signal has come; returns that.
  template <class Idle>
  int wait(std::chrono::seconds period, Idle idle) {
    for (;;) {
      bool is_reload = false;
      {
        std::unique_lock lock(mutex_);
        came_.wait_for(lock, period, [this] { return signal_ != 0 || reload_came_; });
        if (signal_ != 0) return signal_;
        is_reload = std::exchange(reload_came_, false);
      }
      idle(is_reload);
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
    while (take(next())) {
    }
  }

  int next() const {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) {
    }
    return signal;
  }

  // Returns whether to wait for another signal.
  bool take(int signal) {
    const std::scoped_lock lock(mutex_);
    if (is_over_) return false;
    if (signal == SIGHUP && !hangup_reloads_) {
      hangup_came_ = true;
      return true;
    }
    const bool is_reload = signal == SIGHUP && *hangup_reloads_;
    if (!is_held_ && !is_reload) {
      pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
      std::raise(signal);  // Ends the process.
    }
    if (is_reload) {
      reload_came_ = true;
    } else {
      signal_ = signal;
    }
    came_.notify_one();
    return is_reload;
  }

  sigset_t signals_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::optional<bool> hangup_reloads_;  // These six are guarded by mutex_.
  bool hangup_came_ = false;            // Before that was known.
  bool is_held_ = false;
  bool is_over_ = false;
  bool reload_came_ = false;
  int signal_ = 0;
  std::thread thread_;
};

void announce(const Server& server, const Admin* admin, spdlog::logger& log) {
  std::string lines = server.url() + "\n";
  if (admin) lines += "admin " + admin->url() + "\n";
  lines += server.further_urls();
  if (std::fputs(lines.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    log.warn("the URL could not be written to stdout");
  }
}

// The flags of this process, as often as they are read.
class Flags {
 public:
  struct Reading {
    Settings settings;
    std::unique_ptr<detail::AnySettings> of_stage;
  };

  Flags(int argc, const char* const* argv, const Program& program,
        const detail::NewSettings& new_settings)
      : argc_(argc), argv_(argv), program_(program), new_settings_(new_settings) {}

  const Program& program() const { return program_; }

  // At the start; the error is the exit code.
  std::expected<Reading, int> parse() const {
    auto of_stage = new_settings_();
    auto settings = parse_flags(argc_, argv_, program_, adding(*of_stage));
    if (!settings) return std::unexpected(settings.error());
    return Reading{.settings = *std::move(settings), .of_stage = std::move(of_stage)};
  }

  // Later, with `text` as that of --config.
  std::expected<Reading, std::string> read(const std::string& text) const {
    auto of_stage = new_settings_();
    auto settings = read_flags(argc_, argv_, program_, adding(*of_stage),
                               [&text](const std::string&) { return text; });
    if (!settings) return std::unexpected(settings.error());
    return Reading{.settings = *std::move(settings), .of_stage = std::move(of_stage)};
  }

 private:
  static AddFlags adding(detail::AnySettings& of_stage) {
    return [&of_stage](CLI::App& app) { of_stage.add_flags(app); };
  }

  int argc_;
  const char* const* argv_;
  const Program& program_;
  const detail::NewSettings& new_settings_;
};

// A server process from its flags to the end of its drain.
class Process {
 public:
  // Makes the server, which then serves. REQUIRES: all arguments outlive the process.
  Process(const Flags& flags, const Flags::Reading& start, Signals& signals, Log& log)
      : flags_(flags),
        start_(start.settings.server),
        log_(log.logger()),
        bulk_log_(log.bulk()),
        signals_(signals),
        game_(start_.game),
        metrics_(game_),
        drain_max_(start_.drain_max) {
    metrics_.add(log.metrics());
    if (start_.admin) {
      admin_.emplace(*start_.admin, host_names(start_, *start_.admin),
                     [this] { return metrics_.text(); });
    }
    server_ = start.of_stage->make(
        {.flags = start_, .game = game_, .metrics = metrics_, .log = log_, .bulk_log = bulk_log_});
    if (start.settings.config) follow(start.settings);
    if (start_.registers) listed_url_ = advertised_url(server_->url(), start_.advertise);
  }

  // Serves until a signal has come, and then drains.
  void run() {
    signals_.hold();
    if (admin_) admin_->set_ready(true);
    std::optional<Listed> listed;
    if (start_.registers) listed.emplace(*start_.registers, listed_url_, *server_, metrics_, log_);
    announce(*server_, admin_ ? &*admin_ : nullptr, log_);
    log_.info("serving at {}, house {}", server_->url(), to_string(start_.game.house));

    const int signal = signals_.wait(limits::sweep_period, [this](bool is_asked) {
      game_.sweep(Clock::now());
      if (reload_) look_at_config(is_asked);
    });
    if (admin_) admin_->set_ready(false);
    signals_.restore();
    log_.info("SIG{}: draining for at most {} ms", ::sigabbrev_np(signal), drain_max_.count());
    listed.reset();  // So that clients go elsewhere before calls are refused.
    stop();
  }

 private:
  // Stops the server and logs what became of the calls.
  void stop() {
    const Metrics::Answered before = metrics_.answered_so_far();
    const Clock::time_point deadline = Clock::now() + drain_max_;
    server_->stop_accepting();
    const bool is_complete = server_->drain(deadline);
    const Metrics::Answered after = metrics_.answered_so_far();
    const std::uint64_t refused = after.unavailable - before.unavailable;
    const std::uint64_t executed = after.all - before.all - refused;
    bulk_log_.flush(Clock::now() + limits::bulk_log_end_max);
    log_.log(is_complete ? spdlog::level::info : spdlog::level::warn,
             "{}; since the signal: {} calls answered, {} refused as unavailable",
             is_complete ? "drained" : "drain incomplete, calls were cut off", executed, refused);
  }

  void follow(const Settings& start) {
    auto source = follow_config(*start.config, flags_.program(),
                                [this](const std::string& sentence) { log_.warn("{}", sentence); });
    reload_.emplace(
        start, std::move(source), [this](const auto& text) { return read(text); }, metrics_, log_);
  }

  void look_at_config(bool is_asked) {
    if (!is_asked) return reload_->poll(Clock::now());
    log_.info("SIGHUP: reloading");
    reload_->reload();
    server_->reload_files();
  }

  std::expected<Reload::Candidate, std::string> read(const std::string& text) {
    auto reading = flags_.read(text);
    if (!reading) return std::unexpected(reading.error());
    const auto fresh = std::make_shared<Flags::Reading>(*std::move(reading));
    return Reload::Candidate{.values = fresh->settings.values,
                             .apply = [this, fresh] { put_in_force(*fresh); }};
  }

  void put_in_force(const Flags::Reading& fresh) {
    fresh.of_stage->reconfigure(*server_);  // First, as it may throw.
    drain_max_ = fresh.settings.server.drain_max;
    set_level(log_, fresh.settings.server.log.level);
  }

  const Flags& flags_;
  const ServerFlags& start_;
  spdlog::logger& log_;
  BulkLog& bulk_log_;
  Signals& signals_;
  Game game_;
  Metrics metrics_;
  std::chrono::milliseconds drain_max_;
  std::unique_ptr<Server> server_;
  std::string listed_url_;      // With --register.
  std::optional<Admin> admin_;  // Goes before the server, whose metrics it reads.
  std::optional<Reload> reload_;
};

int run(const Flags& flags, const Program& program) {
  std::signal(SIGPIPE, SIG_IGN);

  // Before the flags are read: some may come from etcd, whose client starts threads.
  Signals signals;
  const auto start = flags.parse();
  if (!start) return start.error();
  signals.know_hangup(start->settings.config.has_value());
  Log log(program.name, start->settings.server.log);
  try {
    Process(flags, *start, signals, log).run();
    return EXIT_SUCCESS;
  } catch (const Unsupported& error) {
    log.logger().critical("{}", error.what());
    return exit_unsupported;
  } catch (const std::exception& error) {
    log.logger().critical("{}", error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace

unsigned serving_threads(const Context& context, unsigned default_max) {
  const unsigned asked_for = context.flags.threads;
  const UsableCpus cpus = usable_cpus();
  const unsigned threads = asked_for > 0 ? asked_for : std::min(cpus.count(), default_max);
  context.log.info("serving threads: {} ({})", threads,
                   asked_for > 0 ? "--threads" : cpus.reason());
  return threads;
}

int detail::run_server(int argc, const char* const* argv, const Program& program,
                       const NewSettings& new_settings) {
  const Flags flags(argc, argv, program, new_settings);
  return net::run_program(program.name, [&] { return run(flags, program); });
}

}  // namespace rps::server
