#include "stage3_grpc/rest/feed.hpp"

#include <utility>

namespace rps::rpc::rest {

bool Feed::on_observation(const Observation& seen) {
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return false;
  notes_.is_cut = notes_.seen.size() >= waiting_max_;
  if (!notes_.is_cut) notes_.seen.push_back(seen);
  is_closed_ = notes_.is_cut || seen.is_over;
  if (!std::exchange(is_told_, true)) owner_.feed_filled(shared_from_this());
  return !notes_.is_cut;
}

Feed::Notes Feed::take() {
  const std::scoped_lock lock(mutex_);
  is_told_ = false;
  return std::exchange(notes_, {});
}

}  // namespace rps::rpc::rest
