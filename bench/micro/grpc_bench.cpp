// Stage 3's messages: a Play there and back through protobuf, without gRPC around it.
#include <string>

#include <benchmark/benchmark.h>

#include "core/judge.hpp"
#include "stage3_grpc/convert.hpp"

namespace rps::load {

namespace {

// Messages are reused, as gRPC's allocators do; what is measured is conversion and wire format.
void BM_protobuf_play_round_trip(benchmark::State& state) {
  const Command command{.move = Move::rock, .session_id = "player-7f3a2b"};
  const Round round{.opponent_move = Move::paper,
                    .result = Result::lose,
                    .reason = reason(Move::rock, Move::paper),
                    .round = 1234,
                    .score = {.wins = 400, .draws = 400, .losses = 434}};
  v1::PlayRequest request, received;
  v1::PlayResponse response, answered;
  std::string there, back;
  for (auto _ : state) {
    request.Clear();
    rpc::write(command, request);
    request.SerializeToString(&there);
    received.ParseFromString(there);
    benchmark::DoNotOptimize(rpc::from_wire(received.player_move()));

    response.Clear();
    rpc::write(round, response);
    response.SerializeToString(&back);
    answered.ParseFromString(back);
    benchmark::DoNotOptimize(rpc::read(answered));
  }
  state.counters["request_bytes"] = static_cast<double>(there.size());
  state.counters["response_bytes"] = static_cast<double>(back.size());
}
BENCHMARK(BM_protobuf_play_round_trip);

}  // namespace

}  // namespace rps::load
