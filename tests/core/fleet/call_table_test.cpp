#include "core/fleet/call_table.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::fleet {
namespace {

using std::chrono::milliseconds;

constexpr Clock::time_point start{std::chrono::hours(1)};

Clock::time_point after(int ms) {
  return start + milliseconds(ms);
}

TEST_CASE("A call keeps a copy of all that its command points to") {
  CallTable table(1);
  std::string text = "session game player";
  const std::string_view view = text;
  const std::uint32_t call = table.open(7,
                                        {.operation = Operation::join,
                                         .session_id = view.substr(0, 7),
                                         .game_id = view.substr(8, 4),
                                         .player_id = view.substr(13)},
                                        start, after(1));
  text.assign(text.size(), 'x');
  CHECK(table[call].id == 7);
  CHECK(table[call].command.operation == Operation::join);
  CHECK(table[call].command.session_id == "session");
  CHECK(table[call].command.game_id == "game");
  CHECK(table[call].command.player_id == "player");
}

TEST_CASE("Calls expire in the order of their deadlines, whichever are closed before") {
  CallTable table(4);
  CHECK(table.calls_max() == 4);
  CHECK(table.first_to_expire() == no_index);
  CHECK(table.next_time() == Clock::time_point::max());
  std::vector<std::uint32_t> calls;
  for (int i = 0; i < 4; ++i) {
    calls.push_back(table.open(static_cast<std::uint64_t>(i), {}, start, after(i)));
  }
  table.close(calls[1]);
  CHECK(table.first_to_expire() == calls[0]);
  CHECK(table.next_time() == after(0));
  table.close(calls[0]);
  CHECK(table.first_to_expire() == calls[2]);
  table.close(calls[3]);
  CHECK(table.first_to_expire() == calls[2]);
  const std::uint32_t again = table.open(9, {}, start, after(9));
  table.close(calls[2]);
  CHECK(table.first_to_expire() == again);
  CHECK(table[again].id == 9);
  CHECK(table[again].retries == 0);
}

TEST_CASE("Attempts should be over in the order in which they began, whichever end before") {
  CallTable table(3);
  std::vector<std::uint32_t> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(table.open(0, {}, start, after(100)));
  CHECK(table.slow_attempt(after(99)) == std::nullopt);
  for (int i = 2; i >= 0; --i) {
    table.begin_attempt(calls[static_cast<std::size_t>(i)], after(10 - i));
  }
  CHECK(table.next_time() == after(8));
  CHECK(table.slow_attempt(after(7)) == std::nullopt);
  CHECK(table.slow_attempt(after(8)) == calls[2]);
  table.end_attempt(calls[1]);
  table.end_attempt(calls[1]);
  table.end_attempt(calls[2]);
  CHECK(table.slow_attempt(after(10)) == calls[0]);
  table.begin_attempt(calls[2], after(11));
  table.end_attempt(calls[0]);
  CHECK(table.slow_attempt(after(11)) == calls[2]);
  table.end_attempt(calls[2]);
  CHECK(table.next_time() == after(100));
  for (const std::uint32_t call : calls) table.close(call);
}

TEST_CASE("Pending calls come when they are due, the earliest first") {
  CallTable table(3);
  std::vector<std::uint32_t> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(table.open(0, {}, start, after(100)));
  table.schedule(calls[0], after(30));
  table.schedule(calls[1], after(10));
  table.schedule(calls[2], after(20));
  CHECK(table[calls[0]].place == Call::Place::pending);
  CHECK(table.next_time() == after(10));
  CHECK(table.take_due(after(9)) == std::nullopt);
  CHECK(table.take_due(after(20)) == calls[1]);
  CHECK(table.take_due(after(20)) == calls[2]);
  CHECK(table.take_due(after(20)) == std::nullopt);
  CHECK(table.next_time() == after(30));
  CHECK(table.take_due(after(30)) == calls[0]);
  CHECK(table.next_time() == after(100));
}

}  // namespace
}  // namespace rps::fleet
