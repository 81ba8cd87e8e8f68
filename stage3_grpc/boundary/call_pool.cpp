#include "stage3_grpc/boundary/call_pool.hpp"

#include <algorithm>
#include <cstdint>

namespace rps::rpc::boundary {

namespace {

constexpr int share_of_rest = 4;  // A connection may have a fourth of what is left …
constexpr int share_min = 8;      // … or one call with headers of 1 KiB.

constexpr std::uint32_t data_bytes_max = 64 * 1024;
constexpr std::uint32_t answered_bytes = 256;

}  // namespace

void CallPool::cancel(int count, int weight) {
  if (cancelled_weight_.load(std::memory_order_relaxed) >= weight_max()) return;
  const std::scoped_lock lock(mutex_);
  cancelled_count_ += count;
  cancelled_weight_.fetch_add(weight, std::memory_order_relaxed);
}

void CallPool::note_second() {
  const std::scoped_lock lock(mutex_);
  forget(old_count_);
  old_count_ = cancelled_count_;
}

void CallPool::forget_one() {
  const std::scoped_lock lock(mutex_);
  forget(1);
}

// Every cancelled call counts as much as their average.
void CallPool::forget(int count) {
  count = std::min(count, cancelled_count_);
  if (count == 0) return;
  const std::int64_t weight = cancelled_weight_.load(std::memory_order_relaxed);
  cancelled_weight_.fetch_sub(static_cast<int>(weight * count / cancelled_count_),
                              std::memory_order_relaxed);
  cancelled_count_ -= count;
  old_count_ = std::max(old_count_ - count, 0);
}

int CallPool::share() const {
  const int left = weight_max() - open_.load(std::memory_order_relaxed) -
                   cancelled_weight_.load(std::memory_order_relaxed);
  return std::max(left / share_of_rest, share_min);
}

void ConnectionCalls::open(std::uint32_t stream, int weight) {
  const std::scoped_lock lock(mutex_);
  Call* call = find(stream);
  if (!call) {
    const bool is_new = stream % 2 == 1 && stream > newest_;
    if (!is_new) return;
    newest_ = stream;
    call = &calls_.emplace_back(Call{.stream = stream, .headers = 0, .data_bytes = 0});
  }
  const int more = std::max(weight - call->headers, 0);
  call->headers += more;
  add(more);
}

bool ConnectionCalls::receive(std::uint32_t stream, std::uint32_t bytes) {
  const std::scoped_lock lock(mutex_);
  Call* const call = find(stream);
  if (!call) return false;
  const int before = call->data();
  set_data(*call, std::min(call->data_bytes + bytes, data_bytes_max));
  return call->data() > before;
}

void ConnectionCalls::take_back(std::uint32_t stream) {
  const std::scoped_lock lock(mutex_);
  if (Call* const call = find(stream)) {
    set_data(*call, call->data_bytes - std::min(call->data_bytes, answered_bytes));
  }
}

int ConnectionCalls::close(std::uint32_t stream) {
  const std::scoped_lock lock(mutex_);
  Call* const call = find(stream);
  if (!call) return 0;
  const int weight = call->weight();
  data_weight_.fetch_sub(call->data(), std::memory_order_relaxed);
  calls_.erase(calls_.begin() + (call - calls_.data()));
  add(-weight);
  return weight;
}

// REQUIRES for this and what follows: the mutex is held.
ConnectionCalls::Call* ConnectionCalls::find(std::uint32_t stream) {
  const auto call = std::ranges::find(calls_, stream, &Call::stream);
  return call == calls_.end() ? nullptr : &*call;
}

void ConnectionCalls::set_data(Call& call, std::uint32_t bytes) {
  const int before = call.data();
  call.data_bytes = bytes;
  const int more = call.data() - before;
  if (more == 0) return;
  data_weight_.fetch_add(more, std::memory_order_relaxed);
  add(more);
}

void ConnectionCalls::add(int weight) {
  if (weight == 0) return;
  weight_.fetch_add(weight, std::memory_order_relaxed);
  pool_->open(weight);
}

}  // namespace rps::rpc::boundary
