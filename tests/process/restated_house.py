"""The house's strategies, stated a second time from their description and not from the C++ code.

test_conformance.py checks with it that tests/conformance/golden.hpp holds what the strategies must
answer, and not merely what they happened to answer. Prints the rows of golden.hpp when run.
"""

MASK = (1 << 64) - 1
MOVES = "RPS"
HOUSES = ("fair", "weighted", "cycle", "mirror", "markov")

# What the player throws in the sessions of the transcript; each is repeated to 64 rounds.
SCRIPTS = ("R", "RPS", "RRPPSS", "RSPPRSSPRPSRRSPSPRRPSSRP", "PPRSPRRRSPSSPRPSRPPPSRSSRPR")
ROUNDS = 64


def mix(x: int) -> int:
    """SplitMix64: the output function over the next state."""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def below(bound: int, random: int) -> int:
    return (random >> 32) * bound >> 32


def house_move(house: str, seed: int, thrown: str) -> str:
    """The house's move after the player has thrown the moves `thrown`."""
    random = mix(mix(seed) ^ len(thrown))
    fair = MOVES[below(3, random)]
    if house == "weighted":
        return ("R" * 50 + "P" * 30 + "S" * 20)[below(100, random)]
    if house == "cycle":
        return MOVES[(below(3, mix(seed)) + len(thrown)) % 3]
    if house == "mirror" and thrown:
        return thrown[-1]
    if house == "markov" and thrown:
        # Overlapping pairs that begin with the last move.
        followers = [b for a, b in zip(thrown, thrown[1:]) if a == thrown[-1]]
        counts = [followers.count(move) for move in MOVES]
        likely = [move for move, count in zip(MOVES, counts) if count == max(counts)]
        expected = likely[below(len(likely), random)]
        return MOVES[(MOVES.index(expected) + 1) % 3]  # What beats it.
    return fair


def session(house: str, seed: int, script: str) -> str:
    thrown = (script * ROUNDS)[:ROUNDS]
    return "".join(house_move(house, seed, thrown[:count]) for count in range(ROUNDS))


if __name__ == "__main__":
    for name in HOUSES:
        print(f"    {{Strategy::{name},")
        print("     {{" + ",\n       ".join(f'"{session(name, 7, script)}"' for script in SCRIPTS)
              + "}}},")
