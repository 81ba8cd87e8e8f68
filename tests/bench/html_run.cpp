#include "tests/bench/html_run.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "core/random.hpp"

namespace rps::report {

namespace {

constexpr std::size_t rounds = 7;
constexpr double window = 10;
constexpr std::uint64_t samples = 12'000;

struct Server {
  std::string key;
  std::string name;
  double micros;  // CPU time of one call, which bounds what it can do.
  std::string floor;
  bool is_floor = false;
};

const std::vector<Server>& servers() {
  static const std::vector<Server> all{{"cli", "monolith", 22},
                                       {"jsonrpc", "RPC (JSON)", 15, "floor-tcp"},
                                       {"grpc", "gRPC", 52, "floor-grpc"},
                                       {"ebpf", "gRPC + eBPF", 61, "floor-grpc"},
                                       {"<script>", "<script>alert(1)</script>", 35},
                                       {"floor-tcp", "echo on epoll", 9, "", true},
                                       {"floor-grpc", "empty gRPC handler", 44, "", true}};
  return all;
}

// Between 0 and 1.
double uniform(std::uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1p-53;
}

// About normal, by adding twelve.
double normal(std::uint64_t seed) {
  double sum = -6;
  for (std::uint64_t i = 0; i < 12; ++i) sum += uniform(mix(seed, i));
  return sum;
}

// Log-normal around a mean, and one in a hundred much slower.
load::Distribution latencies(double mean_ns, std::uint64_t seed) {
  load::Histogram histogram;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const std::uint64_t random = mix(seed, i);
    const double tail = random % 100 == 0 ? 3 + 5 * uniform(mix(random)) : 1;
    const double value = mean_ns * std::exp(0.3 * normal(random)) * tail;
    histogram.record(std::chrono::nanoseconds(static_cast<std::int64_t>(value)));
  }
  return load::Distribution(histogram);
}

std::uint64_t whole(double value) {
  return static_cast<std::uint64_t>(std::max(0.0, value));
}

machine::Usage usage(double seconds, double kernel_share, std::uint64_t switches,
                     std::uint64_t rss) {
  machine::Usage out;
  out.user_seconds = seconds * (1 - kernel_share);
  out.system_seconds = seconds * kernel_share;
  out.voluntary_switches = switches;
  out.threads = 4;
  out.rss_bytes = rss;
  out.rss_peak_bytes = rss;
  return out;
}

// How a server with one CPU meets a load: answers a second, and what they wait for.
struct Meeting {
  double good = 0;
  double dropped = 0;
  double wait_ns = 0;
};
Meeting meet_closed(const Server& server, double slots) {
  const double capacity = 1e6 / server.micros;
  const double good = capacity * slots / (slots + 1.6);
  return {.good = good, .wait_ns = slots / good * 1e9};
}
Meeting meet_rate(const Server& server, double rate) {
  const double capacity = 1e6 / server.micros;
  const double busy = rate / capacity;
  const double longest = 4096 / capacity * 1e9;
  if (busy >= 1) return {.good = 0.97 * capacity, .dropped = rate - capacity, .wait_ns = longest};
  const double wait = (server.micros * 1e3 + 40e3) / (1 - busy);
  return {.good = rate, .wait_ns = std::min(wait, longest)};
}

double rate_at(const load::Schedule& schedule, double second) {
  for (const load::Phase& phase : schedule.phases) {
    if (second < phase.seconds) {
      const double share = second / phase.seconds;
      return phase.from_per_second + share * (phase.to_per_second - phase.from_per_second);
    }
    second -= phase.seconds;
  }
  return schedule.phases.back().to_per_second;
}

std::vector<load::Interval> series_of(const Server& server, const model::Load& load, double seconds,
                                      std::uint64_t seed) {
  std::vector<load::Interval> out;
  for (double second = 0; second < seconds; ++second) {
    const Meeting meeting = load.schedule.is_closed()
                                ? meet_closed(server, static_cast<double>(load.slots()))
                                : meet_rate(server, rate_at(load.schedule, second));
    const double wobble = 1 + 0.03 * normal(mix(seed, whole(second)));
    out.push_back(
        {.begins = second,
         .seconds = 1,
         .good = whole(meeting.good * wobble),
         .dropped = whole(meeting.dropped),
         .p50_ns = meeting.wait_ns * wobble,
         .p99_ns = meeting.wait_ns * wobble * 2.4,
         .max_ns = meeting.wait_ns * wobble * (5 + 2 * uniform(mix(seed, whole(second))))});
  }
  return out;
}

model::Trial trial_of(const Server& server, const model::Load& load, std::uint64_t seed) {
  const bool is_closed = load.schedule.is_closed();
  const double seconds = is_closed ? window : load.schedule.seconds();
  const double rate = is_closed ? 0 : load.schedule.calls() / seconds;
  Meeting meeting =
      is_closed ? meet_closed(server, static_cast<double>(load.slots())) : meet_rate(server, rate);
  // Two states, so that there is something to see among the trials.
  meeting.good *= 1 + 0.003 * normal(seed) - (seed % 3 == 0 ? 0.025 : 0);
  model::Trial trial;
  trial.valid = true;
  trial.seconds = seconds;
  trial.answered = whole(meeting.good * seconds);
  trial.due = is_closed ? trial.answered : whole(rate * seconds);
  trial.dropped = whole(meeting.dropped * seconds);
  for (std::uint64_t i = 0; i < 1000; ++i) trial.verdicts.count(load::Verdict::right);
  trial.service = latencies(is_closed ? meeting.wait_ns : server.micros * 1e3 + 40e3, seed);
  trial.response = latencies(meeting.wait_ns, seed);
  if (!is_closed) trial.lateness = latencies(3e3, mix(seed));
  trial.open_mean = meeting.good * meeting.wait_ns / 1e9;
  trial.series = series_of(server, load, seconds, seed);
  const auto calls = static_cast<double>(trial.answered);
  trial.load = usage(calls * 7e-6, 0.6, trial.answered, 9'000'000);
  trial.server =
      usage(calls * server.micros * 1e-6, 0.45, whole(calls * 0.4), whole(server.micros * 6e5));
  trial.other_cpu_share = 0.01;
  trial.stolen_share = 0.001;
  trial.bytes_sent_per_call = 105;
  trial.bytes_received_per_call = 190;
  trial.syscalls_per_call = 1 + server.micros / 20;
  return trial;
}

void add_cell(const Server& server, const model::Load& load, const std::string& load_name,
              model::Run& run) {
  run.cells.push_back({.key = server.key + "/" + load_name,
                       .subject = server.key,
                       .name = server.name,
                       .command = "rps-" + server.key + " --listen=127.0.0.1:0 --seed=42",
                       .is_floor = server.is_floor,
                       .floor = server.floor,
                       .load = load});
  const std::size_t cell = run.cells.size() - 1;
  for (std::size_t round = 0; round < rounds; ++round) {
    run.trials.push_back({.cell = cell,
                          .round = round,
                          .order = run.trials.size(),
                          .trial = trial_of(server, load, mix(cell, round))});
  }
}

void add_cells(const Server& server, model::Run& run) {
  for (const std::size_t connections : {1, 4, 16, 64, 256}) {
    add_cell(server, {.connections = connections}, std::to_string(connections) + "x1", run);
  }
  if (server.is_floor || server.key == "cli") return;
  const double capacity = 1e6 / server.micros;
  for (const int percent : {10, 30, 50, 70, 85, 95, 120, 150}) {
    const double rate = std::round(capacity * percent / 100);
    add_cell(
        server,
        {.connections = 64, .depth = 64, .schedule = steady(load::Arrivals::poisson, rate, window)},
        "64x64 poisson " + std::to_string(whole(rate)), run);
  }
  if (server.key != "grpc") return;
  add_cell(server,
           {.connections = 64,
            .depth = 64,
            .schedule = {.arrivals = load::Arrivals::poisson,
                         .phases = {{10, capacity / 2, capacity / 2},
                                    {10, 2 * capacity, 2 * capacity},
                                    {20, capacity / 2, capacity / 2}}}},
           "64x64 overload", run);
}

}  // namespace

