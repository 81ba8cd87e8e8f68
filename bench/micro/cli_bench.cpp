// Stage 1's wire: a line each way.
#include <string>

#include <benchmark/benchmark.h>

#include "bench/micro/benchmarks.hpp"
#include "bench/micro/inputs.hpp"
#include "stage1_cli/line_protocol.hpp"

namespace rps::micro {

namespace {

void parse_commands(benchmark::State& state) {
  const std::string line = "play ROCK player-7f3a2b";
  for (auto _ : state) benchmark::DoNotOptimize(cli::parse_command(line));
}

void append_replies(benchmark::State& state) {
  const Reply reply = sample_reply();
  std::string out;
  for (auto _ : state) {
    out.clear();
    cli::append_reply(reply, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}

}  // namespace

void add_cli_benchmarks() {
  benchmark::RegisterBenchmark("cli/parse_command", parse_commands);
  benchmark::RegisterBenchmark("cli/append_reply", append_replies);
}

}  // namespace rps::micro
