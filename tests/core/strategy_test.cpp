#include "core/strategy.hpp"

#include <array>
#include <vector>

#include "core/judge.hpp"
#include "tests/catch.hpp"

using namespace rps;

namespace {

// The house's moves against a player who throws `player` in turn, over and over.
std::vector<Move> house_moves(Strategy strategy, std::uint64_t seed, std::vector<Move> player,
                              std::size_t rounds) {
  std::vector<Move> moves;
  History history;
  for (std::size_t i = 0; i < rounds; ++i) {
    moves.push_back(house_move(strategy, seed, history));
    history.record(player[i % player.size()]);
  }
  return moves;
}

std::array<int, 3> count(const std::vector<Move>& moves) {
  std::array<int, 3> counts{};
  for (const Move move : moves) ++counts[index_of(move)];
  return counts;
}

const std::vector<Move> rocks{Move::rock};

}  // namespace

TEST_CASE("A strategy is a pure function of seed and history") {
  for (const Strategy strategy : all_strategies) {
    const std::vector<Move> script{Move::rock, Move::scissors, Move::scissors, Move::paper};
    CHECK(house_moves(strategy, 7, script, 200) == house_moves(strategy, 7, script, 200));
  }
  CHECK(house_moves(Strategy::fair, 7, rocks, 50) != house_moves(Strategy::fair, 8, rocks, 50));
}

TEST_CASE("The fair house throws each move about equally often") {
  const auto counts = count(house_moves(Strategy::fair, 1, rocks, 30'000));
  for (const int n : counts) {
    CHECK(n > 9'700);
    CHECK(n < 10'300);
  }
}

TEST_CASE("The weighted house throws rock half the time") {
  const auto counts = count(house_moves(Strategy::weighted, 1, rocks, 30'000));
  CHECK(counts[0] == Approx(15'000).margin(400));
  CHECK(counts[1] == Approx(9'000).margin(400));
  CHECK(counts[2] == Approx(6'000).margin(400));
}

TEST_CASE("The cycling house goes round, from a place that the seed chooses") {
  std::array<bool, 3> begins{};
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    const auto moves = house_moves(Strategy::cycle, seed, rocks, 9);
    begins[index_of(moves[0])] = true;
    for (std::size_t i = 1; i < moves.size(); ++i) CHECK(moves[i] == counter_of(moves[i - 1]));
  }
  CHECK(begins == std::array<bool, 3>{true, true, true});
}

TEST_CASE("The mirroring house throws what the player threw last") {
  const std::vector<Move> script{Move::rock, Move::scissors, Move::paper, Move::paper};
  const auto moves = house_moves(Strategy::mirror, 3, script, 40);
  for (std::size_t i = 1; i < moves.size(); ++i) {
    CHECK(moves[i] == script[(i - 1) % script.size()]);
  }
}

TEST_CASE("The Markov house learns a habit and beats it every time") {
  const std::vector<Move> script{Move::rock, Move::paper, Move::scissors};
  const auto moves = house_moves(Strategy::markov, 3, script, 60);
  for (std::size_t i = 6; i < moves.size(); ++i) {
    CHECK(judge(moves[i], script[i % script.size()]) == Result::win);
  }
}

TEST_CASE("A history that is full forgets by halves and goes on") {
  History history;
  for (int i = 0; i < 70'000; ++i) history.record(Move::rock);
  CHECK(history.rounds == 70'000);
  CHECK(history.follows[0][0] > 30'000);
  CHECK(house_move(Strategy::markov, 1, history) == Move::paper);
}
