// What a spectator over HTTP is shown: observations from a duel, until the connection takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/observation.hpp"

namespace rps::rpc::rest {

class Feed;

// Where a feed says that something waits in it.
class FeedOwner {
 public:
  // On the thread of whoever caused the observation, which holds the duel's lock: must not block or
  // throw.
  virtual void feed_filled(const std::shared_ptr<Feed>& feed) noexcept = 0;

 protected:
  ~FeedOwner() = default;
};

class Feed final : public SpectatorSink, public std::enable_shared_from_this<Feed> {
 public:
  // `key` is the owner's. With `waiting_max` observations that wait, one more cuts the feed.
  // REQUIRES: the owner outlives the duel's use of the feed.
  Feed(FeedOwner& owner, std::uint64_t key, std::size_t waiting_max)
      : owner_(owner), key_(key), waiting_max_(waiting_max) {}

  std::uint64_t key() const { return key_; }

  bool on_observation(const Observation& seen) override;

  // What has waited, in order. `is_cut`: more came than may wait, and nothing follows.
  struct Notes {
    std::vector<Observation> seen;
    bool is_cut = false;
  };
  Notes take();

 private:
  FeedOwner& owner_;
  const std::uint64_t key_;
  const std::size_t waiting_max_;
  std::mutex mutex_;
  Notes notes_;             // Guarded by the mutex, as are the next two.
  bool is_closed_ = false;  // Nothing follows.
  bool is_told_ = false;    // The owner knows that something waits.
};

}  // namespace rps::rpc::rest
