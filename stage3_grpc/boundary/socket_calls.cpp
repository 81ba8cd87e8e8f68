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

#include "stage3_grpc/boundary/busy_poll.hpp"
#include "stage3_grpc/boundary/coalescer.hpp"

// What the linker's --wrap=NAME calls the function itself (__real_NAME), and what it calls in its
// place (__wrap_NAME).
extern "C" {
ssize_t real_recvmsg(int fd, msghdr* message, int flags) asm("__real_recvmsg");
ssize_t wrap_recvmsg(int fd, msghdr* message, int flags) asm("__wrap_recvmsg");
ssize_t real_sendmsg(int fd, const msghdr* message, int flags) asm("__real_sendmsg");
ssize_t wrap_sendmsg(int fd, const msghdr* message, int flags) asm("__wrap_sendmsg");
int real_shutdown(int fd, int how) asm("__real_shutdown");
int wrap_shutdown(int fd, int how) asm("__wrap_shutdown");
int real_close(int fd) asm("__real_close");
int wrap_close(int fd) asm("__wrap_close");
int real_epoll_wait(int epoll, epoll_event* events, int size, int ms) asm("__real_epoll_wait");
int wrap_epoll_wait(int epoll, epoll_event* events, int size, int ms) asm("__wrap_epoll_wait");
int real_gpr_cv_wait(gpr_cv* cv, gpr_mu* mutex, gpr_timespec until) asm("__real_gpr_cv_wait");
int wrap_gpr_cv_wait(gpr_cv* cv, gpr_mu* mutex, gpr_timespec until) asm("__wrap_gpr_cv_wait");
void real_gpr_sleep_until(gpr_timespec until) asm("__real_gpr_sleep_until");
void wrap_gpr_sleep_until(gpr_timespec until) asm("__wrap_gpr_sleep_until");
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
  return real_recvmsg(fd, &message, flags);
}

ssize_t send_to_kernel(int fd, const msghdr& message, int flags) {
  return real_sendmsg(fd, &message, flags);
}

ssize_t SocketFilter::receive(int fd, msghdr& message, int flags) {
  return receive_from_kernel(fd, message, flags);
}

ssize_t SocketFilter::send(int fd, const msghdr& message, int flags) {
  return send_to_kernel(fd, message, flags);
}

}  // namespace rps::rpc::boundary

namespace boundary = rps::rpc::boundary;

ssize_t wrap_recvmsg(int fd, msghdr* message, int flags) {
  boundary::SocketFilter* const filter =
      (flags & MSG_ERRQUEUE) == 0 ? boundary::filter_of(fd) : nullptr;
  if (filter) return filter->receive(fd, *message, flags);
  return real_recvmsg(fd, message, flags);
}

ssize_t wrap_sendmsg(int fd, const msghdr* message, int flags) {
  boundary::SocketFilter* const filter = boundary::filter_of(fd);
  if (filter) return filter->send(fd, *message, flags);
  return real_sendmsg(fd, message, flags);
}

int wrap_shutdown(int fd, int how) {
  if (boundary::SocketFilter* const filter = boundary::filter_of(fd)) filter->before_shutdown();
  return real_shutdown(fd, how);
}

int wrap_close(int fd) {
  if (boundary::filter_of(fd)) boundary::exchange(fd, nullptr);
  return real_close(fd);
}

int wrap_epoll_wait(int epoll, epoll_event* events, int size, int ms) {
  boundary::before_polling();
  const int count = boundary::wait_for_events(
      [epoll, events, size](int at_most) { return real_epoll_wait(epoll, events, size, at_most); },
      ms);
  boundary::after_polling();
  return count;
}

int wrap_gpr_cv_wait(gpr_cv* cv, gpr_mu* mutex, gpr_timespec until) {
  boundary::before_blocking();
  return real_gpr_cv_wait(cv, mutex, until);
}

void wrap_gpr_sleep_until(gpr_timespec until) {
  boundary::before_blocking();
  real_gpr_sleep_until(until);
}
