// What all that speaks HTTP/2 by libnghttp2 here needs of it.
#pragma once

#include <cstdint>
#include <new>
#include <string_view>

#include <nghttp2/nghttp2.h>

namespace rps::rpc {

// For functions of nghttp2 whose only failure, where they are used, is a lack of memory.
inline void check(int result) {
  if (result != 0) throw std::bad_alloc();
}

// A field that points to `name` and `value`, which outlive it.
inline nghttp2_nv header(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    // nghttp2's signature lacks a const.
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {.name = bytes(name),
          .value = bytes(value),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

}  // namespace rps::rpc
