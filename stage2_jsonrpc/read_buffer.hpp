// The bytes a connection has received and not yet understood.
//
//    +----------+-----------+-------------+
//    | consumed |  bytes()  |  prepare()  |     One block. It doubles when a read fills it, and is
//    +----------+-----------+-------------+     small again when reads no longer need it.
//    0        begin_       end_      capacity_
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "stage2_jsonrpc/frame.hpp"

namespace rps::jsonrpc {

class ReadBuffer {
 public:
  static constexpr std::size_t bytes_min = 4096;
  static constexpr std::size_t bytes_max = frame_header_bytes + limits::frame_payload_bytes_max;

  std::string_view bytes() const { return {block_.get() + begin_, end_ - begin_}; }

  // Room for the next read, never empty. Moves what bytes() holds.
  // REQUIRES: bytes() is shorter than bytes_max: every whole frame has been consumed.
  std::span<char> prepare() {
    assert(end_ - begin_ < bytes_max);
    if (filled_) {
      move_to(std::min(2 * capacity_, bytes_max));
    } else if (begin_ == end_ && capacity_ > bytes_min && last_read_ < bytes_min / 4) {
      move_to(bytes_min);
    } else if (begin_ > 0) {
      std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return {block_.get() + end_, capacity_ - end_};
  }

  // `size` bytes were read into the room.
  void commit(std::size_t size) {
    last_read_ = size;
    end_ += size;
    filled_ = end_ == capacity_;
  }

  // The first `size` bytes are understood.
  void consume(std::size_t size) { begin_ += size; }

 private:
  void move_to(std::size_t capacity) {
    auto block = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(block.get(), block_.get() + begin_, end_ - begin_);
    block_ = std::move(block);
    capacity_ = capacity;
    end_ -= begin_;
    begin_ = 0;
    filled_ = false;
  }

  std::unique_ptr<char[]> block_ = std::make_unique_for_overwrite<char[]>(bytes_min);
  std::size_t capacity_ = bytes_min;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t last_read_ = 0;
  bool filled_ = false;  // The last read took all the room there was.
};

}  // namespace rps::jsonrpc
