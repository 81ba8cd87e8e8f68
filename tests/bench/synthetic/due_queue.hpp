// What is to be done when, the earliest first; what is due at once, in the order of arrival.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/clock.hpp"

namespace rps::synthetic {

template <class Item>
class DueQueue {
 public:
  bool empty() const { return heap_.empty(); }

  // REQUIRES: !empty()
  Clock::time_point next_at() const { return heap_.front().at; }

  void push(Clock::time_point at, Item item) {
    heap_.push_back({at, next_number_++, std::move(item)});
    std::ranges::push_heap(heap_, is_later);
  }

  // REQUIRES: !empty()
  Item pop() {
    std::ranges::pop_heap(heap_, is_later);
    Item item = std::move(heap_.back().item);
    heap_.pop_back();
    return item;
  }

 private:
  struct Entry {
    Clock::time_point at;
    std::uint64_t number;
    Item item;
  };

  static bool is_later(const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at > b.at : a.number > b.number;
  }

  std::vector<Entry> heap_;
  std::uint64_t next_number_ = 0;
};

}  // namespace rps::synthetic
