// The first line of a floor that is reached by a URL.
#pragma once

#include <iostream>
#include <string>

namespace rps::floors {

// False when it cannot be written: without its URL nobody reaches the floor.
inline bool announce(const std::string& url) {
  return static_cast<bool>(std::cout << url << '\n' << std::flush);
}

// The URL of an echo server.
inline std::string echo_url(int port, std::size_t request_bytes, std::size_t reply_bytes) {
  return "echo://127.0.0.1:" + std::to_string(port) + "?request=" + std::to_string(request_bytes) +
         "&reply=" + std::to_string(reply_bytes);
}

}  // namespace rps::floors
