// Commands, replies and events of every kind, for tests of what carries them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/command.hpp"
#include "core/judge.hpp"
#include "tests/catch.hpp"

namespace rps::jsonrpc {

inline constexpr std::uint64_t largest = 18446744073709551615U;

// One of each operation; what an operation has not is set all the same, and must not travel.
inline std::vector<Command> all_commands() {
  std::vector<Command> commands;
  for (const Operation operation : player_operations) {
    for (const Move move : {Move::unspecified, Move::rock, Move::paper, Move::scissors}) {
      commands.push_back({.operation = operation,
                          .move = move,
                          .session_id = "session-1",
                          .game_id = "g",
                          .player_id = "player\"\\",
                          .best_of = 5});
    }
  }
  commands.push_back({.operation = Operation::play, .move = Move::rock});
  commands.push_back({.operation = Operation::score});
  commands.push_back({.operation = Operation::join, .best_of = UINT32_MAX});
  return commands;
}

inline std::vector<Reply> all_replies() {
  std::vector<Reply> replies{
      {.operation = Operation::score, .score = {.wins = 1, .draws = 200, .losses = 70'000}},
      {.operation = Operation::join, .seat = Seat::first, .best_of = 3},
      {.operation = Operation::join, .seat = Seat::second, .best_of = UINT32_MAX},
      {.operation = Operation::throw_move},
      {.operation = Operation::leave},
  };
  for (const Move player : all_moves) {
    for (const Move opponent : all_moves) {
      replies.push_back({.operation = Operation::play,
                         .opponent_move = opponent,
                         .result = judge(player, opponent),
                         .reason = reason(player, opponent),
                         .round = largest,
                         .score = {.wins = 1, .draws = 2, .losses = largest - 3}});
    }
  }
  return replies;
}

inline std::vector<Event> all_events() {
  const Id longest(std::string(rps::limits::id_bytes_max, '~'));
  std::vector<Event> events;
  for (const EventType type : {EventType::opponent_joined, EventType::opponent_ready,
                               EventType::opponent_left, EventType::game_over}) {
    events.push_back({.type = type, .game_id = Id("g\"\\"), .player_id = longest});
  }
  events.push_back({.type = EventType::round_over,
                    .game_id = longest,
                    .player_id = Id("p"),
                    .player_move = Move::rock,
                    .opponent_move = Move::paper,
                    .result = Result::lose,
                    .round = largest,
                    .score = {.wins = 0, .draws = 2, .losses = largest - 2}});
  events.push_back({.type = EventType::game_over,
                    .game_id = Id("g"),
                    .player_id = Id("p"),
                    .score = {.wins = 2, .draws = 1, .losses = 0},
                    .winner = longest});
  return events;
}

inline Command random_command(std::mt19937& random, std::vector<std::string>& texts) {
  const auto text = [&] {
    std::string id;
    for (std::size_t i = 0, size = random() % 40; i < size; ++i)
      id += static_cast<char>(random() % 128);
    texts.push_back(id);
    return std::string_view(texts.back());
  };
  texts.clear();
  texts.reserve(3);
  return {.operation = player_operations[random() % player_operations.size()],
          .move = static_cast<Move>(random() % 4),
          .session_id = text(),
          .game_id = text(),
          .player_id = text(),
          .best_of = static_cast<std::uint32_t>(random())};
}

// Compares what the operation has.
inline void check_same_command(const Command& read, const Command& sent) {
  CHECK(read.operation == sent.operation);
  switch (sent.operation) {
    case Operation::play:
      CHECK(read.move == sent.move);
      CHECK(read.session_id == sent.session_id);
      return;
    case Operation::score: CHECK(read.session_id == sent.session_id); return;
    case Operation::join: CHECK(read.best_of == sent.best_of); break;
    case Operation::throw_move: CHECK(read.move == sent.move); break;
    case Operation::leave:
    case Operation::watch: break;
  }
  CHECK(read.game_id == sent.game_id);
  CHECK(read.player_id == sent.player_id);
}

inline void check_same_reply(const Reply& read, const Reply& sent) {
  CHECK(read.operation == sent.operation);
  CHECK(read.error == sent.error);
  CHECK(read.retry_after_ms == sent.retry_after_ms);
  CHECK(read.opponent_move == sent.opponent_move);
  CHECK(read.result == sent.result);
  CHECK(read.reason == sent.reason);
  CHECK(read.round == sent.round);
  CHECK(read.score == sent.score);
  CHECK(read.seat == sent.seat);
  CHECK(read.best_of == sent.best_of);
}

inline void check_same_event(const Event& read, const Event& sent) {
  CHECK(read.type == sent.type);
  CHECK(read.game_id == sent.game_id);
  CHECK(read.player_id == sent.player_id);
  CHECK(read.player_move == sent.player_move);
  CHECK(read.opponent_move == sent.opponent_move);
  CHECK(read.result == sent.result);
  CHECK(read.round == sent.round);
  CHECK(read.score == sent.score);
  CHECK(read.winner == sent.winner);
}

// Bytes from their hexadecimal spelling; spaces are for the reader.
inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ' || c == '\n') continue;
    digits += c;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

}  // namespace rps::jsonrpc
