// What the game itself costs: judge, strategies, ids, hashing, and a round in a session.
#include <benchmark/benchmark.h>

#include "bench/micro/inputs.hpp"
#include "core/game.hpp"
#include "core/id.hpp"
#include "core/judge.hpp"
#include "core/strategy.hpp"

namespace rps::load {

namespace {

// A table's worth of calls an iteration, so that the library's own loop does not count; look at
// ns/call. Every result is made visible, so that none is folded or vectorised away.
void BM_judge(benchmark::State& state) {
  const auto players = random_moves(1);
  const auto opponents = random_moves(2);
  for (auto _ : state) {
    for (std::size_t i = 0; i < table_size; ++i) {
      benchmark::DoNotOptimize(judge(players[i], opponents[i]));
    }
  }
  state.counters["s/call"] = benchmark::Counter(
      table_size, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_judge);

void BM_house_move(benchmark::State& state, Strategy strategy) {
  const auto moves = random_moves(3);
  History history;
  for (auto _ : state) {
    benchmark::DoNotOptimize(house_move(strategy, 7, history));
    history.record(moves[history.rounds & table_mask]);
  }
}
BENCHMARK_CAPTURE(BM_house_move, fair, Strategy::fair);
BENCHMARK_CAPTURE(BM_house_move, weighted, Strategy::weighted);
BENCHMARK_CAPTURE(BM_house_move, cycle, Strategy::cycle);
BENCHMARK_CAPTURE(BM_house_move, mirror, Strategy::mirror);
BENCHMARK_CAPTURE(BM_house_move, markov, Strategy::markov);

void BM_is_id(benchmark::State& state) {
  const auto ids = random_ids(table_size, 4);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(is_id(ids[i++ & table_mask]));
}
BENCHMARK(BM_is_id);

void BM_hash_bytes(benchmark::State& state) {
  const auto ids = random_ids(table_size, 4);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(hash_bytes(ids[i++ & table_mask], 5));
}
BENCHMARK(BM_hash_bytes);

// One game, many threads; each thread plays sessions of its own in a scattered order, as
// connections do. The argument is the number of sessions of a thread.
class GamePlay : public benchmark::Fixture {
 public:
  void play(benchmark::State& state) {
    const auto sessions = static_cast<std::size_t>(state.range(0));
    const auto moves = random_moves(6);
    const auto ids = random_ids(sessions, 100 + static_cast<std::uint64_t>(state.thread_index()));
    const Clock::time_point now = Clock::now();
    std::size_t i = 0;
    for (auto _ : state) {
      const std::size_t session = i * 7919 % sessions;  // A prime: every session, no order.
      benchmark::DoNotOptimize(game_.play(moves[i & table_mask], ids[session], now));
      ++i;
    }
    state.SetItemsProcessed(state.iterations());
  }

 private:
  Game game_{GameOptions{.seed = 1}};
};

BENCHMARK_DEFINE_F(GamePlay, session)(benchmark::State& state) {
  play(state);
}
BENCHMARK_REGISTER_F(GamePlay, session)->Arg(1)->Arg(1000)->ThreadRange(1, 8)->UseRealTime();

void BM_play_without_session(benchmark::State& state) {
  Game game(GameOptions{.seed = 1});
  const auto moves = random_moves(6);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(game.play(moves[i++ & table_mask], {}, {}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_play_without_session);

}  // namespace

}  // namespace rps::load
