// The conversation on a pipe, without the pipe: one session of all operations and all the bad
// lines, cut at every byte.
#include "stage1_cli/batch.hpp"

#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "stage1_cli/limits.hpp"
#include "tests/catch.hpp"

namespace rps::cli {
namespace {

const Clock::time_point now = Clock::time_point() + std::chrono::hours(1);

constexpr std::string_view session_in =
    "play ROCK s\n"
    "\n"
    "   \r\n"
    "play p s\r\n"
    "score s\n"
    "score nobody\n"
    "play lizard s\n"
    "play\n"
    "play \xff\xfe s\n"
    "dance\n"
    "join g ann 1\n"
    "throw g ann ROCK\n"
    "join g bob\n"
    "throw g ann ROCK\n"
    "throw g ann ROCK\n"
    "throw g bob PAPER\n"
    "join g eve\n"
    "leave g ann\n"
    "leave g bob\n"
    "throw g bob PAPER\n"
    "join g ann 2\n"
    "score s";

constexpr std::string_view session_out =
    "ok play opponent_move=ROCK result=DRAW round=1 wins=0 draws=1 losses=0 "
    "reason=both threw rock\n"
    "ok play opponent_move=PAPER result=DRAW round=2 wins=0 draws=2 losses=0 "
    "reason=both threw paper\n"
    "ok score wins=0 draws=2 losses=0 rounds=2\n"
    "error unknown_session no round was played in this session\n"
    "error invalid_move the move must be ROCK, PAPER or SCISSORS\n"
    "error malformed_request the request is not well-formed\n"
    "error malformed_request the request is not well-formed\n"
    "error unknown_operation the operation is none of play, score, join, throw and leave\n"
    "ok join seat=1 best_of=1\n"
    "error not_your_turn this player cannot throw now\n"
    "ok join seat=2 best_of=1\n"
    "event opponent_joined game_id=g player_id=ann\n"
    "event opponent_joined game_id=g player_id=bob\n"
    "ok throw\n"
    "event opponent_ready game_id=g player_id=bob\n"
    "error not_your_turn this player cannot throw now\n"
    "ok throw\n"
    "event round_over game_id=g player_id=ann player_move=ROCK opponent_move=PAPER result=LOSE "
    "round=1 wins=0 draws=0 losses=1\n"
    "event round_over game_id=g player_id=bob player_move=PAPER opponent_move=ROCK result=WIN "
    "round=1 wins=1 draws=0 losses=0\n"
    "event game_over game_id=g player_id=ann winner=bob wins=0 draws=0 losses=1\n"
    "event game_over game_id=g player_id=bob winner=bob wins=1 draws=0 losses=0\n"
    "error game_full two other players sit at this game\n"
    "ok leave\n"
    "event opponent_left game_id=g player_id=bob\n"
    "ok leave\n"
    "error unknown_game there is no such game\n"
    "error malformed_request the request is not well-formed\n"
    "ok score wins=0 draws=2 losses=0 rounds=2\n";

// A house that can be foreseen: rock, then paper.
GameOptions foreseeable() {
  for (std::uint64_t seed = 0;; ++seed) {
    if (house_move(Strategy::cycle, seed, {}) == Move::rock) {
      return {.house = Strategy::cycle, .seed = seed};
    }
  }
}

TEST_CASE("a session on a pipe gives the same lines wherever the pipe cuts it") {
  for (std::size_t cut = 0; cut <= session_in.size(); ++cut) {
    Game game(foreseeable());
    Batch batch(game);
    std::string out;
    REQUIRE(batch.feed(session_in.substr(0, cut), now, out));
    REQUIRE(batch.feed(session_in.substr(cut), now, out));
    batch.finish(now, out);
    CAPTURE(cut);
    REQUIRE(out == session_out);
  }
}

TEST_CASE("a session on a pipe may come byte by byte") {
  Game game(foreseeable());
  Batch batch(game);
  std::string out;
  for (const char byte : session_in) REQUIRE(batch.feed({&byte, 1}, now, out));
  batch.finish(now, out);
  CHECK(out == session_out);
}

TEST_CASE("a whole line is answered at once, one that is not whole waits") {
  Game game(foreseeable());
  Batch batch(game);
  std::string out;
  REQUIRE(batch.feed("play ROCK\nplay ROC", now, out));
  CHECK(out.starts_with("ok play"));
  CHECK(out.find('\n') == out.size() - 1);
  out.clear();
  REQUIRE(batch.feed("K\n", now, out));
  CHECK(out.starts_with("ok play"));
}

TEST_CASE("the longest line is taken, one byte more is too large and the end") {
  const std::string start = "play ROCK ";
  const std::string longest =
      start + std::string(limits::line_bytes_max - start.size(), 'x');  // An id of too many bytes.
  for (std::size_t cut = 0; cut <= longest.size(); cut += 512) {
    CAPTURE(cut);
    Game game(foreseeable());
    Batch batch(game);
    std::string out;
    REQUIRE(batch.feed(longest.substr(0, cut), now, out));
    REQUIRE(batch.feed(longest.substr(cut) + "\n", now, out));
    CHECK(out == "error malformed_request the request is not well-formed\n");
    out.clear();
    CHECK_FALSE((batch.feed(longest.substr(0, cut), now, out) &&
                 batch.feed(longest.substr(cut) + "x\nplay ROCK\n", now, out)));
    CHECK(out == "error too_large the request is larger than the limit\n");
  }
}

TEST_CASE("a line of ten megabytes is refused before its end is seen") {
  Game game(foreseeable());
  Batch batch(game);
  std::string out;
  CHECK_FALSE(batch.feed(std::string(10'000'000, 'x'), now, out));
  CHECK(out == "error too_large the request is larger than the limit\n");
}

TEST_CASE("when a conversation ends its players leave their chairs") {
  Game game(foreseeable());
  Batch stays(game);
  std::string heard;
  REQUIRE(stays.feed("join g ann\n", now, heard));
  {
    Batch goes(game);
    std::string out;
    REQUIRE(goes.feed("join g bob\n", now, out));
    CHECK(out.ends_with("event opponent_joined game_id=g player_id=bob\n"));
  }
  heard.clear();
  REQUIRE(stays.feed("throw g ann ROCK\n", now, heard));
  CHECK(heard ==
        "error not_your_turn this player cannot throw now\n"
        "event opponent_joined game_id=g player_id=ann\n"
        "event opponent_left game_id=g player_id=ann\n");
}

// ---- The loop around it --------------------------------------------------------------------

struct Pipe {
  explicit Pipe(int flags = 0) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | flags) == 0);
    read_end = net::Fd(ends[0]);
    write_end = net::Fd(ends[1]);
  }

  void fill_and_close(std::string_view bytes) {
    REQUIRE(::write(write_end.get(), bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
    write_end = net::Fd();
  }

  net::Fd read_end;
  net::Fd write_end;
};

TEST_CASE("one read's lines are answered with one write, whatever the pipe's mode") {
  for (const int flags : {0, O_NONBLOCK}) {
    Game game(foreseeable());
    Pipe in(flags);
    Pipe out(O_DIRECT);  // Keeps what each write brought apart, so that one read gets one write.
    in.fill_and_close(session_in);
    CHECK(run_batch(game, in.read_end.get(), out.write_end.get()) == 0);
    std::string bytes(4096, '\0');
    std::string answers;
    int writes = 0;
    out.write_end = net::Fd();
    for (ssize_t count = 1; count > 0; ++writes) {
      count = ::read(out.read_end.get(), bytes.data(), bytes.size());
      REQUIRE(count >= 0);
      answers.append(bytes, 0, static_cast<std::size_t>(count));
    }
    CHECK(answers == session_out);
    CHECK(writes == 3);  // All whole lines; the last one, at the end of the input; that end.
  }
}

TEST_CASE("a broken output or an endless line ends the loop with a failure") {
  Game game(foreseeable());
  const net::Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  Pipe in;
  in.fill_and_close("play ROCK\n");
  const auto broken = run_batch(game, in.read_end.get(), full.get());
  REQUIRE_FALSE(broken);
  CHECK(broken.error() == "cannot write to stdout: No space left on device");

  const auto unread = run_batch(game, full.get(), full.get());
  REQUIRE_FALSE(unread);
  CHECK(unread.error() == "cannot read stdin: Bad file descriptor");

  Pipe endless;
  Pipe out;
  endless.fill_and_close(std::string(limits::line_bytes_max + 1, 'x'));
  CHECK(run_batch(game, endless.read_end.get(), out.write_end.get()) == 1);
}

}  // namespace
}  // namespace rps::cli
