// The sessions of a server: bounded in number, forgotten when idle, safe under any number of
// threads. There is no global lock: an id's hash names its shard, and only that shard is locked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/id.hpp"
#include "core/random.hpp"
#include "core/score.hpp"
#include "core/strategy.hpp"

namespace rps {

struct Session {
  std::uint64_t seed = 0;
  History history;
  Score score;
};

struct SessionStoreOptions {
  std::size_t sessions_max = limits::sessions_default;
  Clock::duration idle_max = limits::session_idle_default;
  std::uint64_t hash_seed = 0;  // Secret in production, so that clients cannot aim at one shard.
};

class SessionStore {
 public:
  using Options = SessionStoreOptions;

  explicit SessionStore(const Options& options);

  // Calls `visit(Session&)` under the shard's lock and returns the result. A session that does not
  // exist, or has been idle too long at `now`, begins anew with `seed_if_new`. When the shard is
  // full, the least recently used session of the shard is evicted: the same calls in the same order
  // always evict the same sessions. REQUIRES: is_id(id); `visit` is short and does not call the
  // store.
  template <class Visit>
  auto update(std::string_view id, Clock::time_point now, std::uint64_t seed_if_new,
              Visit&& visit) {
    const std::uint64_t hash = hash_bytes(id, options_.hash_seed);
    Shard& shard = shard_of(hash);
    const std::scoped_lock lock(shard.mutex);
    Slot& slot = touch(shard, hash, id, now, seed_if_new);
    return visit(slot.session);
  }

  // The score, or nothing when there is no such session at `now`. Counts as a use of it.
  std::optional<Score> score(std::string_view id, Clock::time_point now);

  // Removes every session that has been idle too long at `now`. Sessions expire without it too;
  // sweeping only frees their slots earlier. Returns how many it removed.
  std::size_t sweep(Clock::time_point now);

  struct Counts {
    std::size_t sessions = 0;   // Held now, those included that are idle too long but not swept.
    std::uint64_t created = 0;  // Ever.
    std::uint64_t evicted = 0;  // Forgotten because a shard was full.
    std::uint64_t expired = 0;  // Forgotten because they were idle.
  };
  Counts counts() const;

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  struct Slot {
    Id id;
    Session session;
    Clock::time_point last_used;
    std::uint64_t hash = 0;
    std::uint32_t chain = none;  // The next slot of the same bucket.
    std::uint32_t older = none;  // Neighbours in the order of use.
    std::uint32_t newer = none;
  };

  // One lock, and under it a chained hash table whose slots are also linked in the order of use.
  // `slots` is reserved to its limit at once (untouched memory uses no pages), so that a slot never
  // moves and no call has to enlarge the table.
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::vector<Slot> slots;
    std::vector<std::uint32_t> buckets;  // The first slot of each; a power of two of them.
    std::size_t slots_max = 0;
    std::uint32_t newest = none;
    std::uint32_t oldest = none;
    std::uint32_t free = none;  // Given-back slots, linked through `chain`.
    Counts counts;
  };

  // Buckets use the hash's low bits, shards bits that no bucket count reaches.
  Shard& shard_of(std::uint64_t hash) { return shards_[(hash >> 48) & (shard_count_ - 1)]; }
  bool is_idle(const Slot& slot, Clock::time_point now) const {
    return now - slot.last_used > options_.idle_max;
  }

  Slot& touch(Shard& shard, std::uint64_t hash, std::string_view id, Clock::time_point now,
              std::uint64_t seed_if_new);
  Slot& create(Shard& shard, std::uint64_t hash, std::string_view id);

  static std::uint32_t find(const Shard& shard, std::uint64_t hash, std::string_view id);
  static void link_newest(Shard& shard, std::uint32_t index);
  static void unlink(Shard& shard, std::uint32_t index);
  static void make_newest(Shard& shard, std::uint32_t index);
  static void forget(Shard& shard, std::uint32_t index);

  Options options_;
  std::size_t shard_count_;  // A power of two.
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace rps
