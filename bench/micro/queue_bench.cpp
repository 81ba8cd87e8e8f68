// Queues. In one thread: the fleet client's ring and the library's deque. Between two threads: the
// cost of passing a call from one thread to another, with a lock-free ring and with a locked queue.
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <benchmark/benchmark.h>

#include "bench/micro/benchmarks.hpp"
#include "bench/micro/spsc_ring.hpp"
#include "core/net/ring.hpp"

namespace rps::micro {

namespace {

// What is handed over: as much as a call's id, command and stamp.
struct Item {
  std::uint64_t number = 0;
  std::uint64_t rest[7] = {};
};

constexpr std::size_t capacity = 1024;
constexpr std::size_t waiting = 16;  // In the queue while it is measured, as calls of a pipeline.

void ring_fifo(benchmark::State& state) {
  net::Ring<Item> ring;
  for (std::size_t i = 0; i < waiting; ++i) ring.push({});
  for (auto _ : state) {
    ring.push({});
    benchmark::DoNotOptimize(ring.pop());
  }
}

void deque_fifo(benchmark::State& state) {
  std::deque<Item> deque(waiting);
  for (auto _ : state) {
    deque.push_back({});
    benchmark::DoNotOptimize(deque.front());
    deque.pop_front();
  }
}

// Both sides wait without sleeping; after a long wait they yield their core to other threads.
class Ring {
 public:
  void push(const Item& item) {
    wait_for([&] { return ring_.try_push(item); });
  }

  Item pop() {
    std::optional<Item> item;
    wait_for([&] { return (item = ring_.try_pop()).has_value(); });
    return *item;
  }

 private:
  static constexpr int spins_max = 2000;

  static void wait_for(const auto& is_done) {
    for (int spins = 0; !is_done(); ++spins) {
      if (spins >= spins_max) std::this_thread::yield();
    }
  }

  SpscRing<Item, capacity> ring_;
};

// The usual one: a mutex, a deque and two conditions.
class Locked {
 public:
  void push(const Item& item) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [&] { return items_.size() < capacity; });
    items_.push_back(item);
    lock.unlock();
    has_items_.notify_one();
  }

  Item pop() {
    std::unique_lock lock(mutex_);
    has_items_.wait(lock, [&] { return !items_.empty(); });
    const Item item = items_.front();
    items_.pop_front();
    lock.unlock();
    has_room_.notify_one();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_items_;
  std::condition_variable has_room_;
  std::deque<Item> items_;
};

constexpr std::uint64_t last = ~std::uint64_t{0};

// As many as fit: the time of an item is that of the slower side.
template <class Queue>
void transfer(benchmark::State& state) {
  const auto queue = std::make_unique<Queue>();
  std::jthread consumer([&] {
    while (queue->pop().number != last) {
    }
  });
  std::uint64_t number = 0;
  for (auto _ : state) queue->push({.number = number++});
  queue->push({.number = last});
}

// One at a time, there and back.
template <class Queue>
void round_trip(benchmark::State& state) {
  const auto there = std::make_unique<Queue>();
  const auto back = std::make_unique<Queue>();
  std::jthread other([&] {
    for (Item item; item.number != last;) {
      item = there->pop();
      back->push(item);
    }
  });
  for (auto _ : state) {
    there->push({});
    benchmark::DoNotOptimize(back->pop());
  }
  there->push({.number = last});
  back->pop();
}

}  // namespace

void add_queue_benchmarks() {
  benchmark::RegisterBenchmark("queue/fifo/ring", ring_fifo);
  benchmark::RegisterBenchmark("queue/fifo/deque", deque_fifo);
  benchmark::RegisterBenchmark("queue/transfer/ring", transfer<Ring>)->UseRealTime();
  benchmark::RegisterBenchmark("queue/transfer/locked", transfer<Locked>)->UseRealTime();
  benchmark::RegisterBenchmark("queue/round_trip/ring", round_trip<Ring>)->UseRealTime();
  benchmark::RegisterBenchmark("queue/round_trip/locked", round_trip<Locked>)->UseRealTime();
}

}  // namespace rps::micro
