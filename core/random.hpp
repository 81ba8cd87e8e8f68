// Mixing functions, from which all randomness of the game is computed: the same seed gives the same
// numbers.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace rps {

// A bijection on 64 bits whose output looks random. Source: the finaliser of SplitMix64
// (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a) ^ b);
}

// A number in [0, bound) from 64 random bits, without division (Lemire 2019; the bias is below
// bound / 2^32). REQUIRES: bound fits 32 bits.
constexpr std::uint32_t below(std::uint32_t bound, std::uint64_t random) {
  return static_cast<std::uint32_t>(((random >> 32) * bound) >> 32);
}

// Hashes a client's bytes under a secret seed, so that nobody can choose ids that collide.
inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = mix(seed ^ bytes.size());
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = mix(hash ^ word);
    bytes.remove_prefix(sizeof word);
  }
  if (!bytes.empty()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    hash = mix(hash ^ word);
  }
  return hash;
}

}  // namespace rps
