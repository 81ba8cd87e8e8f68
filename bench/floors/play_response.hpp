// What the floors that are asked with gRPC's Play answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "core/number.hpp"
#include "rps/v1/rps.pb.h"

namespace rps::floors {

// From a reason of one byte to the longest whose length takes one.
inline constexpr CountRange play_response_range{.min = 22, .max = 148};

// Throws std::invalid_argument with the usage.
inline std::size_t read_reply_bytes(int argc, char** argv) {
  if (argc == 2) {
    if (const auto bytes = parse_size(argv[1], play_response_range)) return *bytes;
  }
  throw std::invalid_argument("usage: REPLY_BYTES, from " +
                              std::to_string(play_response_range.min) + " to " +
                              std::to_string(play_response_range.max));
}

// A message of so many bytes: of a round in the middle of a session, with a reason that is as long
// as that takes. REQUIRES: bytes is in play_response_range.
inline v1::PlayResponse play_response(std::size_t bytes) {
  constexpr std::uint64_t wins = 130;
  constexpr std::uint64_t draws = 85;
  constexpr std::uint64_t losses = 85;
  constexpr std::uint64_t rounds = wins + draws + losses;
  v1::PlayResponse response;
  response.set_opponent_move(v1::PAPER);
  response.set_result(v1::WIN);
  response.set_round(rounds);
  v1::GameScore& score = *response.mutable_score();
  score.set_wins(wins);
  score.set_draws(draws);
  score.set_losses(losses);
  score.set_rounds(rounds);
  // Up to 127 bytes its tag and its length take a byte each.
  response.set_reason(std::string(bytes - response.ByteSizeLong() - 2, 'x'));
  return response;
}

}  // namespace rps::floors
