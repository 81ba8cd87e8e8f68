// The server's side of the fixed layout, against bytes written by hand.
#include "stage2_jsonrpc/fixed_layout.hpp"

#include <string>
#include <string_view>

#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/contract_values.hpp"

namespace rps::jsonrpc {
namespace {

using namespace std::literals;

constexpr std::string_view no_id = "\0\0\0\0\0\0\0\0"sv;

// Views into `payload`, which must outlive the result.
Calls read(std::string_view payload, std::size_t batch_calls_max = limits::batch_calls_max) {
  Calls calls;
  fixed_layout_format.decode(payload, batch_calls_max, calls);
  REQUIRE(!calls.list.empty());
  return calls;
}

const std::string play_rock = from_hex("01 01 01 02 00 00000000 0000000000000007 7331");

TEST_CASE("A play in the fixed layout") {
  const Calls calls = read(play_rock);
  REQUIRE(calls.list.size() == 1);
  CHECK(!calls.is_batch);
  const Call& call = calls.list.front();
  CHECK(!call.failure);
  CHECK(call.wants_reply);
  CHECK(call.id == "\0\0\0\0\0\0\0\7"sv);
  CHECK(!call.trace);
  CHECK(call.command.operation == Operation::play);
  CHECK(call.command.move == Move::rock);
  CHECK(call.command.session_id == "s1");
}

TEST_CASE("A notification, a trace context and two ids in the fixed layout") {
  const std::string payload = from_hex(
      "03 02 00 01 02 00000063 ffffffffffffffff"
      "000102030405060708090a0b0c0d0e0f 1011121314151617 03 67 7031");
  const Calls calls = read(payload);
  const Call& call = calls.list.front();
  CHECK(!call.failure);
  CHECK(!call.wants_reply);
  REQUIRE(call.trace);
  CHECK(call.trace == parse_traceparent("00-000102030405060708090a0b0c0d0e0f-1011121314151617-01"));
  CHECK(call.command.operation == Operation::join);
  CHECK(call.command.game_id == "g");
  CHECK(call.command.player_id == "p1");
  CHECK(call.command.best_of == 99);
}

TEST_CASE("A trace context of zeros is ignored") {
  for (const std::string_view context : {"00000000000000000000000000000000 1011121314151617 01",
                                         "000102030405060708090a0b0c0d0e0f 0000000000000000 01"}) {
    const std::string payload =
        from_hex("01 03 01 00 00 00000000 0000000000000007" + std::string(context));
    const Calls calls = read(payload);
    CHECK(!calls.list.front().failure);
    CHECK(!calls.list.front().trace);
  }
}

TEST_CASE("Records in a row are a batch") {
  const std::string leave = from_hex("05 01 00 01 01 00000000 0000000000000008 6770");
  const std::string payload = play_rock + leave + play_rock;
  const Calls calls = read(payload);
  CHECK(calls.is_batch);
  REQUIRE(calls.list.size() == 3);
  CHECK(calls.list[0].command.operation == Operation::play);
  CHECK(calls.list[1].command.operation == Operation::leave);
  CHECK(calls.list[1].command.player_id == "p");
  CHECK(calls.list[2].command.session_id == "s1");
}

TEST_CASE("A batch may have as many records as the limit says, and not one more") {
  const std::string three = play_rock + play_rock + play_rock;
  CHECK(read(three, 3).list.size() == 3);
  const Calls refused = read(three, 2);
  CHECK(!refused.is_batch);
  REQUIRE(refused.list.size() == 1);
  REQUIRE(refused.list.front().failure);
  CHECK(refused.list.front().failure->code == Code::invalid_request);
}

TEST_CASE("A payload that is no row of records is refused as a whole") {
  const std::string context = from_hex(
      "01 03 01 00 00 00000000 0000000000000007"
      "000102030405060708090a0b0c0d0e0f 1011121314151617 01");
  for (const std::string& whole : {play_rock, context, play_rock + play_rock}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      if (size == play_rock.size()) continue;  // The first of two.
      const std::string payload = whole.substr(0, size);
      const Calls calls = read(payload);
      REQUIRE(calls.list.size() == 1);
      const Call& call = calls.list.front();
      REQUIRE(call.failure);
      CHECK(call.failure->code == Code::parse_error);
      CHECK(call.failure->error == Error::malformed_request);
      CHECK(call.id == no_id);
      CHECK(call.wants_reply);
      CHECK(!calls.is_batch);
    }
  }
  for (unsigned flags = 4; flags < 256; ++flags) {
    std::string payload = play_rock + play_rock;
    payload[play_rock.size() + 1] = static_cast<char>(flags);
    CHECK(read(payload).list.front().failure->code == Code::parse_error);
  }
}

TEST_CASE("What is wrong inside a record is an error of that record") {
  struct Wrong {
    std::string_view hex;
    Code code;
    Error error;
  };
  constexpr Wrong table[] = {
      {"00 01 01 00 00 00000000", Code::method_not_found, Error::unknown_operation},
      {"06 01 01 00 00 00000000", Code::method_not_found, Error::unknown_operation},
      {"ff 01 01 00 00 00000000", Code::method_not_found, Error::unknown_operation},
      {"01 01 01 00 00 00000001", Code::invalid_params, Error::malformed_request},
      {"02 01 01 00 00 00000000", Code::invalid_params, Error::malformed_request},
      {"02 01 00 00 00 00000001", Code::invalid_params, Error::malformed_request},
      {"03 01 01 00 00 00000003", Code::invalid_params, Error::malformed_request},
      {"04 01 01 00 00 00000003", Code::invalid_params, Error::malformed_request},
      {"05 01 01 00 00 00000000", Code::invalid_params, Error::malformed_request},
      {"05 01 00 00 00 01000000", Code::invalid_params, Error::malformed_request},
  };
  for (const Wrong& wrong : table) {
    INFO(wrong.hex);
    const std::string payload = play_rock + from_hex(wrong.hex) + from_hex("0000000000000009");
    const Calls calls = read(payload);
    REQUIRE(calls.list.size() == 2);
    CHECK(!calls.list[0].failure);
    REQUIRE(calls.list[1].failure);
    CHECK(calls.list[1].failure->code == wrong.code);
    CHECK(calls.list[1].failure->error == wrong.error);
    CHECK(calls.list[1].id == "\0\0\0\0\0\0\0\x09"sv);
    CHECK(calls.list[1].wants_reply);
  }
  for (const std::string_view hex : {"01 01 01 00 01 00000000 0000000000000009 70",
                                     "02 01 00 01 01 00000000 0000000000000009 7370"}) {
    const std::string second_id = from_hex(hex);
    CHECK(read(second_id).list.front().failure->code == Code::invalid_params);
  }
}

TEST_CASE("A number that is no move is left to the game, which refuses it") {
  for (const unsigned move : {0U, 4U, 255U}) {
    std::string payload = play_rock;
    payload[2] = static_cast<char>(move);
    const Calls calls = read(payload);
    CHECK(!calls.list.front().failure);
    CHECK(calls.list.front().command.move == Move::unspecified);
  }
}

TEST_CASE("Replies in the fixed layout, to the byte") {
  const auto reply_hex = [](const Reply& reply) {
    std::string out;
    fixed_layout_format.encode_reply("\0\0\0\0\0\0\0\7"sv, reply, out);
    CHECK(out.size() == fixed_layout::reply_bytes);
    return out;
  };
  CHECK(reply_hex({.operation = Operation::play,
                   .opponent_move = Move::paper,
                   .result = Result::lose,
                   .reason = "paper covers rock",
                   .round = 258,
                   .score = {.wins = 1, .draws = 2, .losses = 255}}) ==
        from_hex("0000000000000007 01 00 02 03 04 00 00000000 0000000000000102"
                 "0000000000000001 0000000000000002 00000000000000ff"));
  CHECK(reply_hex({.operation = Operation::score, .score = {.wins = 1, .draws = 2, .losses = 3}}) ==
        from_hex("0000000000000007 02 00 00 00 00 00 00000000 0000000000000000"
                 "0000000000000001 0000000000000002 0000000000000003"));
  CHECK(reply_hex({.operation = Operation::join, .seat = Seat::second, .best_of = 99}) ==
        from_hex("0000000000000007 03 00 00 00 00 02 00000063") + std::string(32, '\0'));
  CHECK(reply_hex({.operation = Operation::throw_move}) ==
        from_hex("0000000000000007 04 00") + std::string(40, '\0'));
  CHECK(reply_hex(
            {.operation = Operation::play, .error = Error::overloaded, .retry_after_ms = 100}) ==
        from_hex("0000000000000007 01 09 00 00 00 00 00000064") + std::string(32, '\0'));
  CHECK(reply_hex({.operation = Operation::leave, .error = Error::unknown_game}) ==
        from_hex("0000000000000007 05 05") + std::string(40, '\0'));
}

TEST_CASE("A failure in the fixed layout names no operation") {
  std::string out;
  fixed_layout_format.encode_failure(
      no_id, {.code = Code::parse_error, .error = Error::malformed_request, .detail = "?"}, out);
  CHECK(out == from_hex("0000000000000000 00 02") + std::string(40, '\0'));
}

TEST_CASE("An event in the fixed layout, to the byte") {
  std::string out;
  fixed_layout_format.encode_event({.type = EventType::round_over,
                                    .game_id = Id("g1"),
                                    .player_id = Id("p"),
                                    .player_move = Move::rock,
                                    .opponent_move = Move::paper,
                                    .result = Result::lose,
                                    .round = 3,
                                    .score = {.wins = 1, .draws = 0, .losses = 2}},
                                   out);
  CHECK(out == from_hex("03 01 02 03 02 01 00 0000000000000003"
                        "0000000000000001 0000000000000000 0000000000000002 6731 70"));
}

TEST_CASE("Every error has a number of its own, and never another") {
  constexpr Error in_order[] = {
      Error::invalid_move,      Error::malformed_request, Error::unknown_operation,
      Error::unknown_session,   Error::unknown_game,      Error::not_your_turn,
      Error::game_full,         Error::too_large,         Error::overloaded,
      Error::deadline_exceeded, Error::unavailable,       Error::internal,
      Error::unauthenticated,   Error::permission_denied};
  std::uint8_t number = 0;
  for (const Error error : in_order) {
    CHECK(fixed_layout::number_of(error) == ++number);
    CHECK(fixed_layout::error_of(number) == error);
  }
  CHECK(number == all_errors.size());
  CHECK(!fixed_layout::error_of(fixed_layout::done));
  CHECK(!fixed_layout::error_of(++number));
}

TEST_CASE("Reasons have numbers; words that are not the judge's have none") {
  for (const Move player : all_moves) {
    for (const Move opponent : all_moves) {
      const std::uint8_t number = fixed_layout::number_of_reason(reason(player, opponent));
      CHECK(number > 0);
      CHECK(fixed_layout::reason_of(number) == reason(player, opponent));
    }
  }
  CHECK(fixed_layout::number_of_reason("") == 0);
  CHECK(fixed_layout::number_of_reason("paper folds rock") == 0);
  CHECK(fixed_layout::reason_of(0).empty());
  CHECK(fixed_layout::reason_of(7).empty());
}

}  // namespace
}  // namespace rps::jsonrpc
