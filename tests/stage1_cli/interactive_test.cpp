// The game for people, played by a script: what is typed goes in, what is shown comes out.
#include "stage1_cli/interactive.hpp"

#include <deque>
#include <string>

#include "stage1_cli/limits.hpp"
#include "tests/catch.hpp"

namespace rps::cli {
namespace {

class Script final : public Console {
 public:
  explicit Script(std::deque<std::string> lines) : lines_(std::move(lines)) {}

  void write(std::string_view text) override { shown += text; }

  std::optional<std::string> ask(std::string_view prompt) override {
    shown += prompt;
    if (lines_.empty()) return std::nullopt;
    std::string line = lines_.front();
    lines_.pop_front();
    shown += line + "\n";  // A terminal shows what is typed …
    return line;
  }

  std::optional<std::string> ask_hidden(std::string_view prompt) override {
    shown += prompt;
    if (lines_.empty()) return std::nullopt;
    std::string line = lines_.front();
    lines_.pop_front();
    shown += "\n";  // … unless it was asked not to.
    return line;
  }

  bool has_shown(std::string_view text) const { return shown.find(text) != std::string::npos; }

  std::string shown;

 private:
  std::deque<std::string> lines_;
};

// Throws rock, paper, scissors, rock …
GameOptions foreseeable() {
  for (std::uint64_t seed = 0;; ++seed) {
    if (house_move(Strategy::cycle, seed, {}) == Move::rock) {
      return {.house = Strategy::cycle, .seed = seed};
    }
  }
}

Script played(std::deque<std::string> lines, bool in_color = false) {
  Game game(foreseeable());
  Script script(std::move(lines));
  run_interactive(game, script, Paint(in_color));
  return script;
}

TEST_CASE("a person plays, sees the score, and says goodbye") {
  const Script script = played({"p", "Rock", " SCISSORS ", "score", "quit", "r"});
  CHECK(script.has_shown("You: paper   House: rock   You win (paper covers rock)."));
  CHECK(script.has_shown("You: rock   House: paper   You lose (paper covers rock)."));
  CHECK(script.has_shown("You: scissors   House: scissors   A draw (both threw scissors)."));
  CHECK(script.has_shown("Score: 1 won, 1 drawn, 1 lost"));
  CHECK(script.shown.ends_with("Final score: 1 won, 1 drawn, 1 lost. Goodbye.\n"));
}

TEST_CASE("the end of the input is a way to quit") {
  CHECK(played({}).shown.ends_with("Goodbye.\n"));
  CHECK(played({"p"}).shown.ends_with("Final score: 1 won, 0 drawn, 0 lost. Goodbye.\n"));
  CHECK(played({"duel"}).shown.ends_with("Goodbye.\n"));
  CHECK(played({"duel", "Ann", "Bob", "r"}).shown.ends_with("Goodbye.\n"));
}

TEST_CASE("help, history and new do what they say") {
  CHECK(played({"help"}).has_shown("duel [N]"));
  CHECK(played({"history"}).has_shown("No round yet"));
  CHECK(played({"p", "r", "history"}).has_shown("   2  rock      paper     You lose"));
  const Script fresh = played({"p", "new", "history", "p", "q"});
  CHECK(fresh.has_shown("No round yet"));
  CHECK(fresh.shown.ends_with("Final score: 1 won, 0 drawn, 0 lost. Goodbye.\n"));
}

TEST_CASE("the history keeps the last rounds only") {
  std::deque<std::string> lines(limits::history_rounds_max + 1, "r");
  lines.push_back("history");
  const Script script = played(lines);
  CHECK_FALSE(script.has_shown("\n     1  rock"));
  CHECK(script.has_shown("     2  rock"));
  CHECK(script.has_shown("    11  rock"));
}

TEST_CASE("what is not understood is not shown again and costs nothing") {
  const Script script = played({"lizard", "\xff\xfe", "\x1b[2J", "", std::string(4096, 'x'), "p"});
  CHECK(script.has_shown("type r, p, s or help"));
  CHECK(script.shown.ends_with("Final score: 1 won, 0 drawn, 0 lost. Goodbye.\n"));
}

TEST_CASE("colour is put around the words only when it is wanted") {
  CHECK_FALSE(played({"p"}).has_shown("\x1b["));
  CHECK(played({"p"}, true).has_shown("\x1b[32mYou win\x1b[0m"));
}

TEST_CASE("two people duel at one keyboard and do not see each other's throws") {
  const Script script = played({"duel 3", "Ann", "Bob", "s", "s", "r", "p", "p", "s", "p"});
  CHECK(script.has_shown("Best of 3"));
  CHECK(script.has_shown("Ann throws: \n  Bob throws: \n"));
  CHECK(script.has_shown("Ann: scissors   Bob: scissors   A draw (both threw scissors)."));
  CHECK(script.has_shown("Ann: rock   Bob: paper   Bob wins (paper covers rock)."));
  CHECK(script.has_shown("Bob wins the duel, Ann 0 : 2 Bob."));
  CHECK(script.shown.ends_with("Final score: 1 won, 0 drawn, 0 lost. Goodbye.\n"));
}

TEST_CASE("a duel can be given up, and another begun") {
  const Script script = played({"duel", "", "", "r", "quit", "duel 1", "", "", "x", "r", "s", "q"});
  CHECK(script.has_shown("Player 1 throws: "));
  CHECK(script.has_shown("The duel is given up."));
  CHECK(script.has_shown("r, p or s, please"));
  CHECK(script.has_shown("Player 1 wins the duel, Player 1 1 : 0 Player 2."));
}

TEST_CASE("a duel's number is odd and not too big") {
  for (const std::string said : {"duel 0", "duel 2", "duel 101", "duel x", "duel -1", "duel 3 3"}) {
    CAPTURE(said);
    CHECK(played({said}).has_shown("an odd number"));
  }
  CHECK(played({"duel 99"}).has_shown("Name of Player 1"));
}

TEST_CASE("a name is text, not too long, and not the other one's") {
  CHECK(played({"duel", "Zo\xc3\xab", "\xe6\x9d\x8e"}).has_shown("Zo\xc3\xab throws"));
  for (const std::string& name :
       {std::string("\xff"), std::string("a\xc3"), std::string("\xc0\x80"),
        std::string("\xed\xa0\x80"), std::string("\xf5\x80\x80\x80"), std::string("\xc2\x9b"),
        std::string("\x1b[2J"), std::string("a\0b", 3), std::string(33, 'x')}) {
    const Script script = played({"duel", name, "Ann", "Ann", "Bob"});
    CHECK(script.has_shown("no control characters"));
    CHECK(script.has_shown("That is the other one's name."));
    CHECK(script.has_shown("Ann throws"));
  }
  CHECK(played({"duel", std::string(32, 'x'), "Ann"}).has_shown(std::string(32, 'x') + " throws"));
}

}  // namespace
}  // namespace rps::cli