model::Run run_with_everything() {
  model::Run run;
  run.id = "2026-01-02-42";
  run.title = "Four architectures, one game";
  run.environment = {.date = "2026-01-02T03:04:05Z",
                     .kernel = "Linux 6.1.0 x86_64",
                     .cpu = "A processor & its <friends>",
                     .compiler = "gcc 12.2.0",
                     .build = "Release",
                     .revision = "0123456",
                     .cores = 2};
  run.environment.details = {{"governor", "performance"}, {"clock", "tsc, 21 ns a read"}};
  run.plan = {.profile = "full",
              .command_line = {"rps-bench", "compare", "--name", "</script><!-- <script>"},
              .rounds = rounds,
              .seconds = window,
              .warmup = 3,
              .seed = 42,
              .cpus = machine::CpuPlan{.server = 0, .load = 1}};
  for (const Server& server : servers()) add_cells(server, run);
  return run;
}

model::Run run_that_failed() {
  model::Run run = run_with_everything();
  for (model::CellTrial& each : run.trials) {
    each.trial = model::Trial{};
    each.trial.start_error = "it did not start";
  }
  return run;
}

model::Run run_of_one_trial() {
  model::Run run = run_with_everything();
  run.trials.resize(1);
  return run;
}

model::Run run_of_many_subjects() {
  constexpr std::size_t subjects = 10;
  model::Run run;
  const model::Run everything = run_with_everything();
  for (std::size_t i = 0; i < subjects; ++i) {
    model::Cell cell = everything.cells[3];
    cell.subject = cell.name = "s" + std::to_string(i);
    cell.key = cell.subject + "/64x1";
    run.cells.push_back(cell);
    model::CellTrial trial = everything.trials[21];
    trial.cell = i;
    run.trials.push_back(trial);
  }
  return run;
}

