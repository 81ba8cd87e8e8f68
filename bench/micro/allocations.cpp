#include "bench/micro/allocations.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

// A thread's own, so that counting costs a benchmark next to nothing. It outlives its thread.
struct Count {
  std::atomic<std::uint64_t> value{0};
  Count* next = nullptr;
};

constinit std::atomic<Count*> newest = nullptr;
constinit thread_local Count* own = nullptr;

Count* enlist() {
  void* const memory = std::malloc(sizeof(Count));
  if (!memory) std::abort();
  Count* const count = new (memory) Count;
  count->next = newest.load();
  while (!newest.compare_exchange_weak(count->next, count)) {
  }
  return count;
}

void* allocate(std::size_t size) {
  if (!own) own = enlist();
  own->value.store(own->value.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return std::malloc(size > 0 ? size : 1);
}

}  // namespace

std::uint64_t rps::micro::allocation_count() {
  std::uint64_t sum = 0;
  for (const Count* count = newest.load(); count; count = count->next) sum += count->value.load();
  return sum;
}

// The language's own hooks for this purpose; the array forms end up here, too.
void* operator new(std::size_t size) {
  if (void* const memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
