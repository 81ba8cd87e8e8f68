#include "core/net/terminal.hpp"

#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace rps::net {

namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

bool obeys_control_sequences(int fd) {
  const std::string_view kind = environment("TERM");
  return ::isatty(fd) == 1 && !kind.empty() && kind != "dumb";
}

bool shows_color(int fd) {
  return obeys_control_sequences(fd) && environment("NO_COLOR").empty();
}

}  // namespace rps::net
