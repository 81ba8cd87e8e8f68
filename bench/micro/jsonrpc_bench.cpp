// Stage 2's wire: frames, and JSON-RPC in both directions.
#include <string>

#include <benchmark/benchmark.h>

#include "core/judge.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/client_codec.hpp"
#include "stage2_jsonrpc/dom.hpp"
#include "stage2_jsonrpc/exchange.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/scan.hpp"

namespace rps::load {

namespace {

constexpr std::string_view request =
    R"({"jsonrpc":"2.0","id":1234,"method":"play",)"
    R"("params":{"player_move":"ROCK","session_id":"player-7f3a2b"}})";

constexpr std::size_t batch_calls_max = 100;

std::string framed(jsonrpc::FrameType type, std::string_view payload) {
  std::string out;
  const std::size_t start = jsonrpc::begin_frame(type, jsonrpc::Codec::json, out);
  out += payload;
  jsonrpc::end_frame(start, out);
  return out;
}

const Reply& some_reply() {
  static const Reply reply{.opponent_move = Move::paper,
                           .result = Result::lose,
                           .reason = reason(Move::rock, Move::paper),
                           .round = 1234,
                           .score = {.wins = 400, .draws = 400, .losses = 434}};
  return reply;
}

// Answers every call with the same reply, so that only the wire is measured.
struct Parrot final : jsonrpc::Service {
  Reply call(const Command&) override { return some_reply(); }
  void refused(Error) override {}
};

void BM_frame_encode(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    const std::size_t start =
        jsonrpc::begin_frame(jsonrpc::FrameType::request, jsonrpc::Codec::json, out);
    out += request;
    jsonrpc::end_frame(start, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(BM_frame_encode);

void BM_frame_decode(benchmark::State& state) {
  const std::string frame = framed(jsonrpc::FrameType::request, request);
  for (auto _ : state) {
    std::string_view bytes = frame;
    benchmark::DoNotOptimize(bytes);
    benchmark::DoNotOptimize(jsonrpc::decode_frame(bytes));
  }
}
BENCHMARK(BM_frame_decode);

void BM_jsonrpc_read_request_scan(benchmark::State& state) {
  jsonrpc::Calls calls;
  for (auto _ : state) {
    calls.clear();
    benchmark::DoNotOptimize(jsonrpc::scan(request, batch_calls_max, calls));
  }
}
BENCHMARK(BM_jsonrpc_read_request_scan);

void BM_jsonrpc_read_request_dom(benchmark::State& state) {
  jsonrpc::Calls calls;
  for (auto _ : state) {
    calls.clear();
    jsonrpc::read_dom(request, batch_calls_max, calls);
    benchmark::DoNotOptimize(calls.list.data());
  }
}
BENCHMARK(BM_jsonrpc_read_request_dom);

// The server's whole way from bytes to bytes: frame, request, reply, frame.
void BM_jsonrpc_request_to_reply(benchmark::State& state) {
  const std::string frame = framed(jsonrpc::FrameType::request, request);
  const jsonrpc::Limits limits;
  jsonrpc::Exchange exchange(limits);
  Parrot parrot;
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(exchange.turn(frame, parrot, out));
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(BM_jsonrpc_request_to_reply);

// The client's: command to bytes, bytes to reply.
void BM_jsonrpc_client_round_trip(benchmark::State& state) {
  const jsonrpc::Limits limits;
  jsonrpc::Exchange exchange(limits);
  Parrot parrot;
  jsonrpc::ClientCodec codec;
  const Command command{.move = Move::rock, .session_id = "player-7f3a2b"};
  std::string sent;
  codec.encode(1234, command, sent);
  std::string answer;
  exchange.turn(sent, parrot, answer);
  const runtime::WireCodec::Expected expected{.operation = Operation::play, .sequence = 1234};
  for (auto _ : state) {
    sent.clear();
    codec.encode(1234, command, sent);
    std::size_t consumed = 0;
    Reply reply;
    Event event;
    benchmark::DoNotOptimize(codec.decode(answer, &expected, consumed, reply, event));
    benchmark::DoNotOptimize(reply);
  }
}
BENCHMARK(BM_jsonrpc_client_round_trip);

}  // namespace

}  // namespace rps::load
