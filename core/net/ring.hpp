// A queue in one piece of memory that grows when it must and never shrinks: in steady state it
// allocates nothing.
#pragma once

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace rps::net {

template <typename Value>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // The oldest is number 0. REQUIRES: index < size().
  Value& operator[](std::size_t index) {
    assert(index < size_);
    return values_[wrapped(oldest_ + index)];
  }
  const Value& operator[](std::size_t index) const {
    assert(index < size_);
    return values_[wrapped(oldest_ + index)];
  }

  void push(Value value) {
    if (size_ == values_.size()) grow();
    ++size_;
    (*this)[size_ - 1] = std::move(value);
  }

  // Takes out the oldest. REQUIRES: !empty().
  Value pop() {
    Value value = std::move((*this)[0]);
    oldest_ = wrapped(oldest_ + 1);
    --size_;
    return value;
  }

  void clear() { oldest_ = size_ = 0; }

 private:
  // There is room for a power of two of them.
  std::size_t wrapped(std::size_t place) const { return place & (values_.size() - 1); }

  void grow() {
    std::vector<Value> larger(values_.empty() ? 8 : 2 * values_.size());
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    values_ = std::move(larger);
    oldest_ = 0;
  }

  std::vector<Value> values_;
  std::size_t oldest_ = 0;
  std::size_t size_ = 0;
};

}  // namespace rps::net
