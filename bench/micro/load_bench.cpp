// What the harness does with each answer it takes, piece by piece; the whole is in loop_bench.cpp.
#include <array>
#include <chrono>

#include <benchmark/benchmark.h>

#include "bench/load/histogram.hpp"
#include "bench/load/referee.hpp"
#include "bench/micro/benchmarks.hpp"
#include "bench/micro/inputs.hpp"

namespace rps::micro {

namespace {

// Latencies as they are: most close together, some far out.
std::array<std::chrono::nanoseconds, table_size> latencies() {
  std::array<std::chrono::nanoseconds, table_size> values;
  for (std::size_t i = 0; i < table_size; ++i) {
    const std::uint64_t random = mix(1, i);
    values[i] = std::chrono::nanoseconds(50'000 + random % 20'000 * (random % 100 == 0 ? 100 : 1));
  }
  return values;
}

load::Histogram filled_histogram() {
  load::Histogram histogram;
  for (const auto value : latencies()) histogram.record(value);
  return histogram;
}

void record(benchmark::State& state) {
  const auto values = latencies();
  load::Histogram histogram;
  std::size_t i = 0;
  for (auto _ : state) histogram.record(values[i++ & table_mask]);
  benchmark::DoNotOptimize(histogram.count());
}

void merge(benchmark::State& state) {
  load::Histogram a = filled_histogram();
  const load::Histogram b = filled_histogram();
  for (auto _ : state) a.merge(b);
  benchmark::DoNotOptimize(a.count());
}

void read_quantile(benchmark::State& state) {
  const load::Histogram histogram = filled_histogram();
  for (auto _ : state) benchmark::DoNotOptimize(histogram.quantile(0.99));
}

void check_replies(benchmark::State& state) {
  const auto players = random_moves(1);
  const auto opponents = random_moves(2);
  load::Referee referee;
  Score score;
  std::size_t i = 0;
  for (auto _ : state) {
    const Move player = players[i & table_mask];
    const Move opponent = opponents[i++ & table_mask];
    score.add(judge(player, opponent));
    const Reply reply{.opponent_move = opponent,
                      .result = judge(player, opponent),
                      .reason = reason(player, opponent),
                      .round = score.rounds(),
                      .score = score};
    benchmark::DoNotOptimize(referee.check(player, reply));
  }
}

}  // namespace

void add_load_benchmarks() {
  benchmark::RegisterBenchmark("histogram/record", record);
  benchmark::RegisterBenchmark("histogram/merge", merge);
  benchmark::RegisterBenchmark("histogram/quantile", read_quantile);
  benchmark::RegisterBenchmark("referee/check", check_replies);
}

}  // namespace rps::micro
