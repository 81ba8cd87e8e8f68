#include "bench/model/trial.hpp"

namespace rps::model {

std::string Trial::complaint() const {
  if (valid) return {};
  if (!start_error.empty()) return start_error;
  if (ending == load::Ending::interrupted) return "interrupted";
  for (const load::Verdict verdict : load::all_verdicts) {
    const std::uint64_t count = verdicts.of(verdict);
    const bool is_mistake = verdict != load::Verdict::right && verdict != load::Verdict::refused;
    if (is_mistake && count > 0) {
      return "wrong answers: " + std::to_string(count) + " " + std::string(to_string(verdict));
    }
  }
  if (ending == load::Ending::broken) return "the server went away";
  if (unanswered > 0) {
    return "calls without an answer, as their connection broke: " + std::to_string(unanswered);
  }
  if (verdicts.of(load::Verdict::refused) > 0) {
    return "refused calls: " + std::to_string(verdicts.of(load::Verdict::refused));
  }
  if (timed_out > 0) return "calls timed out: " + std::to_string(timed_out);
  if (lost > 0) return "calls never answered: " + std::to_string(lost);
  return "nothing was answered";
}

}  // namespace rps::model
