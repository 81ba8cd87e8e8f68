// Stage 2's wire: frames, and each codec's whole way in both directions. What a codec alone costs
// is in the codec table (codec_bench.cpp).
#include <string>

#include <benchmark/benchmark.h>

#include "bench/micro/codec_table.hpp"
#include "stage2_jsonrpc/client_codec.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/frame_protocol.hpp"
#include "stage2_jsonrpc/responder.hpp"

namespace rps::load {

namespace {

using jsonrpc::Codec;

std::string request_frame(Codec codec) {
  std::string out;
  jsonrpc::ClientCodec(codec).encode(codec_call_id, codec_command(), out);
  return out;
}

// Answers every call with the same reply, so that only the wire is measured.
struct Parrot final : jsonrpc::Service {
  Reply call(const jsonrpc::Call&) override { return reply; }
  void refused(Error) override {}

  Reply reply = codec_reply();
};

void BM_frame_encode(benchmark::State& state) {
  const std::string payload = request_frame(Codec::json).substr(jsonrpc::frame_header_bytes);
  std::string out;
  for (auto _ : state) {
    out.clear();
    const std::size_t start = jsonrpc::begin_frame(jsonrpc::FrameType::request, Codec::json, out);
    out += payload;
    jsonrpc::end_frame(start, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(BM_frame_encode);

void BM_frame_decode(benchmark::State& state) {
  const std::string frame = request_frame(Codec::json);
  for (auto _ : state) {
    std::string_view bytes = frame;
    benchmark::DoNotOptimize(bytes);
    benchmark::DoNotOptimize(jsonrpc::decode_frame(bytes));
  }
}
BENCHMARK(BM_frame_decode);

// The server's whole way from bytes to bytes: frame, request, reply, frame.
void BM_jsonrpc_request_to_reply(benchmark::State& state, Codec codec) {
  const std::string frame = request_frame(codec);
  const jsonrpc::Limits limits;
  jsonrpc::Responder responder(limits);
  jsonrpc::FrameProtocol protocol(limits, responder);
  Parrot parrot;
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(protocol.turn(frame, parrot, out));
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK_CAPTURE(BM_jsonrpc_request_to_reply, json, Codec::json);
BENCHMARK_CAPTURE(BM_jsonrpc_request_to_reply, message_pack, Codec::message_pack);
BENCHMARK_CAPTURE(BM_jsonrpc_request_to_reply, fixed_layout, Codec::fixed_layout);

// The client's: command to bytes, bytes to reply.
void BM_jsonrpc_client_round_trip(benchmark::State& state, Codec codec_number) {
  const jsonrpc::Limits limits;
  jsonrpc::Responder responder(limits);
  jsonrpc::FrameProtocol protocol(limits, responder);
  Parrot parrot;
  jsonrpc::ClientCodec codec(codec_number);
  const Command command = codec_command();
  std::string sent = request_frame(codec_number);
  std::string answer;
  protocol.turn(sent, parrot, answer);
  const runtime::WireCodec::Expected expected{.operation = Operation::play,
                                              .sequence = codec_call_id};
  for (auto _ : state) {
    sent.clear();
    codec.encode(codec_call_id, command, sent);
    std::size_t consumed = 0;
    Reply reply;
    Event event;
    benchmark::DoNotOptimize(codec.decode(answer, &expected, consumed, reply, event));
    benchmark::DoNotOptimize(reply);
  }
}
BENCHMARK_CAPTURE(BM_jsonrpc_client_round_trip, json, Codec::json);
BENCHMARK_CAPTURE(BM_jsonrpc_client_round_trip, message_pack, Codec::message_pack);
BENCHMARK_CAPTURE(BM_jsonrpc_client_round_trip, fixed_layout, Codec::fixed_layout);

}  // namespace

}  // namespace rps::load
