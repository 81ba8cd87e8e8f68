// Appends to a string through a writer that does not check for room.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <string>

namespace rps::jsonrpc {

// Appends what `write(Writer&)` writes. The string is not filled with zeros first, and grows by
// doubling. `Writer` is made from the address to write to, and has at(), the address behind what
// it wrote. REQUIRES: it writes at most `bytes_max` bytes.
template <class Writer, class Write>
void append_in_place(std::string& out, std::size_t bytes_max, Write&& write) {
  const std::size_t size = out.size();
  if (out.capacity() - size < bytes_max) {
    out.reserve(std::max(2 * out.capacity(), size + bytes_max));
  }
  out.resize_and_overwrite(size + bytes_max, [&](char* data, [[maybe_unused]] std::size_t room) {
    Writer writer(data + size);
    write(writer);
    const auto written = static_cast<std::size_t>(writer.at() - data);
    assert(written <= room);
    return written;
  });
}

}  // namespace rps::jsonrpc