View view_with_everything() {
  View view{.title = "Four architectures, one game",
            .preamble = {"Interleaved rounds: 7. Every trial has fresh servers: 3.00 s warm-up, "
                         "10.0 s measured. Every answer is checked.",
                         "A processor & its <friends>, 2 cores, Linux 6.1.0 x86_64, gcc 12.2.0, "
                         "Release, 2026-01-02T03:04:05Z.",
                         "Servers on CPU 0, load on CPU 1."}};
  Table table{.key = "stages",
              .title = "The four stages",
              .source = "the articles",
              .columns = {{.heading = "architecture"},
                          {.heading = "claimed\nlatency"},
                          {.heading = "QPS", .is_number = true},
                          {.heading = "p99", .is_number = true},
                          {.heading = "CPU\nµs/req", .is_number = true}},
              .notes = {"Claimed by others on 16 cores; here there are two."}};
  table.rows = {
      {.cells = {"monolith", "1.2 ms", "43.9k\n43.1k–44.8k", "3.20 ms", "22.0"}},
      {.cells = {"gRPC", "4.1 ms", "18.7k\n18.2k–19.0k", "8.12 ms", "52.0"}},
      {.cells = {"<script>alert(1)</script>"}, .remark = "INVALID: it went away"},
      {.cells = {"echo on epoll", "-", "110k\n108k–111k", "1.10 ms", "9.00"}, .is_floor = true}};
  view.tables.push_back(std::move(table));
  view.claims = {{"gRPC answers 2.82 times what RPC (JSON) answers", "0.29 times (0.28–0.30)",
                  "contradicted: the other way round"},
                 {"The observer costs at most 20 %", "1.17 times (1.16–1.18)", "confirmed"},
                 {"A round takes 1.2 ms", "1.01 times (0.90–1.10)", "undecided: too few rounds"},
                 {"It runs in six regions", "-", "not testable here: there is one machine"}};
  view.notes = {"Figures are medians over the rounds.", "Latency counts from when a call was due."};
  return view;
}

}  // namespace rps::report
