// What the harness itself costs for each answer it takes.
#include <array>

#include <benchmark/benchmark.h>

#include "bench/load/histogram.hpp"
#include "bench/load/referee.hpp"
#include "bench/micro/inputs.hpp"
#include "core/judge.hpp"

namespace rps::load {

namespace {

// Latencies as they are: most close together, some far out.
void BM_histogram_record(benchmark::State& state) {
  std::array<std::chrono::nanoseconds, table_size> values;
  for (std::size_t i = 0; i < table_size; ++i) {
    const std::uint64_t random = mix(1, i);
    values[i] = std::chrono::nanoseconds(50'000 + random % 20'000 * (random % 100 == 0 ? 100 : 1));
  }
  Histogram histogram;
  std::size_t i = 0;
  for (auto _ : state) histogram.record(values[i++ & table_mask]);
  benchmark::DoNotOptimize(histogram.count());
}
BENCHMARK(BM_histogram_record);

void BM_histogram_merge(benchmark::State& state) {
  Histogram a;
  const Histogram b;
  for (auto _ : state) a.merge(b);
}
BENCHMARK(BM_histogram_merge);

void BM_referee_check(benchmark::State& state) {
  const auto players = random_moves(1);
  const auto opponents = random_moves(2);
  Referee referee;
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
BENCHMARK(BM_referee_check);

}  // namespace

}  // namespace rps::load
