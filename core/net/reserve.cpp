#include "core/net/reserve.hpp"

#include <fcntl.h>
#include <sys/socket.h>

namespace rps::net {

namespace {

Fd open_any() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Reserve::Reserve() : fd_(open_any()) {}

bool Reserve::turn_away(const Fd& listener) {
  fd_ = Fd();
  const bool is_turned_away{Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))};
  fd_ = open_any();
  return is_turned_away;
}

}  // namespace rps::net
