// The bytes that were read from a stream and are not decoded yet. The buffer grows to the longest
// message, up to a limit, and does not shrink.
#pragma once

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "core/net/fd.hpp"

namespace rps::net {

class InputBuffer {
 public:
  // What it starts with, and what a single message may reach.
  static constexpr std::size_t bytes_initial = std::size_t{16} << 10;
  static constexpr std::size_t bytes_max = std::size_t{1} << 20;

  enum class Arrival : std::uint8_t {
    bytes,
    nothing,  // Not now.
    end,      // The peer has ended the stream.
    failure,  // The stream failed, or a message outgrew the limit.
  };

  // Reads once from a non-blocking descriptor.
  Arrival read_from(const Fd& fd) {
    if (end_ == bytes_.size() && !make_room()) return Arrival::failure;
    const ssize_t count = ::read(fd.get(), bytes_.data() + end_, bytes_.size() - end_);
    if (count > 0) {
      end_ += static_cast<std::size_t>(count);
      return Arrival::bytes;
    }
    if (count == 0) return Arrival::end;
    return errno == EAGAIN || errno == EINTR ? Arrival::nothing : Arrival::failure;
  }

  std::string_view bytes() const { return {bytes_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  // The first `count` bytes are decoded. They stay where they are until the next read.
  void consume(std::size_t count) {
    assert(count <= end_ - begin_);
    begin_ += count;
    if (begin_ == end_) clear();
  }

  void clear() { begin_ = end_ = 0; }

 private:
  bool make_room() {
    if (begin_ > 0) {
      std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
                bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
      end_ -= begin_;
      begin_ = 0;
    } else if (bytes_.size() < bytes_max) {
      bytes_.resize(std::min(2 * bytes_.size(), bytes_max));
    } else {
      return false;
    }
    return true;
  }

  std::vector<char> bytes_ = std::vector<char>(bytes_initial);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace rps::net
