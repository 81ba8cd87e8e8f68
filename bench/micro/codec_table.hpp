// The codec table: one round of the game through every codec of the repository.
// `rps-micro --benchmark_filter=codec`
//
//   codec/CODEC/encode/MESSAGE   and   codec/CODEC/decode/MESSAGE
//
//   CODEC    json          as stage 2 does it
//            json_dom      as a program would do it with a library that builds a tree
//            message_pack  fixed_layout  protobuf
//            rest_json     as stage 3's REST gateway does it
//            rest_json_protobuf   the same JSON by protobuf's own library
//   MESSAGE  play          a request of one round; the client writes it and the server reads it
//            reply         the answer to it; the other way round
//            10kB          a batch of 100 plays, each with its own ids: 10 kB of JSON; the other
//                          codecs encode the same plays
//
// A codec is a type with these members; messages are appended, and what is read must be used:
//
//   void encode_request(std::uint64_t id, const Command&, std::string& out);
//   bool decode_request(std::string_view message);
//   void encode_reply(const Reply&, std::string& out);
//   bool decode_reply(std::string_view message);
//   void encode_batch(std::span<const Command>, std::string& out);  // The first id: codec_call_id.
//   std::size_t decode_batch(std::string_view message);             // Returns the number of plays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/allocations.hpp"
#include "bench/micro/inputs.hpp"

namespace rps::micro {

inline constexpr std::uint64_t codec_call_id = 1234;
inline constexpr std::size_t codec_batch_calls = 100;

namespace detail {

struct PlayMessage {
  static constexpr std::string_view name = "play";

  void encode(auto& codec, std::string& out) const {
    codec.encode_request(codec_call_id, sample_command(), out);
  }
  bool decode(auto& codec, std::string_view message) const { return codec.decode_request(message); }
};

struct ReplyMessage {
  static constexpr std::string_view name = "reply";

  void encode(auto& codec, std::string& out) const { codec.encode_reply(sample_reply(), out); }
  bool decode(auto& codec, std::string_view message) const { return codec.decode_reply(message); }
};

class BatchMessage {
 public:
  static constexpr std::string_view name = "10kB";

  BatchMessage() {
    const auto moves = random_moves(8);
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      commands_.push_back({.move = moves[i], .session_id = ids_[i]});
    }
  }

  void encode(auto& codec, std::string& out) const { codec.encode_batch(commands_, out); }
  bool decode(auto& codec, std::string_view message) const {
    return codec.decode_batch(message) == codec_batch_calls;
  }

 private:
  std::vector<std::string> ids_ = random_ids(codec_batch_calls, 9);
  std::vector<Command> commands_;
};

// Counts from where it begins to where the measured loop ends.
class AllocationMeter {
 public:
  void report(benchmark::State& state, std::size_t bytes) const {
    const auto allocations = static_cast<double>(allocation_count() - begin_);
    state.counters["allocations"] = allocations / static_cast<double>(state.iterations());
    state.counters["bytes"] = static_cast<double>(bytes);
  }

 private:
  std::uint64_t begin_ = allocation_count();
};

template <class Codec, class Message>
void measure_encode(benchmark::State& state) {
  Codec codec;
  const Message message;
  std::string out;
  const auto encode = [&] {
    out.clear();
    message.encode(codec, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  };
  encode();  // Buffers have their size when the counting begins, as in a server.
  const AllocationMeter meter;
  for (auto _ : state) encode();
  meter.report(state, out.size());
}

template <class Codec, class Message>
void measure_decode(benchmark::State& state) {
  Codec codec;
  const Message message;
  std::string bytes;
  message.encode(codec, bytes);
  const auto decode = [&] {
    std::string_view view = bytes;
    benchmark::DoNotOptimize(view);
    return message.decode(codec, view);
  };
  if (!decode()) state.SkipWithError("the codec does not read what it wrote");
  const AllocationMeter meter;
  for (auto _ : state) benchmark::DoNotOptimize(decode());
  meter.report(state, bytes.size());
}

template <class Codec, class Message>
void add_message(const std::string& codec_name) {
  const auto name = [&](const char* step) {
    return "codec/" + codec_name + step + std::string(Message::name);
  };
  benchmark::RegisterBenchmark(name("/encode/").c_str(), measure_encode<Codec, Message>);
  benchmark::RegisterBenchmark(name("/decode/").c_str(), measure_decode<Codec, Message>);
}

}  // namespace detail

// Adds the rows of one codec.
template <class Codec>
void add_to_codec_table(const std::string& codec_name) {
  detail::add_message<Codec, detail::PlayMessage>(codec_name);
  detail::add_message<Codec, detail::ReplyMessage>(codec_name);
  detail::add_message<Codec, detail::BatchMessage>(codec_name);
}

}  // namespace rps::micro
