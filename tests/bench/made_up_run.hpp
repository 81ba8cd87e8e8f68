// Runs with invented figures, for the tests of reports and statistics.
#pragma once

#include <cstdint>
#include <string>

#include "bench/model/run.hpp"
#include "core/random.hpp"

namespace rps::model {

// Response times around `mean_ns`.
inline load::Distribution made_up_times(double mean_ns, std::uint64_t count, std::uint64_t seed) {
  load::Histogram histogram;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(mix(seed, i) >> 11) * 0x1p-53;
    histogram.record(std::chrono::nanoseconds(static_cast<std::int64_t>(mean_ns * (0.5 + share))));
  }
  return load::Distribution(histogram);
}

// A valid second at `qps` that nothing is wrong with, of a closed loop with `slots` calls open.
inline Trial made_up_trial(double qps, double slots, std::uint64_t seed) {
  const auto answers = static_cast<std::uint64_t>(qps);
  const load::Distribution times = made_up_times(slots / qps * 1e9, 2'000, seed);
  Trial trial{.valid = true,
              .answered = answers,
              .due = answers,
              .seconds = 1,
              .response = times,
              .service = times,
              .open_mean = slots,
              .load = {.user_seconds = 0.3, .system_seconds = 0.3, .threads = 1},
              .server = machine::Usage{.user_seconds = 0.4,
                                       .system_seconds = 0.5,
                                       .voluntary_switches = answers / 10,
                                       .threads = 3,
                                       .rss_bytes = 11'000'000,
                                       .rss_peak_bytes = 12'345'678,
                                       .open_files = 70},
              .other_cpu_share = 0.02,
              .stolen_share = 0.0};
  trial.verdicts.count(load::Verdict::right, answers);
  trial.open_mean = trial.good_per_second() * times.mean_ns / 1e9;
  return trial;
}

// Two cells under one closed load, and one under another; so many rounds; the second is twice as
// fast as the first.
inline Run made_up_run(std::size_t rounds = 7) {
  Run run{.id = "2030-01-02T03:04:05Z-7", .title = "Made up"};
  run.environment = {.date = "2030-01-02T03:04:05Z",
                     .kernel = "Linux 6.1.0 x86_64",
                     .cpu = "A processor",
                     .compiler = "gcc 12.2.0",
                     .build = "Release",
                     .revision = "0123456",
                     .cores = 2,
                     .details = {{"memory", "23.4 GiB"}, {"load average", "0.10"}}};
  run.plan = {.profile = "quick", .rounds = rounds, .seconds = 1, .warmup = 0.2, .seed = 7};
  const Load wide{.connections = 64};
  run.cells = {{.key = "slow/64x1", .subject = "slow", .name = "Slow", .load = wide},
               {.key = "fast/64x1", .subject = "fast", .name = "Fast", .load = wide},
               {.key = "fast/1x1", .subject = "fast", .name = "Fast", .load = {}}};
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t cell = 0; cell < run.cells.size(); ++cell) {
      const std::uint64_t seed = mix(round, cell);
      const double noise = 1 + 0.01 * static_cast<double>(seed % 5);
      const double qps = (cell == 0 ? 10'000 : 20'000) * noise;
      const auto slots = static_cast<double>(run.cells[cell].load.slots());
      run.trials.push_back({.cell = cell,
                            .round = round,
                            .order = run.trials.size(),
                            .trial = made_up_trial(qps, slots, seed)});
    }
  }
  return run;
}

}  // namespace rps::model
