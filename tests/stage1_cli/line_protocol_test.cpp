// The console's wire, both ways: every request, every way to get one wrong, and that a reply or an
// event survives the way through a line.
#include "stage1_cli/line_protocol.hpp"

#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/judge.hpp"
#include "tests/catch.hpp"

namespace rps::cli {
namespace {

std::string_view without_end(const std::string& line) {
  REQUIRE(line.ends_with('\n'));
  REQUIRE(line.find('\n') == line.size() - 1);
  return std::string_view(line).substr(0, line.size() - 1);
}

void check_same(const Reply& a, const Reply& b) {
  CHECK(a.operation == b.operation);
  CHECK(a.error == b.error);
  CHECK(a.retry_after_ms == b.retry_after_ms);
  CHECK(a.opponent_move == b.opponent_move);
  CHECK(a.result == b.result);
  CHECK(a.reason == b.reason);
  CHECK(a.round == b.round);
  CHECK(a.score == b.score);
  CHECK(a.seat == b.seat);
  CHECK(a.best_of == b.best_of);
}

void check_same(const Event& a, const Event& b) {
  CHECK(a.type == b.type);
  CHECK(a.game_id == b.game_id);
  CHECK(a.player_id == b.player_id);
  CHECK(a.player_move == b.player_move);
  CHECK(a.opponent_move == b.opponent_move);
  CHECK(a.result == b.result);
  CHECK(a.round == b.round);
  CHECK(a.score == b.score);
  CHECK(a.winner == b.winner);
}

TEST_CASE("a person may say a move as a word or a letter, in either case") {
  using Pair = std::pair<std::string_view, Move>;
  for (const auto& [word, move] : {Pair{"ROCK", Move::rock},
                                   {"rock", Move::rock},
                                   {"rOcK", Move::rock},
                                   {"r", Move::rock},
                                   {"R", Move::rock},
                                   {"paper", Move::paper},
                                   {"P", Move::paper},
                                   {"Scissors", Move::scissors},
                                   {"s", Move::scissors}}) {
    CAPTURE(word);
    CHECK(parse_spoken_move(word) == move);
  }
  for (const std::string_view word : {"", "x", "ro", "rocks", "MOVE_UNSPECIFIED", "1", "rock "}) {
    CAPTURE(word);
    CHECK_FALSE(parse_spoken_move(word).has_value());
  }
}

TEST_CASE("requests are read word by word") {
  const auto lone = parse_command("play ROCK").value();
  CHECK(lone.operation == Operation::play);
  CHECK(lone.move == Move::rock);
  CHECK(lone.session_id.empty());

  const auto play = parse_command("  play   p  my-session ").value();
  CHECK(play.move == Move::paper);
  CHECK(play.session_id == "my-session");

  const auto score = parse_command("score s").value();
  CHECK(score.operation == Operation::score);
  CHECK(score.session_id == "s");

  const auto join = parse_command("join g p").value();
  CHECK(join.operation == Operation::join);
  CHECK(join.game_id == "g");
  CHECK(join.player_id == "p");
  CHECK(join.best_of == rps::limits::best_of_default);
  CHECK(parse_command("join g p 5").value().best_of == 5);

  const auto thrown = parse_command("throw g p scissors").value();
  CHECK(thrown.operation == Operation::throw_move);
  CHECK(thrown.game_id == "g");
  CHECK(thrown.player_id == "p");
  CHECK(thrown.move == Move::scissors);

  const auto leave = parse_command("leave g p").value();
  CHECK(leave.operation == Operation::leave);
  CHECK(leave.player_id == "p");
}

TEST_CASE("a word that is no move is left for the game to refuse") {
  CHECK(parse_command("play LIZARD s").value().move == Move::unspecified);
  CHECK(parse_command("throw g p spock").value().move == Move::unspecified);
}

TEST_CASE("what is not a request is refused") {
  for (const std::string_view line : {"play",
                                      "play ROCK s t",
                                      "score",
                                      "score s t",
                                      "join",
                                      "join g",
                                      "join g p 3 4",
                                      "join g p three",
                                      "join g p 3.0",
                                      "join g p -3",
                                      "join g p +3",
                                      "join g p 4294967296",
                                      "join g p 3x",
                                      "throw g p",
                                      "throw g p ROCK now",
                                      "leave",
                                      "leave g",
                                      "leave g p q",
                                      "play ROCK \xc3\xa4",
                                      "pl\xc3\xa4y ROCK",
                                      "play \xff\xfe",
                                      "\x80"}) {
    CAPTURE(line);
    const auto command = parse_command(line);
    REQUIRE_FALSE(command.has_value());
    CHECK(command.error() == Error::malformed_request);
  }
  for (const std::string_view line :
       {"PLAY ROCK", "hello", "play\tROCK", "{\"jsonrpc\":\"2.0\"}", "GET / HTTP/1.1"}) {
    CAPTURE(line);
    const auto command = parse_command(line);
    REQUIRE_FALSE(command.has_value());
    CHECK(command.error() == Error::unknown_operation);
  }
}

TEST_CASE("a line is blank when it has no word") {
  CHECK(is_blank(""));
  CHECK(is_blank("   "));
  CHECK_FALSE(is_blank(" x"));
}

TEST_CASE("a command survives the way through a line") {
  const std::vector<Command> commands{
      {.operation = Operation::play, .move = Move::rock},
      {.operation = Operation::play, .move = Move::unspecified, .session_id = "s"},
      {.operation = Operation::score, .session_id = "s"},
      {.operation = Operation::join, .game_id = "g", .player_id = "p", .best_of = 99},
      {.operation = Operation::throw_move, .move = Move::paper, .game_id = "g", .player_id = "p"},
      {.operation = Operation::leave, .game_id = "g", .player_id = "p"},
  };
  for (const Command& command : commands) {
    std::string line;
    append_command(command, line);
    CAPTURE(line);
    const auto read = parse_command(without_end(line)).value();
    CHECK(read.operation == command.operation);
    CHECK(read.move == command.move);
    CHECK(read.session_id == command.session_id);
    CHECK(read.game_id == command.game_id);
    CHECK(read.player_id == command.player_id);
    CHECK(read.best_of == command.best_of);
  }
}

TEST_CASE("an id that no word can say stays one word and stays no id") {
  for (const std::string_view id : {"", " ", "a b", "a\nplay ROCK", "a\r", "\n"}) {
    std::string line;
    append_command({.operation = Operation::join, .game_id = id, .player_id = "p"}, line);
    CAPTURE(line);
    const auto read = parse_command(without_end(line)).value();
    CHECK_FALSE(is_id(read.game_id));
    CHECK(read.player_id == "p");
    CHECK(read.best_of == rps::limits::best_of_default);
  }
}

TEST_CASE("replies are the documented lines") {
  const auto line_of = [](const Reply& reply) {
    std::string line;
    append_reply(reply, line);
    return line;
  };
  CHECK(line_of({.operation = Operation::play,
                 .opponent_move = Move::paper,
                 .result = Result::lose,
                 .reason = reason(Move::rock, Move::paper),
                 .round = 3,
                 .score = {.wins = 1, .draws = 1, .losses = 1}}) ==
        "ok play opponent_move=PAPER result=LOSE round=3 wins=1 draws=1 losses=1 "
        "reason=paper covers rock\n");
  CHECK(line_of({.operation = Operation::score, .score = {.wins = 1, .draws = 1, .losses = 1}}) ==
        "ok score wins=1 draws=1 losses=1 rounds=3\n");
  CHECK(line_of({.operation = Operation::join, .seat = Seat::first, .best_of = 3}) ==
        "ok join seat=1 best_of=3\n");
  CHECK(line_of({.operation = Operation::throw_move}) == "ok throw\n");
  CHECK(line_of({.operation = Operation::leave}) == "ok leave\n");
  CHECK(line_of({.operation = Operation::play, .error = Error::invalid_move}) ==
        "error invalid_move the move must be ROCK, PAPER or SCISSORS\n");
  CHECK(
      line_of({.operation = Operation::join, .error = Error::overloaded, .retry_after_ms = 100}) ==
      "error overloaded retry_after_ms=100 the server is at its limit, try again later\n");
}

TEST_CASE("events are the documented lines") {
  std::string line;
  append_event({.type = EventType::round_over,
                .game_id = Id("g"),
                .player_id = Id("p"),
                .player_move = Move::rock,
                .opponent_move = Move::paper,
                .result = Result::lose,
                .round = 1,
                .score = {.losses = 1}},
               line);
  append_event({.type = EventType::game_over,
                .game_id = Id("g"),
                .player_id = Id("p"),
                .score = {.losses = 1}},
               line);
  append_event({.type = EventType::opponent_left, .game_id = Id("g"), .player_id = Id("p")}, line);
  CHECK(line ==
        "event round_over game_id=g player_id=p player_move=ROCK opponent_move=PAPER result=LOSE "
        "round=1 wins=0 draws=0 losses=1\n"
        "event game_over game_id=g player_id=p winner= wins=0 draws=0 losses=1\n"
        "event opponent_left game_id=g player_id=p\n");
}

TEST_CASE("a reply survives the way through a line") {
  constexpr std::uint64_t big = std::numeric_limits<std::uint64_t>::max();
  std::vector<Reply> replies{
      {.operation = Operation::score, .score = {.wins = 7, .draws = 0, .losses = 2}},
      {.operation = Operation::join, .seat = Seat::second, .best_of = 99},
      {.operation = Operation::throw_move},
      {.operation = Operation::leave},
      {.operation = Operation::leave, .error = Error::overloaded, .retry_after_ms = 250},
  };
  for (const Move player : all_moves) {
    for (const Move opponent : all_moves) {
      replies.push_back({.operation = Operation::play,
                         .opponent_move = opponent,
                         .result = judge(player, opponent),
                         .reason = reason(player, opponent),
                         .round = big,
                         .score = {.wins = big, .draws = 1, .losses = 0}});
    }
  }
  for (const Error error : all_errors) {
    if (error == Error::overloaded) continue;  // Above, with its hint.
    for (const Operation operation : all_operations) {
      replies.push_back({.operation = operation, .error = error});
    }
  }
  for (const Reply& reply : replies) {
    std::string line;
    append_reply(reply, line);
    CAPTURE(line);
    const auto read = parse_reply(without_end(line), reply.operation);
    REQUIRE(read.has_value());
    check_same(*read, reply);
  }
}

TEST_CASE("an event survives the way through a line") {
  const Id longest(std::string(rps::limits::id_bytes_max, '='));  // The separators are no danger.
  for (const EventType type :
       {EventType::opponent_joined, EventType::opponent_ready, EventType::opponent_left}) {
    std::string line;
    const Event event{.type = type, .game_id = longest, .player_id = Id("player_id=x")};
    append_event(event, line);
    CAPTURE(line);
    CHECK(is_event(line));
    const auto read = parse_event(without_end(line));
    REQUIRE(read.has_value());
    check_same(*read, event);
  }
  const Event round{.type = EventType::round_over,
                    .game_id = Id("g"),
                    .player_id = longest,
                    .player_move = Move::scissors,
                    .opponent_move = Move::paper,
                    .result = Result::win,
                    .round = 12,
                    .score = {.wins = 3, .draws = 4, .losses = 5}};
  const Event won{.type = EventType::game_over,
                  .game_id = Id("g"),
                  .player_id = Id("p"),
                  .score = {.wins = 2},
                  .winner = longest};
  const Event given_up{.type = EventType::game_over, .game_id = Id("g"), .player_id = Id("p")};
  for (const Event& event : {round, won, given_up}) {
    std::string line;
    append_event(event, line);
    CAPTURE(line);
    const auto read = parse_event(without_end(line));
    REQUIRE(read.has_value());
    check_same(*read, event);
  }
}

TEST_CASE("a line cut short or grown is no reply and no event") {
  const std::string reply = "ok score wins=1 draws=2 losses=3 rounds=6";
  REQUIRE(parse_reply(reply, Operation::score).has_value());
  for (std::size_t size = 0; size < reply.size(); ++size) {
    CHECK_FALSE(parse_reply(reply.substr(0, size), Operation::score).has_value());
  }
  CHECK_FALSE(parse_reply(reply + " more=1", Operation::score).has_value());
  CHECK_FALSE(parse_reply(reply, Operation::leave).has_value());

  const std::string event = "event opponent_left game_id=g player_id=p";
  REQUIRE(parse_event(event).has_value());
  for (std::size_t size = 0; size < event.size(); ++size) {
    CHECK_FALSE(parse_event(event.substr(0, size)).has_value());
  }
  CHECK_FALSE(parse_event(event + " ").has_value());
}

TEST_CASE("a wrong word in a reply or an event is noticed") {
  using Pair = std::pair<std::string_view, Operation>;
  for (const auto& [line, operation] :
       {Pair{"", Operation::leave},
        {"okay leave", Operation::leave},
        {"ok", Operation::leave},
        {"error", Operation::leave},
        {"error unheard_of text", Operation::leave},
        {"error overloaded text", Operation::leave},
        {"error overloaded retry_after_ms=x text", Operation::leave},
        {"ok score wins=1 draws=2 losses=3 rounds=7", Operation::score},
        {"ok score wins=-1 draws=2 losses=3 rounds=4", Operation::score},
        {"ok join seat=3 best_of=3", Operation::join},
        {"ok join seat=0 best_of=3", Operation::join},
        {"ok play opponent_move=LIZARD result=WIN round=1 wins=1 draws=0 losses=0 reason=r",
         Operation::play},
        {"ok play opponent_move=ROCK result=LOST round=1 wins=1 draws=0 losses=0 reason=r",
         Operation::play}}) {
    CAPTURE(line);
    CHECK_FALSE(parse_reply(line, operation).has_value());
  }
  for (const std::string_view line :
       {"event unheard_of game_id=g player_id=p", "event opponent_left game_id= player_id=p",
        "event opponent_left player_id=p game_id=g",
        "event game_over game_id=g player_id=p winner=\x7f wins=0 draws=0 losses=0"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_event(line).has_value());
  }
}

}  // namespace
}  // namespace rps::cli
