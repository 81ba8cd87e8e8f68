// The contract, case by case. Each is run against every URL on connections of its own, so one that
// fails leaves nothing behind for the next.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/strategy.hpp"
#include "tests/conformance/target.hpp"

namespace rps::conformance {

struct Case {
  std::string name;                        // "session/independent"
  std::string promise;                     // What the contract says, in one sentence.
  std::function<void(const Target&)> run;  // Throws Failed or NotOffered.
};

std::vector<Case> round_cases();    // Rounds against the house, and sessions.
std::vector<Case> refusal_cases();  // What is refused, and with which error.
std::vector<Case> duel_cases();     // Two people against each other.
std::vector<Case> watch_cases();    // Spectators of them.
std::vector<Case> load_cases();     // Many calls at once.

// Whole sessions. Only where all servers run with this house and this seed: they must agree with
// `first`, and with golden.hpp where that knows the seed.
std::vector<Case> transcript_cases(Strategy house, std::uint64_t seed, const Target& first);

}  // namespace rps::conformance
