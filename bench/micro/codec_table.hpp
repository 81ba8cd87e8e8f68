// The codec table: one round of the game through every codec of the repository, in four steps, each
// alone. `rps-micro --benchmark_filter=codec`
//
//   codec/1_call/…      one message
//   codec/100_calls/…   a hundred, one behind the other in a buffer: 10 KB of JSON and more; the
//                       counters are of all of them
//
// A codec is a type with these members; messages are appended, and what is read must be used:
//
//   void encode_request(const Command&, std::string& out);
//   bool decode_request(std::string_view message);
//   void encode_reply(const Reply&, std::string& out);
//   bool decode_reply(std::string_view message);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/allocations.hpp"
#include "core/command.hpp"
#include "core/judge.hpp"

namespace rps::load {

inline constexpr std::uint64_t codec_call_id = 1234;

inline Command codec_command() {
  return {.move = Move::rock, .session_id = "player-7f3a2b"};
}

inline Reply codec_reply() {
  return {.opponent_move = Move::paper,
          .result = Result::lose,
          .reason = reason(Move::rock, Move::paper),
          .round = 1234,
          .score = {.wins = 400, .draws = 400, .losses = 434}};
}

namespace detail {

inline void encode(auto& codec, const Command& command, std::string& out) {
  codec.encode_request(command, out);
}
inline void encode(auto& codec, const Reply& reply, std::string& out) {
  codec.encode_reply(reply, out);
}
inline bool decode(auto& codec, const Command&, std::string_view message) {
  return codec.decode_request(message);
}
inline bool decode(auto& codec, const Reply&, std::string_view message) {
  return codec.decode_reply(message);
}

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
void measure_encode(benchmark::State& state, int calls, const Message& message) {
  Codec codec;
  std::string out;
  const auto encode_all = [&] {
    out.clear();
    for (int i = 0; i < calls; ++i) {
      encode(codec, message, out);
      benchmark::DoNotOptimize(out.data());
    }
  };
  encode_all();  // Buffers have their size when the counting begins, as in a server.
  const AllocationMeter meter;
  for (auto _ : state) encode_all();
  meter.report(state, out.size());
}

template <class Codec, class Message>
void measure_decode(benchmark::State& state, int calls, const Message& message) {
  Codec codec;
  std::string bytes;
  std::vector<std::size_t> ends;
  for (int i = 0; i < calls; ++i) {
    encode(codec, message, bytes);
    ends.push_back(bytes.size());
  }
  const auto decode_all = [&] {
    bool is_good = true;
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      std::string_view one(bytes.data() + begin, end - begin);
      benchmark::DoNotOptimize(one);
      is_good &= decode(codec, message, one);
      begin = end;
    }
    return is_good;
  };
  if (!decode_all()) state.SkipWithError("the codec does not read what it wrote");
  const AllocationMeter meter;
  for (auto _ : state) benchmark::DoNotOptimize(decode_all());
  meter.report(state, bytes.size());
}

}  // namespace detail

// Adds the rows of one codec.
template <class Codec>
bool add_to_codec_table(const std::string& codec_name) {
  const auto add = [&](const std::string& row, auto measure) {
    benchmark::RegisterBenchmark(("codec/" + row + "/" + codec_name).c_str(), measure);
  };
  for (const int calls : {1, 100}) {
    const std::string size = calls == 1 ? "1_call/" : "100_calls/";
    add(size + "1_encode_request", [calls](benchmark::State& state) {
      detail::measure_encode<Codec>(state, calls, codec_command());
    });
    add(size + "2_decode_request", [calls](benchmark::State& state) {
      detail::measure_decode<Codec>(state, calls, codec_command());
    });
    add(size + "3_encode_reply", [calls](benchmark::State& state) {
      detail::measure_encode<Codec>(state, calls, codec_reply());
    });
    add(size + "4_decode_reply", [calls](benchmark::State& state) {
      detail::measure_decode<Codec>(state, calls, codec_reply());
    });
  }
  return true;
}

}  // namespace rps::load
