// Stage 2's wire: frames, and each codec's whole way in both directions. What a codec alone costs
// is in the codec table (codec_bench.cpp).
#include <string>

#include <benchmark/benchmark.h>

#include "bench/micro/benchmarks.hpp"
#include "bench/micro/inputs.hpp"
#include "stage2_jsonrpc/client_codec.hpp"
#include "stage2_jsonrpc/frame.hpp"
#include "stage2_jsonrpc/frame_protocol.hpp"

namespace rps::micro {

namespace {

using jsonrpc::Codec;

constexpr std::uint64_t call_id = 1234;

std::string request_frame(Codec codec) {
  std::string out;
  jsonrpc::ClientCodec(codec).encode(call_id, sample_command(), out);
  return out;
}

// The server's side of a connection, from bytes to bytes. Answers every call with the same reply,
// so that only the wire is measured.
class Server final : jsonrpc::Context {
 public:
  Server() : Context(limits_) {}

  void turn(std::string_view bytes, std::string& out) {
    benchmark::DoNotOptimize(protocol_.take_messages(bytes, *this, out));
  }

 private:
  Reply execute(const jsonrpc::Call&) override { return reply_; }
  void count_refusal(Error) override {}
  bool is_ready() const override { return true; }
  std::string metrics_text() const override { return {}; }
  bool accepts(const net::HttpAuthority&) const override { return true; }
  std::string_view http_date() override { return {}; }

  Reply reply_ = sample_reply();
  jsonrpc::Limits limits_;
  jsonrpc::FrameProtocol protocol_;
};

void encode_frame(benchmark::State& state) {
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

void decode_frame(benchmark::State& state) {
  const std::string frame = request_frame(Codec::json);
  for (auto _ : state) {
    std::string_view bytes = frame;
    benchmark::DoNotOptimize(bytes);
    benchmark::DoNotOptimize(jsonrpc::decode_frame(bytes));
  }
  state.counters["bytes"] = static_cast<double>(frame.size());
}

// Frame, request, reply, frame.
void server_turn(benchmark::State& state, Codec codec) {
  const std::string frame = request_frame(codec);
  Server server;
  std::string out;
  for (auto _ : state) {
    out.clear();
    server.turn(frame, out);
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}

// Command to bytes, bytes to reply.
void client_round_trip(benchmark::State& state, Codec codec_number) {
  jsonrpc::ClientCodec codec(codec_number);
  const Command command = sample_command();
  std::string sent = request_frame(codec_number);
  std::string answer;
  Server().turn(sent, answer);
  const net::WireCodec::Expected expected{.operation = Operation::play, .sequence = call_id};
  for (auto _ : state) {
    sent.clear();
    codec.encode(call_id, command, sent);
    std::size_t consumed = 0;
    Reply reply;
    Event event;
    benchmark::DoNotOptimize(codec.decode(answer, &expected, consumed, reply, event));
    benchmark::DoNotOptimize(reply);
  }
  state.counters["bytes"] = static_cast<double>(sent.size() + answer.size());
}

}  // namespace

void add_jsonrpc_benchmarks() {
  benchmark::RegisterBenchmark("jsonrpc/frame/encode", encode_frame);
  benchmark::RegisterBenchmark("jsonrpc/frame/decode", decode_frame);
  constexpr std::pair<const char*, Codec> codecs[] = {{"json", Codec::json},
                                                      {"message_pack", Codec::message_pack},
                                                      {"fixed_layout", Codec::fixed_layout}};
  for (const auto& [name, codec] : codecs) {
    const std::string codec_name = name;
    benchmark::RegisterBenchmark(("jsonrpc/server_turn/" + codec_name).c_str(), server_turn, codec);
    benchmark::RegisterBenchmark(("jsonrpc/client_round_trip/" + codec_name).c_str(),
                                 client_round_trip, codec);
  }
}

}  // namespace rps::micro
