#include "core/duel_table.hpp"

#include <iterator>
#include <utility>

namespace rps {

namespace {

template <class Sink>
bool same_owner(const std::weak_ptr<Sink>& a, const std::weak_ptr<Sink>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

bool is_gone(const std::weak_ptr<SpectatorSink>& sink) {
  return sink.expired();
}

// Counts one in if there are fewer than `max`.
bool take_one(std::atomic<std::size_t>& taken, std::size_t max) {
  if (taken.fetch_add(1, std::memory_order_relaxed) < max) return true;
  taken.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

}  // namespace

// What is known of a game, under its shard's lock.
struct DuelTable::Found {
  Found(DuelTable& table, const Id& game)
      : shard(table.shard_of(game)), lock(shard.mutex), at(shard.entries.find(game)) {}

  bool is_known() const { return at != shard.entries.end(); }
  Entry& entry() const { return at->second; }  // REQUIRES: is_known().

  Shard& shard;
  std::scoped_lock<std::mutex> lock;
  Entries::iterator at;
};

DuelTable::DuelTable(const Options& options) : options_(options) {
  for (Shard& shard : shards_) {
    shard.entries = Entries(0, Hash{options.hash_seed});
  }
}

std::expected<DuelTable::Joined, Error> DuelTable::join(const Id& game, const Id& player,
                                                        std::uint32_t best_of,
                                                        std::weak_ptr<EventSink> sink,
                                                        Clock::time_point now) {
  Found found(*this, game);
  if (!found.is_known()) {
    Shard& shard = found.shard;
    if (!reserve_place(shard, now)) return std::unexpected(Error::overloaded);
    try {
      found.at = shard.entries
                     .emplace(game, Entry{.duel = Duel(game, best_of),
                                          .sinks = {},
                                          .spectators = {},
                                          .last_used = now,
                                          .node = std::list<const Id*>(1),
                                          .abandoned_at = {}})
                     .first;
    } catch (...) {
      open_.fetch_sub(1, std::memory_order_relaxed);  // There is no memory for it.
      throw;
    }
    found.at->second.node.front() = &found.at->first;
    ++shard.counts.created;
  }
  Entry& entry = found.entry();
  Outbox outbox(!entry.spectators.empty());
  const auto seat = entry.duel.join(player, outbox);
  if (!seat) return std::unexpected(seat.error());
  if (entry.node.empty()) {
    entry.node.splice(entry.node.end(), found.shard.abandoned, entry.abandoned_at);
  }
  entry.last_used = now;
  entry.sinks[index_of(*seat)] = std::move(sink);
  deliver(entry, outbox);
  return Joined{.seat = *seat, .best_of = entry.duel.best_of()};
}

std::expected<void, Error> DuelTable::throw_move(const Id& game, const Id& player, Move move,
                                                 Clock::time_point now) {
  const Found found(*this, game);
  if (!found.is_known()) return std::unexpected(Error::unknown_game);
  Entry& entry = found.entry();
  Outbox outbox(!entry.spectators.empty());
  const auto thrown = entry.duel.throw_move(player, move, outbox);
  if (thrown) entry.last_used = now;
  deliver(entry, outbox);
  return thrown;
}

std::expected<void, Error> DuelTable::leave(const Id& game, const Id& player,
                                            Clock::time_point now) {
  const Found found(*this, game);
  if (!found.is_known()) return std::unexpected(Error::unknown_game);
  Entry& entry = found.entry();
  Outbox outbox(!entry.spectators.empty());
  const auto left = entry.duel.leave(player, outbox);
  if (left) entry.last_used = now;
  deliver(entry, outbox);
  if (left && entry.duel.is_empty()) close(found.shard, found.at);
  return left;
}

void DuelTable::disconnect(const Id& game, const Id& player, const std::weak_ptr<EventSink>& sink,
                           Clock::time_point now) {
  const Found found(*this, game);
  if (!found.is_known()) return;
  Entry& entry = found.entry();
  const Seat seat = entry.duel.seat_of(player);
  if (seat == Seat::none || !same_owner(entry.sinks[index_of(seat)], sink)) return;
  Outbox outbox(!entry.spectators.empty());
  (void)entry.duel.leave(player, outbox);  // Seated, as was just seen.
  entry.last_used = now;
  entry.sinks[index_of(seat)].reset();
  deliver(entry, outbox);
  if (!entry.duel.is_empty() || entry.node.empty()) return;
  if (entry.duel.is_over()) return close(found.shard, found.at);
  entry.abandoned_at = entry.node.begin();
  found.shard.abandoned.splice(found.shard.abandoned.end(), entry.node);
}

std::expected<void, Error> DuelTable::watch(const Id& game,
                                            const std::shared_ptr<SpectatorSink>& sink) {
  const Found found(*this, game);
  if (!found.is_known()) return std::unexpected(Error::unknown_game);
  Entry& entry = found.entry();
  const Observation seen = entry.duel.snapshot();
  if (seen.is_over) {
    sink->on_observation(seen);
    return {};
  }
  drop_spectators(entry, is_gone);
  if (entry.spectators.size() >= options_.spectators_per_duel_max) {
    return std::unexpected(Error::overloaded);
  }
  entry.spectators.push_back(sink);
  if (!take_one(spectators_, options_.spectators_max)) {
    entry.spectators.pop_back();
    return std::unexpected(Error::overloaded);
  }
  if (!sink->on_observation(seen)) drop_spectator(entry, sink);
  return {};
}

void DuelTable::unwatch(const Id& game, const std::weak_ptr<SpectatorSink>& sink) {
  const Found found(*this, game);
  if (found.is_known()) drop_spectator(found.entry(), sink);
}

std::size_t DuelTable::sweep(Clock::time_point now) {
  std::size_t closed = 0;
  for (Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    closed += sweep(shard, now);
  }
  return closed;
}

DuelTable::Counts DuelTable::counts() const {
  Counts sum;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    sum.duels += shard.entries.size();
    sum.created += shard.counts.created;
    sum.expired += shard.counts.expired;
    sum.evicted += shard.counts.evicted;
  }
  sum.spectators = spectators_.load(std::memory_order_relaxed);
  return sum;
}

// Counts the new duel in if there is room, or if others make room: one that its players have lost,
// else the idle ones of this shard. Its own shard is asked first, and sweeping it takes the
// longest.
bool DuelTable::reserve_place(Shard& shard, Clock::time_point now) {
  if (take_one(open_, options_.duels_max)) return true;
  const bool has_room =
      evict_abandoned(shard) || evict_abandoned_elsewhere(shard) || sweep(shard, now) > 0;
  return has_room && take_one(open_, options_.duels_max);
}

bool DuelTable::evict_abandoned(Shard& shard) {
  if (shard.abandoned.empty()) return false;
  close(shard, shard.entries.find(*shard.abandoned.front()));
  ++shard.counts.evicted;
  return true;
}

// Waits for no other shard: its lock may be held by a thread that waits for the lock of `own`.
bool DuelTable::evict_abandoned_elsewhere(const Shard& own) {
  for (Shard& shard : shards_) {
    if (&shard == &own) continue;
    const std::unique_lock lock(shard.mutex, std::try_to_lock);
    if (lock && evict_abandoned(shard)) return true;
  }
  return false;
}

void DuelTable::close(Shard& shard, Entries::iterator at) {
  Entry& entry = at->second;
  Outbox outbox(!entry.spectators.empty());
  entry.duel.give_up(outbox);
  deliver(entry, outbox);
  if (entry.node.empty()) shard.abandoned.erase(entry.abandoned_at);
  shard.entries.erase(at);
  open_.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t DuelTable::sweep(Shard& shard, Clock::time_point now) {
  std::size_t closed = 0;
  for (auto at = shard.entries.begin(); at != shard.entries.end();) {
    const auto next = std::next(at);
    Entry& entry = at->second;
    drop_spectators(entry, is_gone);
    if (now - entry.last_used > options_.idle_max) {
      close(shard, at);
      ++closed;
    }
    at = next;
  }
  shard.counts.expired += closed;
  return closed;
}

// Under the shard's lock, so that each player and spectator hears of the duel in the order in which
// it happened.
void DuelTable::deliver(Entry& entry, const Outbox& outbox) {
  for (const Outbox::Letter& letter : outbox.letters()) {
    if (const auto sink = entry.sinks[index_of(letter.to)].lock()) sink->on_event(letter.event);
  }
  for (const Observation& seen : outbox.observations()) {
    drop_spectators(entry, [&seen](const std::weak_ptr<SpectatorSink>& weak) {
      const auto sink = weak.lock();
      return !sink || !sink->on_observation(seen) || seen.is_over;
    });
  }
}

void DuelTable::drop_spectator(Entry& entry, const std::weak_ptr<SpectatorSink>& sink) {
  drop_spectators(entry, [&sink](const auto& other) { return same_owner(other, sink); });
}

template <class Predicate>
void DuelTable::drop_spectators(Entry& entry, Predicate is_dropped) {
  const std::size_t dropped = std::erase_if(entry.spectators, is_dropped);
  spectators_.fetch_sub(dropped, std::memory_order_relaxed);
}

}  // namespace rps
