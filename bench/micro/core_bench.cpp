// What the game itself costs: judge, strategies, ids, URLs, and what a loop around them takes.
#include <string>

#include <benchmark/benchmark.h>

#include "bench/micro/benchmarks.hpp"
#include "bench/micro/inputs.hpp"
#include "core/clock.hpp"
#include "core/id.hpp"
#include "core/judge.hpp"
#include "core/strategy.hpp"
#include "core/url.hpp"

namespace rps::micro {

namespace {

// The time of google-benchmark's own loop, which every other figure includes.
void empty_loop(benchmark::State& state) {
  for (auto _ : state) benchmark::ClobberMemory();  // Else no loop would be left.
}

// What remains of it where a function is called a table's worth of times an iteration.
void batched_loop(benchmark::State& state) {
  const auto moves = random_moves(1);
  while (state.KeepRunningBatch(table_size)) {
    for (Move move : moves) benchmark::DoNotOptimize(move);
  }
}

void read_clock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Clock::now());
}

// Every result is made visible, so that none is folded or vectorised away.
void judge_rounds(benchmark::State& state) {
  const auto players = random_moves(1);
  const auto opponents = random_moves(2);
  while (state.KeepRunningBatch(table_size)) {
    for (std::size_t i = 0; i < table_size; ++i) {
      benchmark::DoNotOptimize(judge(players[i], opponents[i]));
    }
  }
}

void choose_moves(benchmark::State& state, Strategy strategy) {
  const auto moves = random_moves(3);
  History history;
  for (auto _ : state) {
    benchmark::DoNotOptimize(house_move(strategy, 7, history));
    history.record(moves[history.rounds & table_mask]);
  }
}

void check_ids(benchmark::State& state) {
  const auto ids = random_ids(table_size, 4);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(is_id(ids[i++ & table_mask]));
}

void hash_ids(benchmark::State& state) {
  const auto ids = random_ids(table_size, 4);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(hash_bytes(ids[i++ & table_mask], 5));
}

void parse_urls(benchmark::State& state) {
  const std::string text = "jsonrpc://127.0.0.1:7000?codec=binary&depth=16";
  for (auto _ : state) benchmark::DoNotOptimize(parse_url(text));
}

}  // namespace

void add_core_benchmarks() {
  benchmark::RegisterBenchmark("loop/iteration", empty_loop);
  benchmark::RegisterBenchmark("loop/batched_iteration", batched_loop);
  benchmark::RegisterBenchmark("clock/now", read_clock);
  benchmark::RegisterBenchmark("judge", judge_rounds);
  for (const Strategy strategy : all_strategies) {
    const std::string name = "strategy/" + std::string(to_string(strategy));
    benchmark::RegisterBenchmark(name.c_str(), choose_moves, strategy);
  }
  benchmark::RegisterBenchmark("id/check", check_ids);
  benchmark::RegisterBenchmark("id/hash", hash_ids);
  benchmark::RegisterBenchmark("url/parse", parse_urls);
}

}  // namespace rps::micro
