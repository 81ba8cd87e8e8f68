// Rounds in sessions, and how the store behind them scales: with the number of sessions, which is
// memory, and with a second thread, which is locks. Where two threads take as long for a round as
// one does, the store scales.
#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/benchmarks.hpp"
#include "bench/micro/inputs.hpp"
#include "core/game.hpp"
#include "core/judge.hpp"
#include "core/session_store.hpp"

namespace rps::micro {

namespace {

// Goes through ids in a scattered order, as connections do, and meets every one.
class Scatter {
 public:
  Scatter(const std::vector<std::string>& ids, std::size_t begin)
      : ids_(ids), stride_(7919 % ids.size()), at_(begin % ids.size()) {}  // A prime.

  std::string_view next() {
    at_ += stride_;
    if (at_ >= ids_.size()) at_ -= ids_.size();
    return ids_[at_];
  }

 private:
  const std::vector<std::string>& ids_;
  std::size_t stride_;
  std::size_t at_;
};

void play_round(SessionStore& store, std::string_view id, Move move, Clock::time_point now) {
  benchmark::DoNotOptimize(store.update(id, now, 1, [&](Session& session) {
    session.history.record(move);
    session.score.add(judge(move, Move::rock));
    return session.score;
  }));
}

// All threads use the same sessions; the time is that of the first thread.
void update_sessions(benchmark::State& state, std::size_t sessions, int threads) {
  const auto moves = random_moves(6);
  const auto ids = random_ids(sessions, 100);
  const Clock::time_point now = Clock::now();
  SessionStore store({.sessions_max = 2 * sessions + table_size});
  for (const std::string& id : ids) play_round(store, id, Move::rock, now);
  const auto play_until = [&](std::size_t begin, const auto& is_over) {
    Scatter scatter(ids, begin);
    for (std::size_t i = 0; !is_over(); ++i) {
      play_round(store, scatter.next(), moves[i & table_mask], now);
    }
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) {
    others.emplace_back([&, i](const std::stop_token& stop) {
      play_until(sessions / 2 + static_cast<std::size_t>(i), [&] { return stop.stop_requested(); });
    });
  }
  play_until(0, [&] { return !state.KeepRunning(); });
}

void play_in_session(benchmark::State& state) {
  Game game(GameOptions{.seed = 1});
  const auto moves = random_moves(6);
  const auto ids = random_ids(1000, 100);
  const Clock::time_point now = Clock::now();
  Scatter scatter(ids, 0);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(game.play(moves[i++ & table_mask], scatter.next(), now));
  }
}

void play_without_session(benchmark::State& state) {
  Game game(GameOptions{.seed = 1});
  const auto moves = random_moves(6);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(game.play(moves[i++ & table_mask], {}, {}));
}

}  // namespace

void add_session_benchmarks() {
  benchmark::RegisterBenchmark("game/play/session", play_in_session);
  benchmark::RegisterBenchmark("game/play/no_session", play_without_session);
  constexpr std::pair<const char*, std::size_t> sizes[] = {
      {"1", 1}, {"1k", 1000}, {"100k", 100'000}};
  for (const auto& [size, sessions] : sizes) {
    const std::string name = "session_store/" + std::string(size);
    benchmark::RegisterBenchmark((name + "/1_thread").c_str(), update_sessions, sessions, 1);
    benchmark::RegisterBenchmark((name + "/2_threads").c_str(), update_sessions, sessions, 2)
        ->UseRealTime();
  }
}

}  // namespace rps::micro
