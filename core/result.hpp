// The result of a round for one of its two players.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rps {

// Valued so that the two sides of one round sum to zero.
enum class Result : std::int8_t { lose = -1, draw = 0, win = 1 };

// The same round seen by the other player.
constexpr Result seen_by_opponent(Result result) {
  return static_cast<Result>(-static_cast<int>(result));
}

// The spelling on every wire.
constexpr std::string_view to_string(Result result) {
  switch (result) {
    case Result::lose: return "LOSE";
    case Result::draw: return "DRAW";
    case Result::win: return "WIN";
  }
  return "DRAW";
}

constexpr std::optional<Result> parse_result(std::string_view text) {
  if (text == "WIN") return Result::win;
  if (text == "DRAW") return Result::draw;
  if (text == "LOSE") return Result::lose;
  return std::nullopt;
}

}  // namespace rps
