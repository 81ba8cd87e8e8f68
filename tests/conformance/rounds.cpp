// Rounds against the house, and the sessions that score them.
#include "tests/conformance/rounds.hpp"

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "tests/conformance/cases.hpp"
#include "tests/conformance/commands.hpp"
#include "tests/conformance/rules.hpp"

namespace rps::conformance {

namespace {

// Any house, the cycling and the guessing ones too, shows all nine pairs long before this.
constexpr int rounds_max = 2000;

// Runs through all followers of every move, so that no habit of the house matches it for long.
constexpr std::string_view wandering = "RRPSSRPPSRSPRRSSPPRPSRSRPPSSRRPSPRS";

void all_nine_pairs(const Target& target) {
  const auto player = target.open_player();
  const std::string session_id = fresh_id();
  SessionBook book(session_id);
  std::set<const Rule*> seen;
  for (int count = 0; count < rounds_max && seen.size() < rules.size(); ++count) {
    const Move move = move_of_letter(wandering[static_cast<std::size_t>(count) % wandering.size()]);
    seen.insert(&rule_for(move, book.play_round(*player, move)));
  }
  for (const Rule& rule : rules) {
    require(seen.contains(&rule), rule.player, " against ", rule.opponent, " was not seen in ",
            rounds_max, " rounds");
  }
}

void score_is_what_was_played(const Target& target) {
  const auto player = target.open_player();
  const std::string session_id = fresh_id();
  SessionBook book(session_id);
  for (int count = 0; count < 20; ++count) {
    book.play_round(*player, all_moves[static_cast<std::size_t>(count) % 3]);
    require_equal("the score", player->ask_gladly(score(session_id)).reply.score, book.score());
  }
}

void sessions_are_independent(const Target& target) {
  const auto player = target.open_player();
  const std::string one = fresh_id();
  const std::string two = fresh_id();
  SessionBook first(one);
  SessionBook second(two);
  for (int count = 0; count < 12; ++count) {
    first.play_round(*player, Move::rock);
    if (count % 3 == 0) second.play_round(*player, Move::paper);
  }
  require_equal("the score of the one", player->ask_gladly(score(one)).reply.score, first.score());
  require_equal("the score of the other", player->ask_gladly(score(two)).reply.score,
                second.score());
}

void without_session_nothing_is_scored(const Target& target) {
  const auto player = target.open_player();
  for (int count = 0; count < 12; ++count) {
    const Move move = all_moves[static_cast<std::size_t>(count) % 3];
    const Answer answer = player->ask_gladly(play(move));
    check_verdict(move, answer);
    require_equal<std::uint64_t>("the round", answer.reply.round, 0);
    require_equal("the score", answer.reply.score, Score{});
  }
}

void refused_round_does_not_count(const Target& target) {
  const auto player = target.open_player();
  const std::string session_id = fresh_id();
  SessionBook book(session_id);
  book.play_round(*player, Move::rock);
  (void)player->ask(play(Move::unspecified, session_id));
  book.play_round(*player, Move::rock);
}

void refused_first_round_opens_no_session(const Target& target) {
  const auto player = target.open_player();
  const std::string session_id = fresh_id();
  (void)player->ask(play(Move::unspecified, session_id));
  require_equal<std::optional<Error>>("the score", player->ask(score(session_id)).reply.error,
                                      Error::unknown_session);
}

void id_of_64_characters(const Target& target) {
  const auto player = target.open_player();
  std::string session_id = fresh_id();
  session_id.resize(limits::id_bytes_max, 'x');
  std::string neighbour = session_id;
  neighbour.back() = 'X';  // Only the last character, and only its case.
  SessionBook book(session_id);
  SessionBook other(neighbour);
  book.play_round(*player, Move::scissors);
  other.play_round(*player, Move::scissors);
  book.play_round(*player, Move::scissors);
}

void ids_of_every_visible_character(const Target& target) {
  const auto player = target.open_player();
  constexpr int at_once = 16;
  for (int first = '!'; first <= '~'; first += at_once) {
    std::string session_id = fresh_id();
    for (int c = first; c <= '~' && c < first + at_once; ++c) {
      session_id.push_back(static_cast<char>(c));
    }
    SessionBook book(session_id);
    book.play_round(*player, Move::paper);
    book.play_round(*player, Move::paper);
    require_equal("the score", player->ask_gladly(score(session_id)).reply.score, book.score());
  }
}

void session_outlives_connection(const Target& target) {
  if (target.connections_are_worlds) throw NotOffered("each connection is a server of its own");
  const std::string session_id = fresh_id();
  SessionBook book(session_id);
  book.play_round(*target.open_player(), Move::rock);
  const auto player = target.open_player();
  book.play_round(*player, Move::rock);
  require_equal("the score", player->ask_gladly(score(session_id)).reply.score, book.score());
}

}  // namespace

Move move_of_letter(char letter) {
  switch (letter) {
    case 'R': return Move::rock;
    case 'P': return Move::paper;
    case 'S': return Move::scissors;
    default: return Move::unspecified;
  }
}

void check_verdict(Move move, const Answer& answer) {
  const Rule& rule = rule_for(move, answer.reply.opponent_move);
  const std::string pair = say(rule.player, " against ", rule.opponent);
  require_equal(pair, answer.reply.result, rule.result);
  require_equal(pair + ": the reason", std::string_view(answer.reason), rule.reason);
}

Move SessionBook::play_round(Player& player, Move move) {
  const Answer answer = player.ask_gladly(play(move, session_id_));
  check_verdict(move, answer);
  score_.add(rule_for(move, answer.reply.opponent_move).result);
  require_equal("the round", answer.reply.round, score_.rounds());
  require_equal("the score after the round", answer.reply.score, score_);
  return answer.reply.opponent_move;
}

std::vector<Case> round_cases() {
  return {
      {"round/all_nine_pairs", "each pair of moves has its result and its reason", all_nine_pairs},
      {"round/without_session", "a round without session stands alone: round 0, no score",
       without_session_nothing_is_scored},
      {"session/score", "rounds count from 1, and the score is what was played",
       score_is_what_was_played},
      {"session/independent", "a round of one session is none of another",
       sessions_are_independent},
      {"session/refused_round", "a refused round is not counted", refused_round_does_not_count},
      {"session/refused_first_round", "a refused first round opens no session",
       refused_first_round_opens_no_session},
      {"session/longest_id", "an id has up to 64 characters, all of which count",
       id_of_64_characters},
      {"session/every_character", "every visible ASCII character may stand in an id",
       ids_of_every_visible_character},
      {"session/outlives_connection", "a session goes on from another connection",
       session_outlives_connection},
  };
}

}  // namespace rps::conformance
