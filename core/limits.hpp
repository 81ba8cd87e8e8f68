// The limits of the game itself, the same on every wire. Each stage adds its transport's own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rps::limits {

// A session, game or player id: 1 to 64 visible ASCII characters, no space.
inline constexpr std::size_t id_bytes_max = 64;

// A duel is played best of 1, 3, 5 … 99 rounds; draws do not count.
inline constexpr std::uint32_t best_of_default = 3;
inline constexpr std::uint32_t best_of_max = 99;

// Sessions kept at once; past it the least recently used one of its shard is forgotten.
inline constexpr std::size_t sessions_default = 100'000;
inline constexpr std::size_t sessions_max = 10'000'000;
inline constexpr std::chrono::seconds session_idle_default{1800};

// Duels open at once; past it a join is answered with `overloaded`.
inline constexpr std::size_t duels_default = 10'000;
inline constexpr std::size_t duels_max = 1'000'000;
inline constexpr std::chrono::seconds duel_idle_default{600};

// Spectators of one duel and of all duels; past it a watch is answered with `overloaded`. What a
// player does is shown to each of the duel's spectators on the thread that carries it out.
inline constexpr std::size_t spectators_per_duel_default = 64;
inline constexpr std::size_t spectators_default = 10'000;
inline constexpr std::size_t spectators_max = 1'000'000;

// Seats in duels that one connection may hold at once.
inline constexpr std::size_t places_per_caller_max = 64;

// What `overloaded` tells the caller to wait.
inline constexpr std::uint32_t retry_after_ms = 100;

}  // namespace rps::limits
