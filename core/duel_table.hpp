// The duels of a server: bounded in number, forgotten when idle, safe under any number of threads.
// A Duel knows neither a clock nor its listeners; the table gives it both.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/duel.hpp"
#include "core/observation.hpp"
#include "core/random.hpp"

namespace rps {

struct DuelTableOptions {
  std::size_t duels_max = limits::duels_default;
  std::size_t spectators_per_duel_max = limits::spectators_per_duel_default;
  std::size_t spectators_max = limits::spectators_default;
  Clock::duration idle_max = limits::duel_idle_default;
  std::uint64_t hash_seed = 0;
};

class DuelTable {
 public:
  using Options = DuelTableOptions;

  explicit DuelTable(const Options& options);

  struct Joined {
    Seat seat = Seat::none;
    std::uint32_t best_of = 0;
  };

  // Opens the duel if there is none, sits the player down and sends that player's events to `sink`
  // from now on. A sink that is gone is passed over. `overloaded` when duels_max duels are open
  // and somebody is present in each; else one that its players have lost gives way to a new one.
  std::expected<Joined, Error> join(const Id& game, const Id& player, std::uint32_t best_of,
                                    std::weak_ptr<EventSink> sink, Clock::time_point now);

  std::expected<void, Error> throw_move(const Id& game, const Id& player, Move move,
                                        Clock::time_point now);

  // The player leaves. A duel that both players have left is closed.
  std::expected<void, Error> leave(const Id& game, const Id& player, Clock::time_point now);

  // The player's connection broke: the seat is kept until the player joins again or the duel is
  // idle too long. Does nothing when the player has another sink by now.
  void disconnect(const Id& game, const Id& player, const std::weak_ptr<EventSink>& sink,
                  Clock::time_point now);

  // Shows the duel to `sink` as it is now, and then all that happens in it until it is over or
  // closed; the last observation says is_over. Nothing is kept of a sink that is gone. Watching
  // does not keep an idle duel open. `unknown_game` when there is no such duel, `overloaded` when
  // it, or all duels together, have as many spectators as they may.
  // REQUIRES: the sink is not null and does not watch this duel yet.
  std::expected<void, Error> watch(const Id& game, const std::shared_ptr<SpectatorSink>& sink);

  // Shows nothing more to `sink`. Does nothing when it does not watch this duel.
  void unwatch(const Id& game, const std::weak_ptr<SpectatorSink>& sink);

  // Closes every duel that is idle too long at `now`; who still sits there is told game_over with
  // no winner. Returns how many it closed.
  std::size_t sweep(Clock::time_point now);

  struct Counts {
    std::size_t duels = 0;
    std::uint64_t created = 0;
    std::uint64_t expired = 0;
    std::uint64_t evicted = 0;  // Given up for want of room.
    std::size_t spectators = 0;
  };
  Counts counts() const;

 private:
  struct Entry {
    Duel duel;
    std::array<std::weak_ptr<EventSink>, 2> sinks;
    std::vector<std::weak_ptr<SpectatorSink>> spectators;
    Clock::time_point last_used;
    // One node, which points to the duel's id. It is here while somebody is present, else it stands
    // in the shard's list at `abandoned_at`. Moving it between the two takes no memory.
    std::list<const Id*> node;
    std::list<const Id*>::iterator abandoned_at;
  };
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Id& id) const { return hash_bytes(id.view(), seed); }
  };
  using Entries = std::unordered_map<Id, Entry, Hash>;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries entries;
    Counts counts;
    std::list<const Id*> abandoned;  // Nobody is present; the first was left the longest time ago.
  };
  struct Found;

  static constexpr std::size_t shard_count = 16;

  Shard& shard_of(const Id& game) {
    return shards_[(Hash{options_.hash_seed}(game) >> 48) % shard_count];
  }
  bool reserve_place(Shard& shard, Clock::time_point now);
  bool evict_abandoned(Shard& shard);
  bool evict_abandoned_elsewhere(const Shard& own);
  void close(Shard& shard, Entries::iterator at);
  std::size_t sweep(Shard& shard, Clock::time_point now);
  void deliver(Entry& entry, const Outbox& outbox);
  void drop_spectator(Entry& entry, const std::weak_ptr<SpectatorSink>& sink);
  template <class Predicate>  // Called once for each spectator.
  void drop_spectators(Entry& entry, Predicate is_dropped);

  Options options_;
  std::array<Shard, shard_count> shards_;
  std::atomic<std::size_t> open_{0};        // Entries of all shards; duels_max at most.
  std::atomic<std::size_t> spectators_{0};  // Of all entries; spectators_max at most.
};

}  // namespace rps
