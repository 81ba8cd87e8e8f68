// The link that says to which distributed trace a call belongs (W3C Trace Context, core/trace.hpp).
//
// A call with a valid `traceparent` continues that trace: the id and the sampled flag stay, and
// this server's part of it gets a parent id of its own. A call without one begins a trace as often
// as the sampling says. The result is sent back as the trailer `traceparent` and stands in the
// access log. An invalid `traceparent` is ignored, as the standard demands, and so are two of them
// in one call. `tracestate` is neither read nor sent: this server calls no other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "stage3_grpc/chain/chain.hpp"

namespace rps::rpc::chain {

class Trace : public Link {
 public:
  static constexpr const char* header = "traceparent";

  // `secret`: random; the ids follow from it.
  explicit Trace(std::uint64_t secret) : secret_(secret) {}

  bool configure(const ChainSettings& settings);

  // Once for each call: its first message decides.
  std::optional<Refusal> begin(CallInfo& call);

 private:
  std::uint64_t random();
  template <std::size_t size>
  std::array<std::uint8_t, size> new_id();

  const std::uint64_t secret_;
  std::atomic<std::uint64_t> numbers_{0};  // Handed out so far.
  std::atomic<double> sampling_{0};
};

}  // namespace rps::rpc::chain
