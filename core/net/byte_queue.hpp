// Bytes that are appended at the back and dropped from the front, in one piece of memory that does
// not shrink.
#pragma once

#include <cassert>
#include <cstddef>
#include <string>
#include <string_view>

namespace rps::net {

class ByteQueue {
 public:
  std::size_t size() const { return bytes_.size() - begin_; }
  std::string_view view() const { return std::string_view(bytes_).substr(begin_); }

  // To be appended to, and not changed otherwise.
  std::string& back() { return bytes_; }

  // REQUIRES: count <= size().
  void drop(std::size_t count) {
    assert(count <= size());
    begin_ += count;
    // A byte is moved at most once for each byte that is dropped.
    if (begin_ < bytes_.size() - begin_) return;
    bytes_.erase(0, begin_);
    begin_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace rps::net
