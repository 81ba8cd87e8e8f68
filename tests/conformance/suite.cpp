#include "tests/conformance/suite.hpp"

#include <exception>

#include "tests/conformance/check.hpp"

namespace rps::conformance {

Outcome run_case(const Case& test, const Target& target) {
  try {
    test.run(target);
    return {.verdict = Verdict::passed, .why = {}};
  } catch (const NotOffered& reason) {
    return {.verdict = Verdict::not_offered, .why = reason.what()};
  } catch (const std::exception& failure) {
    return {.verdict = Verdict::failed, .why = failure.what()};
  }
}

}  // namespace rps::conformance
