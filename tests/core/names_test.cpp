// Every name that goes over a wire can be read back, and nothing else can.
#include <set>
#include <string>

#include "core/command.hpp"
#include "core/strategy.hpp"
#include "tests/catch.hpp"

using namespace rps;

TEST_CASE("Moves are read exactly as they are written") {
  for (const Move move : all_moves) CHECK(parse_move(to_string(move)) == move);
  for (const std::string_view text :
       {"", "rock", "Rock", "ROCK ", " ROCK", "ROCKS", "R", "1", "MOVE_UNSPECIFIED"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_move(text));
  }
}

TEST_CASE("Results, errors, operations and strategies are read as they are written") {
  for (const Result result : {Result::win, Result::draw, Result::lose}) {
    CHECK(parse_result(to_string(result)) == result);
  }
  for (const Error error : all_errors) CHECK(parse_error(to_string(error)) == error);
  for (const Operation operation : player_operations) {
    CHECK(parse_player_operation(to_string(operation)) == operation);
  }
  for (const Strategy strategy : all_strategies) {
    CHECK(parse_strategy(to_string(strategy)) == strategy);
  }
  for (const EventType type :
       {EventType::opponent_joined, EventType::opponent_ready, EventType::round_over,
        EventType::game_over, EventType::opponent_left}) {
    CHECK(parse_event_type(to_string(type)) == type);
  }
  CHECK_FALSE(parse_result("win"));
  CHECK_FALSE(parse_event_type("ROUND_OVER"));
  CHECK_FALSE(parse_error("bad_move"));
  CHECK_FALSE(parse_player_operation("throw_move"));
  CHECK_FALSE(parse_player_operation("watch"));
  CHECK_FALSE(parse_strategy("random"));
}

TEST_CASE("The console's word for an error is one word, and its sentence has no full stop") {
  std::set<std::string_view> names;
  for (const Error error : all_errors) {
    CHECK(names.insert(to_string(error)).second);
    CHECK(to_string(error).find(' ') == std::string_view::npos);
    CHECK_FALSE(explain(error).empty());
    CHECK_FALSE(explain(error).ends_with('.'));
  }
}

TEST_CASE("Who asks for an unknown operation is told all that every wire offers") {
  for (const Operation operation : player_operations) {
    CHECK(explain(Error::unknown_operation).contains(to_string(operation)));
  }
}

TEST_CASE("The list of errors is complete") {
  // Past the last enumerator to_string() falls back to "internal".
  CHECK(static_cast<std::size_t>(Error::internal) + 1 == all_errors.size());
}

TEST_CASE("The list of operations is complete") {
  // to_string() has a case for every operation, and falls back to "play" behind the last.
  const auto behind_last = static_cast<Operation>(all_operations.size() + 1);
  CHECK(all_operations.size() == player_operations.size() + 1);
  CHECK(to_string(behind_last) == to_string(Operation::play));
  for (std::size_t i = 0; i < all_operations.size(); ++i) {
    CHECK(static_cast<std::size_t>(all_operations[i]) == i + 1);
  }
}
