#include "bench/scenarios/stage2.hpp"

#include <array>
#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/limits.hpp"
#include "bench/load/pump.hpp"
#include "bench/machine/account.hpp"
#include "bench/machine/process.hpp"
#include "bench/model/format.hpp"
#include "bench/report/progress.hpp"
#include "bench/report/table.hpp"
#include "core/net/connect.hpp"
#include "core/net/stream_client.hpp"
#include "core/url.hpp"
#include "stage2_jsonrpc/client.hpp"

namespace rps::scenarios {

namespace {

using std::chrono::duration_cast;

Clock::duration from_seconds(double seconds) {
  return duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// A server, or its floor, in a process of its own on the servers' CPU.
class Subject {
 public:
  Subject(const Stage2Options& options, std::vector<std::string> arguments)
      : process_(std::make_unique<machine::Process>(
            machine::ProcessOptions{.argv = located(options, std::move(arguments)),
                                    .stderr_file = options.out / "stage2.log",
                                    .cpus = {options.cpus.server}})) {
    const auto line = process_->read_line(Clock::now() + load::limits::start_max);
    if (!line) throw std::runtime_error("a server did not start; stage2.log says why");
    url_ = *line;
    const auto url = parse_url(url_);
    if (!url) throw std::runtime_error("this is no URL: " + url_);
    address_ = {.host = url->host, .port = url->port};
  }

  const std::string& url() const { return url_; }
  const HostPort& address() const { return address_; }
  pid_t pid() const { return process_->pid(); }

 private:
  static std::vector<std::string> located(const Stage2Options& options,
                                          std::vector<std::string> arguments) {
    arguments.front() = (options.binaries / arguments.front()).string();
    return arguments;
  }

  std::unique_ptr<machine::Process> process_;
  std::string url_;
  HostPort address_;
};

Subject start_server(const Stage2Options& options) {
  return {options, {"rps-jsonrpc", "--listen=127.0.0.1:0", "--threads=1", "--log-level=warn"}};
}

// A call in the given spelling, and what is known of its reply.
struct Sample {
  load::PumpOptions pump;
  std::size_t reply_bytes = 0;
};

Sample sample_of(const Subject& server, const Spelling& spelling) {
  constexpr std::uint64_t sequence = 123'456;
  const auto url = parse_url(server.url() + std::string(spelling.query));
  if (!url) throw std::runtime_error("this is no URL: " + url.error());
  Sample sample;
  jsonrpc::make_codec(*url)->encode(sequence, {.move = Move::rock, .session_id = "player-7f3a2b"},
                                    sample.pump.request);
  sample.pump.address = server.address();
  const bool is_http = spelling.query == http_bodies.query;
  if (is_http) sample.pump.framing = load::PumpOptions::Framing::http;
  const std::string reply =
      load::ask_once(server.address(), sample.pump.request, sample.pump.framing);
  sample.reply_bytes = reply.size();

  // A good reply begins like this one, up to the word that says that it is a result; the fixed
  // layout says it in the bytes behind its id. The frame's length differs from reply to reply.
  constexpr std::size_t header = 5;
  constexpr std::string_view word = "result";
  const std::size_t at = reply.find(word);
  const std::size_t end = at == std::string::npos ? header + 10 : at + word.size();
  sample.pump.good_at = is_http ? 0 : header;
  sample.pump.good = is_http ? "HTTP/1.1 200 " : reply.substr(header, end - header);
  return sample;
}

struct Loop {
  std::size_t connections;
  std::size_t depth;
  double calls_per_second = 0;
};

load::PumpResult measure(const Stage2Options& options, load::PumpOptions pump, const Loop& loop) {
  pump.connections = loop.connections;
  pump.depth = loop.depth;
  pump.calls_per_second = loop.calls_per_second;
  pump.warmup = from_seconds(options.warmup);
  pump.window = from_seconds(options.seconds);
  load::PumpResult result = load::run_pump(pump);
  if (result.broken) {
    throw std::runtime_error("a server closed a connection, or said what was not asked, at " +
                             std::to_string(loop.connections) + " × " + std::to_string(loop.depth));
  }
  return result;
}

double p50_ns(const load::PumpResult& result) {
  return static_cast<double>(result.good.quantile(0.5).count());
}

double p99_ns(const load::PumpResult& result) {
  return static_cast<double>(result.good.quantile(0.99).count());
}

// About: a closed loop, half the peak, the overload, and windows behind it.
constexpr double overload_windows = 8;

double expected_seconds(const Stage2Options& options) {
  const auto pairs = static_cast<double>(options.rounds * (stage2_rows.size() + 1));
  const double trial = options.warmup + options.seconds;
  return pairs * 2 * trial + trial + overload_windows * options.seconds;
}

// ---- The sections ----------------------------------------------------------------------------

class Runner {
 public:
  Runner(const Stage2Options& options, Interrupt& interrupt)
      : options_(options),
        interrupt_(interrupt),
        progress_(report::progress_style(options.quiet),
                  options.rounds * (stage2_rows.size() + 1) + 2, expected_seconds(options)) {}

  Stage2Run run() {
    for (std::size_t round = 0; round < options_.rounds && !stopped(); ++round) {
      for (std::size_t row = 0; row < stage2_rows.size() && !stopped(); ++row) {
        run_row(stage2_rows[row], run_.rows[row]);
      }
      if (!stopped()) run_slow_peers();
    }
    if (!stopped()) run_memory();
    if (!stopped()) run_overload();
    return std::move(run_);
  }

 private:
  bool stopped() { return run_.interrupted = run_.interrupted || interrupt_.requested(); }

  // Both sides anew, one directly after the other.
  void run_row(const Stage2Row& row, Pair& pair) {
    progress_.begin(std::string(row.ours.name), 2 * (options_.warmup + options_.seconds));
    const Subject server = start_server(options_);
    const Sample ours = sample_of(server, row.ours);
    const Loop loop{.connections = row.connections, .depth = row.depth};
    const load::PumpResult theirs =
        row.against_floor ? run_floor(ours, loop)
                          : measure(options_, sample_of(server, row.theirs).pump, loop);
    const load::PumpResult result = measure(options_, ours.pump, loop);
    pair.ours_per_second.push_back(result.good_per_second());
    pair.theirs_per_second.push_back(theirs.good_per_second());
    pair.ours_p50_ns.push_back(p50_ns(result));
    pair.theirs_p50_ns.push_back(p50_ns(theirs));
    progress_.end(model::format_rate(result.good_per_second()) + "/s");
  }

  load::PumpResult run_floor(const Sample& sample, const Loop& loop) {
    const Subject floor(options_, {"rps-floor-echo", std::to_string(sample.pump.request.size()),
                                   std::to_string(sample.reply_bytes)});
    load::PumpOptions pump = sample.pump;
    pump.address = floor.address();
    pump.good.clear();  // It says nothing.
    return measure(options_, pump, loop);
  }

  void run_slow_peers() {
    progress_.begin("slow peers", 2 * (options_.warmup + options_.seconds));
    constexpr Loop moderate{.connections = 16, .depth = 64, .calls_per_second = 20'000};
    const Subject server = start_server(options_);
    const Sample sample = sample_of(server, json_frames);
    run_.p99_alone_ns.push_back(p99_ns(measure(options_, sample.pump, moderate)));
    {
      const SlowPeers peers(server.address(), sample.pump.request);
      run_.p99_beside_slow_ns.push_back(p99_ns(measure(options_, sample.pump, moderate)));
    }
    progress_.end("p99 " + model::format_nanoseconds(run_.p99_beside_slow_ns.back()));
  }

  // Connections that have begun a frame and send a byte of it now and then, each about once a
  // second.
  class SlowPeers {
   public:
    SlowPeers(const HostPort& address, std::string frame) : frame_(std::move(frame)) {
      for (std::size_t i = 0; i < slow_peers; ++i) {
        sockets_.push_back(net::connect_tcp(address.host, address.port, load::limits::connect_max));
        (void)::send(sockets_.back().get(), frame_.data(), 5, MSG_NOSIGNAL);
      }
      thread_ = std::jthread([this](const std::stop_token& stop) {
        for (std::size_t i = 0; !stop.stop_requested(); ++i) {
          (void)::send(sockets_[i % slow_peers].get(), &frame_[5 + i / slow_peers], 1,
                       MSG_NOSIGNAL);
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }

   private:
    std::string frame_;
    std::vector<net::Fd> sockets_;
    std::jthread thread_;
  };

  void run_memory() {
    progress_.begin("memory", options_.warmup + options_.seconds);
    {
      const Subject server = start_server(options_);
      const Sample sample = sample_of(server, json_frames);
      const double before = rss_bytes(server.pid());
      std::vector<net::Fd> idle;
      for (std::size_t i = 0; i < idle_connections; ++i) {
        idle.push_back(net::connect_tcp(server.address().host, server.address().port,
                                        load::limits::connect_max));
        (void)::send(idle.back().get(), sample.pump.request.data(), sample.pump.request.size(),
                     MSG_NOSIGNAL);
      }
      (void)load::ask_once(server.address(), sample.pump.request, sample.pump.framing);
      run_.idle_bytes_per_connection =
          (rss_bytes(server.pid()) - before) / static_cast<double>(idle_connections);
    }
    const Subject server = start_server(options_);
    const Sample sample = sample_of(server, json_frames);
    measure(options_, sample.pump, {.connections = rss_connections, .depth = 1});
    const std::array pids{server.pid()};
    run_.rss_peak_bytes =
        static_cast<double>(machine::read_usage(pids).value_or(machine::Usage{}).rss_peak_bytes);
    progress_.end(model::format_number(run_.rss_peak_bytes / 1e6) + " MB");
  }

  static double rss_bytes(pid_t pid) {
    std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
    double total = 0;
    double resident = 0;
    statm >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }

  void run_overload() {
    progress_.begin("overload", overload_windows * options_.seconds);
    constexpr std::size_t connections = 64;
    constexpr std::size_t depth = 128;
    const Subject server = start_server(options_);
    const load::PumpOptions pump = sample_of(server, json_frames).pump;
    run_.peak_per_second =
        measure(options_, pump, {.connections = connections, .depth = 1}).good_per_second();
    const Loop half{connections, depth, run_.peak_per_second / 2};
    run_.before_p99_ns = p99_ns(measure(options_, pump, half));

    const load::PumpResult over =
        measure(options_, pump, {connections, depth, 2 * run_.peak_per_second});
    const auto rate = [&](std::uint64_t count) {
      return static_cast<double>(count) / over.seconds;
    };
    run_.overload_good_per_second = over.good_per_second();
    run_.overload_refused_per_second = rate(over.refused.count());
    run_.overload_dropped_per_second = rate(over.dropped);
    run_.overload_good_p99_ns = p99_ns(over);
    run_.overload_refused_p99_ns = static_cast<double>(over.refused.quantile(0.99).count());
    for (int second = 0; second < 5; ++second) {
      run_.after_p99_ns.push_back(p99_ns(measure(options_, pump, half)));
    }
    progress_.end(model::format_rate(run_.overload_good_per_second) + "/s");
  }

  const Stage2Options& options_;
  Interrupt& interrupt_;
  report::Progress progress_;
  Stage2Run run_;
};

// ---- The report ------------------------------------------------------------------------------

std::string load_name(const Stage2Row& row) {
  return std::to_string(row.connections) + " × " + std::to_string(row.depth);
}

std::string share(const model::Estimate& ratio) {
  return model::format_number(ratio.median) + " (" + model::format_number_range(ratio) + ")";
}

std::string rows_text(const Stage2Run& run) {
  report::Table table{.columns = {{.heading = "call in", .width = 12},
                                  {.heading = "connections\n× open calls", .width = 12},
                                  {.heading = "beside", .width = 8},
                                  {.heading = "calls/s", .width = 8, .is_number = true},
                                  {.heading = "theirs", .width = 8, .is_number = true},
                                  {.heading = "share (interval)", .width = 20, .is_number = true},
                                  {.heading = "p50", .width = 8, .is_number = true},
                                  {.heading = "theirs", .width = 8, .is_number = true}}};
  for (std::size_t i = 0; i < stage2_rows.size(); ++i) {
    const Stage2Row& row = stage2_rows[i];
    const Pair& pair = run.rows[i];
    if (pair.ours_per_second.empty()) continue;
    table.rows.push_back(
        {.cells = {std::string(row.ours.name), load_name(row),
                   row.against_floor ? "floor" : std::string(row.theirs.name),
                   model::format_rate(model::median(pair.ours_per_second)),
                   model::format_rate(model::median(pair.theirs_per_second)),
                   share(model::estimate_ratio(pair.ours_per_second, pair.theirs_per_second, 1)),
                   model::format_nanoseconds(model::median(pair.ours_p50_ns)),
                   model::format_nanoseconds(model::median(pair.theirs_p50_ns))}});
  }
  return table.render();
}

std::string pressure_text(const Stage2Run& run) {
  std::string text;
  const auto line = [&](const std::string& what) { text.append("  ").append(what).append("\n"); };
  if (run.rss_peak_bytes > 0) {
    line("An idle connection costs " + model::format_number(run.idle_bytes_per_connection / 1e3) +
         " kB; at its peak the process held " + model::format_number(run.rss_peak_bytes / 1e6) +
         " MB with " + std::to_string(rss_connections) + " connections.");
  }
  if (!run.p99_alone_ns.empty()) {
    line(std::to_string(slow_peers) + " slow peers: a client's p99 at 20k/s goes from " +
         model::format_nanoseconds(model::median(run.p99_alone_ns)) + " to " +
         model::format_nanoseconds(model::median(run.p99_beside_slow_ns)) + ", × " +
         share(model::estimate_ratio(run.p99_beside_slow_ns, run.p99_alone_ns, 1)) + ".");
  }
  if (run.peak_per_second > 0) {
    line("Offered 200 % of a closed loop's " + model::format_rate(run.peak_per_second) +
         "/s: answered well " + model::format_rate(run.overload_good_per_second) + "/s (p99 " +
         model::format_nanoseconds(run.overload_good_p99_ns) + "),");
    line("  refused " + model::format_rate(run.overload_refused_per_second) + "/s (p99 " +
         model::format_nanoseconds(run.overload_refused_p99_ns) + "), not sent for want of room " +
         model::format_rate(run.overload_dropped_per_second) + "/s.");
    std::string after;
    for (const double p99 : run.after_p99_ns)
      after.append(" ").append(model::format_nanoseconds(p99));
    line("  p99 at half the peak: " + model::format_nanoseconds(run.before_p99_ns) +
         " before; afterwards, by windows:");
    line("   " + after);
  }
  return text;
}

}  // namespace

Stage2Run run_stage2(const Stage2Options& options, Interrupt& interrupt) {
  return Runner(options, interrupt).run();
}

std::string stage2_text(const Stage2Options& options, const Stage2Run& run) {
  return "Stage 2 beside its floor. " + std::to_string(options.rounds) + " interleaved rounds of " +
         model::format_number(options.seconds) + " s, medians.\nServer on CPU " +
         std::to_string(options.cpus.server) + ", load on CPU " +
         std::to_string(options.cpus.load) + ".\n\n" + rows_text(run) + "\n" + pressure_text(run);
}

}  // namespace rps::scenarios
