#include "stage1_cli/interactive.hpp"

#include <deque>
#include <iomanip>
#include <string>

#include "core/number.hpp"
#include "stage1_cli/hot_seat.hpp"
#include "stage1_cli/limits.hpp"
#include "stage1_cli/line_protocol.hpp"
#include "stage1_cli/words.hpp"

namespace rps::cli {

namespace {

constexpr std::string_view help =
    "  r, p, s        rock, paper or scissors; whole words do, too\n"
    "  score          how it stands\n"
    "  history        the last rounds\n"
    "  new            forget the score and start again\n"
    "  duel [N]       two people at this keyboard, best of N rounds (1, 3, 5 ...; 3)\n"
    "  help           this\n"
    "  quit           or q, or Ctrl-D\n";

// A person against the house.
class Table {
 public:
  Table(Game& game, Console& console, const Paint& paint)
      : game_(game), console_(console), paint_(paint) {}

  void run() {
    console_.write(paint_.bold("Rock, paper, scissors") + " against the house. " +
                   "Type r, p or s; help tells the rest.\n\n");
    while (const auto line = console_.ask(paint_.bold("your move> "))) {
      const std::string said = to_lower(trim(*line));
      if (is_quit(said)) break;
      if (!said.empty()) obey(said);
    }
    console_.write(farewell());
  }

 private:
  struct Shown {
    Move player;
    Round round;
  };

  void obey(const std::string& said) {
    const std::string word = said.substr(0, said.find(' '));
    if (const auto move = parse_spoken_move(said)) {
      play(*move);
    } else if (word == "duel") {
      duel(trim(std::string_view(said).substr(word.size())));
    } else if (said == "score") {
      console_.write("  " + score_line() + "\n");
    } else if (said == "history") {
      show_history();
    } else if (said == "new") {
      start_again();
    } else if (said == "help" || said == "h" || said == "?") {
      console_.write(help);
    } else {
      console_.write("  That is neither a move nor a word I know: type r, p, s or help.\n");
    }
  }

  void play(Move move) {
    const auto round = game_.play(move, session_id(), Clock::now());
    if (!round) {
      console_.write(text_of("  ", explain(round.error()), ".\n"));
      return;
    }
    score_ = round->score;
    history_.push_back({.player = move, .round = *round});
    if (history_.size() > limits::history_rounds_max) history_.pop_front();
    console_.write(text_of("  You: ", name_of(move), "   House: ", name_of(round->opponent_move),
                           "   ", verdict(round->result), " (", round->reason, ").\n  ",
                           paint_.faint(score_line()), "\n"));
  }

  void show_history() {
    if (history_.empty()) console_.write("  No round yet.\n");
    for (const auto& [player, round] : history_) {
      console_.write(text_of("  ", std::setw(4), round.round, "  ", std::left, std::setw(10),
                             name_of(player), std::setw(10), name_of(round.opponent_move),
                             verdict(round.result), "\n"));
    }
  }

  void start_again() {
    ++session_;
    score_ = {};
    history_.clear();
    console_.write("  A new game: nothing won, nothing lost.\n");
  }

  void duel(std::string_view best_of_word) {
    std::uint32_t best_of = rps::limits::best_of_default;
    if (!best_of_word.empty()) {
      best_of = parse_number<std::uint32_t>(best_of_word).value_or(0);
    }
    if (best_of % 2 == 0 || best_of > rps::limits::best_of_max) {
      console_.write(text_of("  A duel is best of 1, 3, 5 ... ", rps::limits::best_of_max,
                             ": an odd number.\n"));
      return;
    }
    const Id game_id(text_of("duel-", ++duels_));
    play_hot_seat(game_, console_, paint_, game_id, best_of);
  }

  std::string session_id() const { return text_of("person-", session_); }

  std::string verdict(Result result) const {
    switch (result) {
      case Result::win: return paint_.green("You win");
      case Result::draw: return paint_.yellow("A draw");
      case Result::lose: return paint_.red("You lose");
    }
    return {};
  }

  std::string score_line() const {
    return text_of("Score: ", score_.wins, " won, ", score_.draws, " drawn, ", score_.losses,
                   " lost");
  }

  std::string farewell() const {
    if (score_.rounds() == 0) return "Goodbye.\n";
    return text_of("Final ", to_lower(score_line()), ". Goodbye.\n");
  }

  Game& game_;
  Console& console_;
  const Paint& paint_;
  std::uint64_t session_ = 1;  // Which of this person's games is played.
  std::uint64_t duels_ = 0;
  Score score_;
  std::deque<Shown> history_;
};

}  // namespace

void run_interactive(Game& game, Console& console, const Paint& paint) {
  Table(game, console, paint).run();
}

}  // namespace rps::cli
