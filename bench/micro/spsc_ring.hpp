// A lock-free queue for one producer and one consumer: the cheapest queue between two threads. No
// server here has a queue between threads; the benchmark queue/ measures what that saves.
//
// Each side keeps a copy of the other's index, and reads the index itself only when the ring seems
// full or empty, so that its cache line seldom moves between the cores. Method: Lamport 1977;
// Rigtorp, "Optimizing a ring buffer for throughput", 2021.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

namespace rps::micro {

// REQUIRES: `capacity` is a power of two.
template <class Value, std::size_t capacity>
class SpscRing {
  static_assert((capacity & (capacity - 1)) == 0);

 public:
  // By the one thread that puts in. False when the ring is full.
  bool try_push(const Value& value) {
    const std::size_t at = put_.load(std::memory_order_relaxed);
    if (at - taken_seen_ == capacity) {
      taken_seen_ = taken_.load(std::memory_order_acquire);
      if (at - taken_seen_ == capacity) return false;
    }
    values_[at & (capacity - 1)] = value;
    put_.store(at + 1, std::memory_order_release);
    return true;
  }

  // By the one thread that takes out. Nothing when the ring is empty.
  std::optional<Value> try_pop() {
    const std::size_t at = taken_.load(std::memory_order_relaxed);
    if (at == put_seen_) {
      put_seen_ = put_.load(std::memory_order_acquire);
      if (at == put_seen_) return std::nullopt;
    }
    const Value value = values_[at & (capacity - 1)];
    taken_.store(at + 1, std::memory_order_release);
    return value;
  }

 private:
  // Each side's own line.
  alignas(64) std::atomic<std::size_t> put_{0};
  std::size_t taken_seen_ = 0;
  alignas(64) std::atomic<std::size_t> taken_{0};
  std::size_t put_seen_ = 0;
  alignas(64) std::array<Value, capacity> values_{};
};

}  // namespace rps::micro
