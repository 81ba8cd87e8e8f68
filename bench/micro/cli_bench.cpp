// Stage 1's wire: a line each way.
#include <string>

#include <benchmark/benchmark.h>

#include "core/judge.hpp"
#include "stage1_cli/line_protocol.hpp"

namespace rps::load {

namespace {

void BM_cli_parse_command(benchmark::State& state) {
  const std::string line = "play ROCK player-7f3a2b";
  for (auto _ : state) benchmark::DoNotOptimize(cli::parse_command(line));
}
BENCHMARK(BM_cli_parse_command);

void BM_cli_append_reply(benchmark::State& state) {
  Reply reply{.opponent_move = Move::paper,
              .result = Result::lose,
              .reason = reason(Move::rock, Move::paper),
              .round = 1234,
              .score = {.wins = 400, .draws = 400, .losses = 434}};
  std::string out;
  for (auto _ : state) {
    out.clear();
    cli::append_reply(reply, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(BM_cli_append_reply);

}  // namespace

}  // namespace rps::load
