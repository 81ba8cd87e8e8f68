// Runs cases against servers and keeps what came of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/conformance/cases.hpp"

namespace rps::conformance {

enum class Verdict : std::uint8_t { passed, failed, not_offered };

constexpr std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed: return "passed";
    case Verdict::failed: return "failed";
    case Verdict::not_offered: return "not offered";
  }
  return "failed";
}

struct Outcome {
  Verdict verdict = Verdict::failed;
  std::string why;  // Empty when passed.
};

// Never throws: whatever goes wrong is the outcome.
Outcome run_case(const Case& test, const Target& target);

}  // namespace rps::conformance
