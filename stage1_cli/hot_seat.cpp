#include "stage1_cli/hot_seat.hpp"

#include <array>
#include <cassert>
#include <memory>
#include <optional>
#include <string>

#include "core/judge.hpp"
#include "core/utf8.hpp"
#include "stage1_cli/limits.hpp"
#include "stage1_cli/line_protocol.hpp"
#include "stage1_cli/words.hpp"

namespace rps::cli {

namespace {

// What the duel tells: the same events that a player far away would get, kept as the first player
// sees them.
class Told final : public EventSink {
 public:
  explicit Told(const Id& listener) : listener_(listener) {}

  void on_event(const Event& event) override {
    if (event.player_id != listener_) return;
    if (event.type == EventType::round_over) round_over = event;
    if (event.type == EventType::game_over) game_over = event;
  }

  std::optional<Event> round_over;
  std::optional<Event> game_over;

 private:
  Id listener_;
};

// Whether `text` may be shown as a name: UTF-8 without control characters.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::name_bytes_max && !text.contains('\n') &&
         printable(text) == text;
}

class HotSeat {
 public:
  HotSeat(Game& game, Console& console, const Paint& paint, const Id& game_id,
          std::uint32_t best_of)
      : game_(game),
        console_(console),
        paint_(paint),
        game_id_(game_id),
        best_of_(best_of),
        told_(std::make_shared<Told>(player_ids_[0])),
        caller_(game, told_) {}

  ~HotSeat() {
    for (const Id& player : player_ids_) say({.operation = Operation::leave}, player);
    caller_.disconnect(Clock::now());
  }
  HotSeat(const HotSeat&) = delete;
  HotSeat& operator=(const HotSeat&) = delete;

  void run() {
    if (!ask_name(0) || !ask_name(1)) return;
    for (const Id& player : player_ids_) {
      say({.operation = Operation::join, .best_of = best_of_}, player);
    }
    console_.write(
        text_of("Best of ", best_of_, ". What you type stays hidden: r, p or s and Enter.\n"));
    while (!told_->game_over) {
      if (!throw_hidden(0) || !throw_hidden(1)) {
        console_.write("  The duel is given up.\n\n");
        return;
      }
      show_round();
    }
    const std::size_t winner = told_->game_over->winner == player_ids_[0] ? 0 : 1;
    console_.write(paint_.green(names_[winner] + " wins the duel") + ", " +
                   score_line(told_->game_over->score) + ".\n\n");
  }

 private:
  // Asks until there is a name; an empty line takes "Player 1". False when nobody answers.
  bool ask_name(std::size_t seat) {
    const std::string usual = text_of("Player ", seat + 1);
    while (const auto line = console_.ask(text_of("  Name of ", usual, ": "))) {
      const std::string_view said = trim(*line);
      names_[seat] = said.empty() ? usual : std::string(said);
      if (!is_name(names_[seat])) {
        console_.write(text_of("  A name has 1 to ", limits::name_bytes_max,
                               " bytes and no control characters.\n"));
      } else if (seat == 1 && names_[0] == names_[1]) {
        console_.write("  That is the other one's name.\n");
      } else {
        return true;
      }
    }
    return false;
  }

  // Asks until there is a throw. False when the player quits or is gone.
  bool throw_hidden(std::size_t seat) {
    const std::string prompt = "  " + paint_.bold(names_[seat]) + " throws: ";
    while (const auto line = console_.ask_hidden(prompt)) {
      const std::string said = to_lower(trim(*line));
      if (is_quit(said)) return false;
      const Move move = parse_spoken_move(said).value_or(Move::unspecified);
      const Reply reply =
          say({.operation = Operation::throw_move, .move = move}, player_ids_[seat]);
      if (!reply.error) return true;
      console_.write("  r, p or s, please, or quit to give up.\n");
    }
    return false;
  }

  Reply say(Command command, const Id& player) {
    command.game_id = game_id_.view();
    command.player_id = player.view();
    return game_.handle(command, caller_, Clock::now());
  }

  void show_round() {
    assert(told_->round_over);
    const Event& round = *told_->round_over;
    console_.write(text_of("  ", names_[0], ": ", name_of(round.player_move), "   ", names_[1],
                           ": ", name_of(round.opponent_move), "   ", verdict(round.result), " (",
                           reason(round.player_move, round.opponent_move), ").\n  ",
                           paint_.faint(score_line(round.score)), "\n"));
  }

  std::string verdict(Result result) const {
    switch (result) {
      case Result::win: return names_[0] + " wins";
      case Result::draw: return "A draw";
      case Result::lose: return names_[1] + " wins";
    }
    return {};
  }

  // The score as events tell it to the first player.
  std::string score_line(const Score& score) const {
    return text_of(names_[0], " ", score.wins, " : ", score.losses, " ", names_[1]);
  }

  Game& game_;
  Console& console_;
  const Paint& paint_;
  Id game_id_;
  std::uint32_t best_of_;
  std::array<Id, 2> player_ids_{Id("first"), Id("second")};
  std::array<std::string, 2> names_;
  std::shared_ptr<Told> told_;
  Caller caller_;
};

}  // namespace

void play_hot_seat(Game& game, Console& console, const Paint& paint, const Id& game_id,
                   std::uint32_t best_of) {
  HotSeat(game, console, paint, game_id, best_of).run();
}

}  // namespace rps::cli
