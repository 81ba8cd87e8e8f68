#include "core/net/reserve.hpp"

#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

namespace rps::net {

Reserve::Reserve() : null_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
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
  if (!fd_) fd_ = Fd(::fcntl(null_.get(), F_DUPFD_CLOEXEC, 0));
}

bool Reserve::turn_away(const Fd& listener) {
  refill();
  Fd connection = accept(listener.get());
  if (!connection) return false;
  // dup3() closes the connection and takes its number over in one step. Closed first, the number
  // could be taken by another thread that accepts.
  if (::dup3(null_.get(), connection.get(), O_CLOEXEC) >= 0) fd_ = std::move(connection);
  return true;
}

}  // namespace rps::net
