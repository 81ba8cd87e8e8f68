#include "stage3_grpc/chain/trace.hpp"

#include <algorithm>
#include <cstring>

#include "core/random.hpp"

namespace rps::rpc::chain {

bool Trace::configure(const ChainSettings& settings) {
  sampling_.store(settings.trace_sampling, std::memory_order_relaxed);
  return settings.has_trace;
}

std::optional<Refusal> Trace::begin(CallInfo& call) {
  if (call.has_looked_for_trace) return std::nullopt;
  call.has_looked_for_trace = true;
  if (const auto text = call.transport.header(header)) call.trace = parse_traceparent(*text);
  if (!call.trace) {
    constexpr double most = 0x1p64;
    const double sampling = sampling_.load(std::memory_order_relaxed);
    if (sampling <= 0 || static_cast<double>(random()) >= sampling * most) return std::nullopt;
    call.trace = {.trace_id = new_id<16>(), .sampled = true};
  }
  call.trace->parent_id = new_id<8>();
  call.transport.add_trailer(header, to_traceparent(*call.trace));
  return std::nullopt;
}

std::uint64_t Trace::random() {
  return mix(secret_, numbers_.fetch_add(1, std::memory_order_relaxed));
}

// An id of zeros is invalid.
template <std::size_t size>
std::array<std::uint8_t, size> Trace::new_id() {
  std::array<std::uint8_t, size> id;
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = std::max<std::uint64_t>(random(), 1);
    std::memcpy(id.data() + at, &word, sizeof word);
  }
  return id;
}

}  // namespace rps::rpc::chain
