// The limits of the console, beside those of the game in core/limits.hpp.
#pragma once

#include <cstddef>

namespace rps::cli::limits {

// A request line, its "\n" not counted. To a longer line the process answers `too_large` and ends,
// because a client that sends such lines does not use this protocol.
inline constexpr std::size_t line_bytes_max = 4096;

// What one read may bring; all its whole lines are answered with one write.
inline constexpr std::size_t read_bytes = std::size_t{64} << 10;

// Rounds that `history` shows a person.
inline constexpr std::size_t history_rounds_max = 10;

// A person's name in a duel at one keyboard.
inline constexpr std::size_t name_bytes_max = 32;

}  // namespace rps::cli::limits
