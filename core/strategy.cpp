#include "core/strategy.hpp"

#include <algorithm>
#include <limits>

#include "core/random.hpp"

namespace rps {

namespace {

Move fair_move(std::uint64_t random) {
  return move_at(below(3, random));
}

Move weighted_move(std::uint64_t random) {
  const std::uint32_t percent = below(100, random);
  if (percent < 50) return Move::rock;
  return percent < 80 ? Move::paper : Move::scissors;
}

Move cycle_move(std::uint64_t seed, std::uint64_t rounds) {
  return move_at((below(3, mix(seed)) + rounds % 3) % 3);
}

Move markov_move(std::uint64_t random, const History& history) {
  if (history.player_last == Move::unspecified) return fair_move(random);
  const auto& counts = history.follows[index_of(history.player_last)];
  const std::uint16_t most = *std::ranges::max_element(counts);

  std::array<Move, 3> likely{};
  std::uint32_t ties = 0;
  for (const Move move : all_moves) {
    if (counts[index_of(move)] == most) likely[ties++] = move;
  }
  return counter_of(likely[below(ties, random)]);
}

}  // namespace

void History::record(Move player) {
  if (player_last != Move::unspecified) {
    std::uint16_t& count = follows[index_of(player_last)][index_of(player)];
    if (count == std::numeric_limits<std::uint16_t>::max()) {
      for (auto& row : follows) {
        for (std::uint16_t& cell : row) cell /= 2;
      }
    }
    ++count;
  }
  player_last = player;
  ++rounds;
}

Move house_move(Strategy strategy, std::uint64_t seed, const History& history) {
  const std::uint64_t random = mix(seed, history.rounds);
  switch (strategy) {
    case Strategy::fair: return fair_move(random);
    case Strategy::weighted: return weighted_move(random);
    case Strategy::cycle: return cycle_move(seed, history.rounds);
    case Strategy::mirror:
      return history.player_last == Move::unspecified ? fair_move(random) : history.player_last;
    case Strategy::markov: return markov_move(random, history);
  }
  return fair_move(random);
}

}  // namespace rps
