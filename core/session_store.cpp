#include "core/session_store.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace rps {

namespace {

// Enough shards that eight threads rarely meet, and few enough that each is large: a small store
// is one shard, and evicts in exact order of use.
constexpr std::size_t shards_max = 64;
constexpr std::size_t sessions_per_shard_min = 256;

std::size_t shards_for(std::size_t sessions_max) {
  return std::bit_floor(
      std::clamp<std::size_t>(sessions_max / sessions_per_shard_min, 1, shards_max));
}

}  // namespace

SessionStore::SessionStore(const Options& options)
    : options_(options),
      shard_count_(shards_for(options.sessions_max)),
      shards_(std::make_unique<Shard[]>(shard_count_)) {
  assert(options.sessions_max > 0 && options.sessions_max <= limits::sessions_max);
  for (std::size_t i = 0; i < shard_count_; ++i) {
    Shard& shard = shards_[i];
    shard.slots_max = options.sessions_max / shard_count_;
    if (i < options.sessions_max % shard_count_) ++shard.slots_max;
    shard.slots.reserve(shard.slots_max);
    shard.buckets.assign(std::bit_ceil(shard.slots_max), none);
  }
}

std::optional<Score> SessionStore::score(std::string_view id, Clock::time_point now) {
  const std::uint64_t hash = hash_bytes(id, options_.hash_seed);
  Shard& shard = shard_of(hash);
  const std::scoped_lock lock(shard.mutex);
  const std::uint32_t index = find(shard, hash, id);
  if (index == none) return std::nullopt;
  Slot& slot = shard.slots[index];
  if (is_idle(slot, now)) {
    forget(shard, index);
    ++shard.counts.expired;
    return std::nullopt;
  }
  make_newest(shard, index);
  slot.last_used = now;
  return slot.session.score;
}

std::size_t SessionStore::sweep(Clock::time_point now) {
  std::size_t forgotten = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    Shard& shard = shards_[i];
    const std::scoped_lock lock(shard.mutex);
    while (shard.oldest != none && is_idle(shard.slots[shard.oldest], now)) {
      forget(shard, shard.oldest);
      ++shard.counts.expired;
      ++forgotten;
    }
  }
  return forgotten;
}

SessionStore::Counts SessionStore::counts() const {
  Counts sum;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const Shard& shard = shards_[i];
    const std::scoped_lock lock(shard.mutex);
    sum.sessions += shard.counts.sessions;
    sum.created += shard.counts.created;
    sum.evicted += shard.counts.evicted;
    sum.expired += shard.counts.expired;
  }
  return sum;
}

SessionStore::Slot& SessionStore::touch(Shard& shard, std::uint64_t hash, std::string_view id,
                                        Clock::time_point now, std::uint64_t seed_if_new) {
  const std::uint32_t index = find(shard, hash, id);
  const bool found = index != none;
  Slot& slot = found ? shard.slots[index] : create(shard, hash, id);
  if (found) {
    make_newest(shard, index);
    if (is_idle(slot, now)) {
      slot.session = {.seed = seed_if_new, .history = {}, .score = {}};
      ++shard.counts.expired;
      ++shard.counts.created;
    }
  } else {
    slot.session = {.seed = seed_if_new, .history = {}, .score = {}};
  }
  slot.last_used = now;
  return slot;
}

SessionStore::Slot& SessionStore::create(Shard& shard, std::uint64_t hash, std::string_view id) {
  if (shard.counts.sessions == shard.slots_max) {
    forget(shard, shard.oldest);
    ++shard.counts.evicted;
  }
  std::uint32_t index = shard.free;
  if (index != none) {
    shard.free = shard.slots[index].chain;
  } else {
    index = static_cast<std::uint32_t>(shard.slots.size());
    shard.slots.emplace_back();
  }
  Slot& slot = shard.slots[index];
  slot.id = Id(id);
  slot.hash = hash;
  std::uint32_t& bucket = shard.buckets[hash & (shard.buckets.size() - 1)];
  slot.chain = bucket;
  bucket = index;
  link_newest(shard, index);
  ++shard.counts.sessions;
  ++shard.counts.created;
  return slot;
}

std::uint32_t SessionStore::find(const Shard& shard, std::uint64_t hash, std::string_view id) {
  std::uint32_t index = shard.buckets[hash & (shard.buckets.size() - 1)];
  while (index != none) {
    const Slot& slot = shard.slots[index];
    if (slot.hash == hash && slot.id.view() == id) break;
    index = slot.chain;
  }
  return index;
}

void SessionStore::link_newest(Shard& shard, std::uint32_t index) {
  Slot& slot = shard.slots[index];
  slot.older = shard.newest;
  slot.newer = none;
  if (shard.newest != none) shard.slots[shard.newest].newer = index;
  shard.newest = index;
  if (shard.oldest == none) shard.oldest = index;
}

void SessionStore::unlink(Shard& shard, std::uint32_t index) {
  const Slot& slot = shard.slots[index];
  (slot.older == none ? shard.oldest : shard.slots[slot.older].newer) = slot.newer;
  (slot.newer == none ? shard.newest : shard.slots[slot.newer].older) = slot.older;
}

void SessionStore::make_newest(Shard& shard, std::uint32_t index) {
  if (shard.newest == index) return;
  unlink(shard, index);
  link_newest(shard, index);
}

void SessionStore::forget(Shard& shard, std::uint32_t index) {
  Slot& slot = shard.slots[index];
  unlink(shard, index);
  std::uint32_t* link = &shard.buckets[slot.hash & (shard.buckets.size() - 1)];
  while (*link != index) link = &shard.slots[*link].chain;
  *link = slot.chain;
  slot.chain = shard.free;
  shard.free = index;
  --shard.counts.sessions;
}

}  // namespace rps
