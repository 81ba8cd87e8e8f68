// What a server with known behaviour does to each call: how long it lets it wait, and whether it
// answers rightly.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace rps::synthetic {

// How long an answer takes:
//
//   fixed:1ms               always the same
//   exp:1ms                 exponentially distributed, with this mean
//   bimodal:1ms,20ms,0.01   the first, or the second with this probability
//
// A time is a duration of core/number.hpp; its unit must be given.
class Delay {
 public:
  // The error is a sentence.
  static std::expected<Delay, std::string> parse(std::string_view text);

  // For 64 random bits.
  Clock::duration draw(std::uint64_t random) const;

 private:
  enum class Kind : std::uint8_t { fixed, exponential, bimodal };

  Delay(Kind kind, Clock::duration first, Clock::duration second = {}, double second_share = 0)
      : kind_(kind), first_(first), second_(second), second_share_(second_share) {}

  Kind kind_;
  Clock::duration first_;  // Or the mean.
  Clock::duration second_;
  double second_share_;
};

enum class Fate : std::uint8_t { right, wrong, error };

// One for a server, used by all its threads. The same seed gives the same series.
class Script {
 public:
  struct Options {
    Delay delay;
    double wrong = 0;  // Shares of all calls.
    double error = 0;
    std::uint64_t seed = 0;
  };

  struct Step {
    Clock::duration delay{};
    Fate fate = Fate::right;
  };

  explicit Script(const Options& options) : options_(options) {}

  // For the next call.
  Step next();

  // An answer has gone out, so long after it was due.
  void answered(Clock::duration late);

  // What was decided and how well the times were kept, in one line:
  // "right=900 wrong=60 error=40 answered=1000 late_mean_ns=812 late_max_ns=20344"
  std::string summary() const;

 private:
  Options options_;
  std::atomic<std::uint64_t> calls_{0};
  std::array<std::atomic<std::uint64_t>, 3> fates_{};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::int64_t> late_{0};
  std::atomic<std::int64_t> late_max_{0};
};

}  // namespace rps::synthetic
