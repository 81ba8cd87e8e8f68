#include "core/net/epoll.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <system_error>

#include <poll.h>

namespace rps::net {

timespec time_left(Clock::time_point deadline) {
  const Clock::time_point now = Clock::now();
  if (deadline <= now) return {};
  const std::chrono::nanoseconds left = deadline - now;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

Epoll::Epoll() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), ready_(std::make_unique<Ready>()) {
  if (!epoll_) throw std::system_error(errno, std::system_category(), "epoll_create1");
}

bool Epoll::add(int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{.events = events, .data = {.u64 = tag}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Epoll::modify(int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{.events = events, .data = {.u64 = tag}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Epoll::remove(int fd) {
  epoll_event unused{};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
}

std::span<epoll_event> Epoll::wait(Clock::time_point deadline) {
  const timespec timeout = time_left(deadline);
  const int capacity = static_cast<int>(ready_->size());
  if (waits_in_nanoseconds_) {
    const int count = ::epoll_pwait2(epoll_.get(), ready_->data(), capacity, &timeout, nullptr);
    if (count >= 0) return std::span(*ready_).first(static_cast<std::size_t>(count));
    if (errno == EINTR) return {};
    waits_in_nanoseconds_ = false;  // Linux before 5.11, or a sandbox: two calls do the same.
  }
  pollfd any{.fd = epoll_.get(), .events = POLLIN, .revents = 0};
  if (::ppoll(&any, 1, &timeout, nullptr) <= 0) return {};
  const int count = ::epoll_wait(epoll_.get(), ready_->data(), capacity, 0);
  return std::span(*ready_).first(static_cast<std::size_t>(std::max(count, 0)));
}

}  // namespace rps::net
