// What is refused, and with which error: a table, and one case for each of its rows.
#include <string>
#include <string_view>
#include <utility>

#include "tests/conformance/cases.hpp"
#include "tests/conformance/check.hpp"
#include "tests/conformance/commands.hpp"
#include "tests/conformance/rounds.hpp"

namespace rps::conformance {

namespace {

// One past the longest id, and ids with a character that none may have.
constexpr std::string_view too_long =
    "a234567890123456789012345678901234567890123456789012345678901234x";
static_assert(too_long.size() == limits::id_bytes_max + 1);
constexpr std::string_view spaced = "a b";
constexpr std::string_view control =
    "a\x01"
    "b";
constexpr std::string_view rubout =
    "a\x7f"
    "b";
constexpr std::string_view accented = "caf\u00e9";
constexpr std::string_view nobody = "never-played";

struct Refusal {
  std::string_view name;
  Command command;
  Error error;
};

// An empty game_id or player_id of `join` is missing here: on a console line, where best_of may be
// left out, the words that remain are a request of their own.
const std::vector<Refusal>& refusals() {
  constexpr Move rock = Move::rock;
  static const std::vector<Refusal> table{
      {"play/no_move", play(Move::unspecified), Error::invalid_move},
      {"play/no_move_in_session", play(Move::unspecified, "s"), Error::invalid_move},
      {"play/id_of_65", play(rock, too_long), Error::malformed_request},
      {"play/id_with_space", play(rock, spaced), Error::malformed_request},
      {"play/id_with_control", play(rock, control), Error::malformed_request},
      {"play/id_with_delete", play(rock, rubout), Error::malformed_request},
      {"play/id_beyond_ascii", play(rock, accented), Error::malformed_request},
      {"score/no_id", score(""), Error::malformed_request},
      {"score/id_of_65", score(too_long), Error::malformed_request},
      {"score/id_with_space", score(spaced), Error::malformed_request},
      {"score/id_with_control", score(control), Error::malformed_request},
      {"score/id_beyond_ascii", score(accented), Error::malformed_request},
      {"score/unknown", score(nobody), Error::unknown_session},
      {"join/game_of_65", join(too_long, "p"), Error::malformed_request},
      {"join/player_of_65", join(nobody, too_long), Error::malformed_request},
      {"join/game_with_space", join(spaced, "p"), Error::malformed_request},
      {"join/player_with_control", join(nobody, control), Error::malformed_request},
      {"join/game_beyond_ascii", join(accented, "p"), Error::malformed_request},
      {"join/best_of_even", join(nobody, "p", 2), Error::malformed_request},
      {"join/best_of_100", join(nobody, "p", 100), Error::malformed_request},
      {"join/best_of_101", join(nobody, "p", 101), Error::malformed_request},
      {"join/best_of_of_32_bits", join(nobody, "p", UINT32_MAX), Error::malformed_request},
      {"throw/no_game", throw_move("", "p", rock), Error::malformed_request},
      {"throw/no_player", throw_move("g", "", rock), Error::malformed_request},
      {"throw/game_of_65", throw_move(too_long, "p", rock), Error::malformed_request},
      {"throw/no_move", throw_move(nobody, "p", Move::unspecified), Error::invalid_move},
      {"throw/unknown", throw_move(nobody, "p", rock), Error::unknown_game},
      {"leave/no_game", leave("", "p"), Error::malformed_request},
      {"leave/no_player", leave("g", ""), Error::malformed_request},
      {"leave/player_of_65", leave("g", too_long), Error::malformed_request},
      {"leave/unknown", leave(nobody, "p"), Error::unknown_game},
  };
  return table;
}

// Refuses, and goes on: the connection is as good as before.
void check_refusal(const Target& target, const Refusal& refusal) {
  const auto player = target.open_player();
  const Answer answer = player->ask(refusal.command);
  if (is_of_duel(refusal.command.operation) && answer.reply.error == Error::unknown_operation) {
    throw NotOffered("no duels");
  }
  require_equal<std::optional<Error>>("the answer", answer.reply.error, refusal.error);
  check_verdict(Move::rock, player->ask_gladly(play(Move::rock)));
}

}  // namespace

std::vector<Case> refusal_cases() {
  std::vector<Case> cases;
  for (const Refusal& refusal : refusals()) {
    cases.push_back({.name = "refuse/" + std::string(refusal.name),
                     .promise = say("is refused with ", refusal.error),
                     .run = [&refusal](const Target& target) { check_refusal(target, refusal); }});
  }
  return cases;
}

}  // namespace rps::conformance
