// What the chain in front of the gRPC server's game costs a call, with each link and with all of
// them. The transport costs nothing here; that of gRPC itself is in the tables of the harness. Time
// is processor time of all threads: the access log has one of its own, which writes to a pipe that
// another process reads.
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <unistd.h>

#include "bench/micro/allocations.hpp"
#include "bench/micro/benchmarks.hpp"
#include "core/game.hpp"
#include "core/net/child.hpp"
#include "core/net/file.hpp"
#include "core/server/log.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/chain/game_chain.hpp"

namespace rps::micro {

namespace {

using rpc::chain::CallInfo;
using rpc::chain::ChainSettings;
using rpc::chain::GameChain;

// So many calls wait for the thread that writes the log, which they would otherwise outrun.
constexpr std::uint64_t calls_ahead_max = 5'000;

// A caller with a token and a trace.
class Traced final : public rpc::chain::Transport {
 public:
  std::optional<std::string_view> header(std::string_view name) override {
    if (name == "authorization") return "Bearer secret";
    return "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  }
  std::string_view peer() override { return "ipv4:127.0.0.1:4242"; }
  std::shared_ptr<const std::string> certificate_identity() override { return nullptr; }
  void add_trailer(const std::string& /*name*/, const std::string& value) override {
    benchmark::DoNotOptimize(value.data());
  }
};

// A file of ten callers, of whom the last one calls.
class TokensFile {
 public:
  TokensFile() {
    std::string text;
    for (const char digit : std::string_view("123456789")) {
      text += std::string(64, digit) + " * caller " + digit + "\n";
    }
    text += "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b * ann\n";
    if (net::write_file(path_, text)) throw std::runtime_error(path_ + " cannot be written");
  }
  TokensFile(const TokensFile&) = delete;
  TokensFile& operator=(const TokensFile&) = delete;
  ~TokensFile() { std::filesystem::remove(path_); }

  const std::string& path() const { return path_; }

 private:
  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("rps-micro-callers-" + std::to_string(::getpid())))
          .string();
};

// A process that reads the log and throws it away.
class LogReader {
 public:
  LogReader() = default;
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
  ~LogReader() {
    stream_.out = net::Fd();
    net::end_children({&stream_.child, 1}, std::chrono::seconds(1));
  }

  int descriptor() const { return stream_.out.get(); }

 private:
  net::Stream stream_ = net::spawn_child({"/bin/sh", "-c", "exec cat > /dev/null"});
};

double lost_lines(const server::Log& log) {
  return log.metrics()->Collect().at(0).metric.at(0).counter.value;
}

void pass_chain(benchmark::State& state, const ChainSettings& settings) {
  const Game game(GameOptions{.seed = 1});
  server::Metrics metrics(game);
  const LogReader reader;
  server::Log log("micro", {}, reader.descriptor());
  GameChain chain(settings, GameChain::Certificates::none, metrics, log.logger(), log.bulk());
  Traced transport;
  Clock::time_point now(std::chrono::hours(1));
  const std::uint64_t before = allocation_count();
  std::uint64_t calls = 0;
  for (auto _ : state) {
    if (++calls % calls_ahead_max == 0) log.bulk().flush(Clock::time_point::max());
    now += std::chrono::microseconds(1);
    CallInfo call{.transport = transport,
                  .method = "/rps.v1.RockPaperScissorsService/Play",
                  .operation = Operation::play,
                  .began_at = now};
    const GameChain::Passage passage = chain.begin(call);
    if (passage.refusal()) return state.SkipWithError("the chain refuses the call");
    chain.end(call, passage, {.ended_at = now});
    chain.end_call(call);
  }
  state.counters["allocations"] =
      static_cast<double>(allocation_count() - before) / static_cast<double>(state.iterations());
  log.bulk().flush(Clock::time_point::max());
  if (lost_lines(log) > 0) state.SkipWithError("lines of the log were lost");
}

void add(const char* name, const ChainSettings& settings) {
  const auto run = [settings](benchmark::State& state) {
    const TokensFile file;
    ChainSettings all = settings;
    if (all.has_auth) all.tokens_file = file.path();
    pass_chain(state, all);
  };
  benchmark::RegisterBenchmark(name, run)->MeasureProcessCPUTime();
}

}  // namespace

void add_chain_benchmarks() {
  constexpr std::uint32_t ample = 1'000'000;
  add("chain/off", {.has_trace = false, .has_metrics = false});
  add("chain/auth", {.has_auth = true, .has_trace = false, .has_metrics = false});
  add("chain/trace", {.has_trace = true, .has_metrics = false});
  add("chain/rate_limit", {.has_trace = false,
                           .calls_per_second_max = ample,
                           .calls_burst_max = ample,
                           .calls_in_progress_max = ample,
                           .has_metrics = false});
  add("chain/metrics", {.has_trace = false});
  add("chain/log", {.has_trace = false, .has_metrics = false, .has_access_log = true});
  ChainSettings all{.has_auth = true,
                    .calls_per_second_max = ample,
                    .calls_burst_max = ample,
                    .calls_in_progress_max = ample};
  add("chain/all_but_log", all);
  all.has_access_log = true;
  add("chain/all", all);
}

}  // namespace rps::micro
