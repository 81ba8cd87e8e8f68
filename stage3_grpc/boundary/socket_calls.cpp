#include "stage3_grpc/boundary/socket_calls.hpp"

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>

#include <grpc/support/sync.h>
#include <grpc/support/time.h>
#include <sys/epoll.h>

#include "stage3_grpc/boundary/coalescer.hpp"

// What the linker's --wrap calls the functions themselves (__real) and what is called instead.
extern "C" {
ssize_t __real_recvmsg(int fd, msghdr* message, int flags);
ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags);
ssize_t __real_sendmsg(int fd, const msghdr* message, int flags);
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags);
int __real_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_epoll_wait(int epoll, epoll_event* events, int size, int timeout_ms);
int __wrap_epoll_wait(int epoll, epoll_event* events, int size, int timeout_ms);
int __real_gpr_cv_wait(gpr_cv* condition, gpr_mu* mutex, gpr_timespec deadline);
int __wrap_gpr_cv_wait(gpr_cv* condition, gpr_mu* mutex, gpr_timespec deadline);
void __real_gpr_sleep_until(gpr_timespec until);
void __wrap_gpr_sleep_until(gpr_timespec until);
}

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

ssize_t receive_from_kernel(int fd, msghdr& message, int flags) {
  return __real_recvmsg(fd, &message, flags);
}

ssize_t send_to_kernel(int fd, const msghdr& message, int flags) {
  return __real_sendmsg(fd, &message, flags);
}

ssize_t SocketFilter::receive(int fd, msghdr& message, int flags) {
  return receive_from_kernel(fd, message, flags);
}

ssize_t SocketFilter::send(int fd, const msghdr& message, int flags) {
  return send_to_kernel(fd, message, flags);
}

}  // namespace rps::rpc::boundary

namespace boundary = rps::rpc::boundary;

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
  boundary::SocketFilter* const filter =
      (flags & MSG_ERRQUEUE) == 0 ? boundary::filter_of(fd) : nullptr;
  if (filter) return filter->receive(fd, *message, flags);
  return __real_recvmsg(fd, message, flags);
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  boundary::SocketFilter* const filter = boundary::filter_of(fd);
  if (filter) return filter->send(fd, *message, flags);
  return __real_sendmsg(fd, message, flags);
}

int __wrap_shutdown(int fd, int how) {
  if (boundary::SocketFilter* const filter = boundary::filter_of(fd)) filter->before_shutdown();
  return __real_shutdown(fd, how);
}

int __wrap_close(int fd) {
  if (boundary::filter_of(fd)) boundary::exchange(fd, nullptr);
  return __real_close(fd);
}

int __wrap_epoll_wait(int epoll, epoll_event* events, int size, int timeout_ms) {
  boundary::before_polling();
  const int count = __real_epoll_wait(epoll, events, size, timeout_ms);
  boundary::after_polling();
  return count;
}

int __wrap_gpr_cv_wait(gpr_cv* condition, gpr_mu* mutex, gpr_timespec deadline) {
  boundary::before_blocking();
  return __real_gpr_cv_wait(condition, mutex, deadline);
}

void __wrap_gpr_sleep_until(gpr_timespec until) {
  boundary::before_blocking();
  __real_gpr_sleep_until(until);
}
