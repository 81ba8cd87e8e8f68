#include "core/net/reserve.hpp"

#include <fcntl.h>
#include <sys/socket.h>

namespace rps::net {

Reserve::Reserve() {
  refill();
}

Fd Reserve::accept(int listener) {
  if (!fd_) return {};
  fd_ = Fd();
  Fd connection(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection) refill();
  return connection;
}

void Reserve::refill() {
  if (!fd_) fd_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

bool Reserve::turn_away(const Fd& listener) {
  refill();
  const bool is_turned_away{accept(listener.get())};
  refill();
  return is_turned_away;
}

}  // namespace rps::net
