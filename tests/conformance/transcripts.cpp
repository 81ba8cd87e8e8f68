// Whole sessions: with one seed, every server and every transport plays the same.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/cases.hpp"
#include "tests/conformance/check.hpp"
#include "tests/conformance/golden.hpp"
#include "tests/conformance/rounds.hpp"

namespace rps::conformance {

namespace {

using Transcript = std::array<std::string, golden_sessions>;  // The house's moves as letters.

// Plays round 1 of every session, then round 2 …, so that sessions cannot be mixed up unnoticed.
// Results, reasons, rounds and scores are checked on the way, so the house's moves say it all.
Transcript play_transcript(const Target& target) {
  const auto player = target.open_player();
  std::vector<std::string> session_ids;
  for (std::size_t i = 0; i < golden_sessions; ++i) session_ids.push_back(fresh_id());
  std::vector<SessionBook> books(session_ids.begin(), session_ids.end());

  Transcript transcript;
  for (std::size_t round = 0; round < golden_rounds; ++round) {
    for (std::size_t session = 0; session < golden_sessions; ++session) {
      const std::string_view script = golden_scripts[session];
      const Move move = move_of_letter(script[round % script.size()]);
      transcript[session].push_back(to_string(books[session].play_round(*player, move)).front());
    }
  }
  return transcript;
}

void compare(const auto& is, const auto& must_be, std::string_view whose) {
  for (std::size_t session = 0; session < golden_sessions; ++session) {
    const auto [left, right] = std::ranges::mismatch(is[session], must_be[session]);
    if (left == is[session].end()) continue;
    throw Failed(say("session ", session + 1, ", round ", left - is[session].begin() + 1,
                     ": the house throws ", *left, ", ", whose, " ", *right));
  }
}

}  // namespace

std::vector<Case> transcript_cases(Strategy house, std::uint64_t seed, const Target& first) {
  std::vector<Case> cases{
      {"transcript/agrees", "the house plays as on the first of all these servers",
       [&first](const Target& target) {
         compare(play_transcript(target), play_transcript(first), "on the first server");
       }}};
  const auto golden = std::ranges::find(golden_houses, house, &Golden::house);
  if (seed == golden_seed && golden != golden_houses.end()) {
    cases.push_back({"transcript/golden", "the house plays what its strategy and seed demand",
                     [golden](const Target& target) {
                       compare(play_transcript(target), golden->sessions, "by its strategy");
                     }});
  }
  return cases;
}

}  // namespace rps::conformance
