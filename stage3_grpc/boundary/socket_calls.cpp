#include "stage3_grpc/boundary/socket_calls.hpp"

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

namespace rps::rpc::boundary {

namespace {

// By descriptor, and read and written through place_of() only. 8 MiB of address space, of which the
// kernel provides the pages that are used.
constinit std::array<SocketFilter*, filtered_descriptors_max> filters{};

bool is_in_table(int fd) {
  return fd >= 0 && fd < filtered_descriptors_max;
}

std::atomic_ref<SocketFilter*> place_of(int fd) {
  return std::atomic_ref(filters[static_cast<std::size_t>(fd)]);
}

SocketFilter* filter_of(int fd) {
  return is_in_table(fd) ? place_of(fd).load(std::memory_order_acquire) : nullptr;
}

// Puts `filter` into the place of `fd` and takes out the one that stood there.
std::unique_ptr<SocketFilter> exchange(int fd, std::unique_ptr<SocketFilter> filter) {
  return std::unique_ptr<SocketFilter>(
      place_of(fd).exchange(filter.release(), std::memory_order_acq_rel));
}

}  // namespace

// A filter that is found here belongs to a descriptor that was closed past close(2), as by
// close_range(2).
void attach(int fd, std::unique_ptr<SocketFilter> filter) {
  assert(is_in_table(fd));
  exchange(fd, std::move(filter));
}

// The kernel's own entry: to call recvmsg() here would come back to this file.
ssize_t receive_from_kernel(int fd, msghdr& message, int flags) {
  return ::syscall(SYS_recvmsg, fd, &message, flags);
}

ssize_t send_to_kernel(int fd, const msghdr& message, int flags) {
  return ::syscall(SYS_sendmsg, fd, &message, flags);
}

}  // namespace rps::rpc::boundary

namespace boundary = rps::rpc::boundary;

extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  boundary::SocketFilter* const filter =
      (flags & MSG_ERRQUEUE) == 0 ? boundary::filter_of(fd) : nullptr;
  if (filter) return filter->receive(fd, *message, flags);
  return boundary::receive_from_kernel(fd, *message, flags);
}

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  boundary::SocketFilter* const filter = boundary::filter_of(fd);
  if (filter) return filter->send(fd, *message, flags);
  return boundary::send_to_kernel(fd, *message, flags);
}

extern "C" int close(int fd) {
  if (boundary::filter_of(fd)) boundary::exchange(fd, nullptr);
  return static_cast<int>(::syscall(SYS_close, fd));
}
