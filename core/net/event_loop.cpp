#include "core/net/event_loop.hpp"

#include <cassert>
#include <cstddef>
#include <utility>

namespace rps::net {

namespace {

constexpr std::uint32_t input_only = EPOLLIN;
constexpr std::uint32_t input_and_output = EPOLLIN | EPOLLOUT;

}  // namespace

bool EventLoop::add(Entry& entry, int input, int output) {
  assert(entry.input_ < 0 && input >= 0);
  if (!epoll_.add(input, input_only, reinterpret_cast<std::uintptr_t>(&entry))) return false;
  entry.input_ = input;
  entry.output_ = output;
  return true;
}

void EventLoop::remove(Entry& entry) {
  if (entry.input_ < 0) return;
  wait_for_room(entry, false);
  epoll_.remove(entry.input_);
  entry.input_ = entry.output_ = -1;
  for (epoll_event& event : batch_) {
    if (event.data.ptr == &entry) event.data.ptr = nullptr;
  }
}

void EventLoop::wait_for_room(Entry& entry, bool waits) {
  if (std::exchange(entry.waits_for_room_, waits) == waits) return;
  const auto tag = reinterpret_cast<std::uintptr_t>(&entry);
  if (entry.input_ == entry.output_) {
    epoll_.modify(entry.input_, waits ? input_and_output : input_only, tag);
  } else if (waits) {
    epoll_.add(entry.output_, EPOLLOUT, tag);
  } else {
    epoll_.remove(entry.output_);
  }
}

void EventLoop::mark(Entry& entry) {
  if (std::exchange(entry.is_marked_, true)) return;
  marked_.push_back(&entry);
}

void EventLoop::flush(Handler& handler) {
  // By index: the handler may mark others.
  for (std::size_t i = 0; i < marked_.size(); ++i) {
    Entry& entry = *marked_[i];
    entry.is_marked_ = false;
    if (!entry.waits_for_room_) handler.on_output(entry.key_);
  }
  marked_.clear();
}

void EventLoop::wait(Clock::time_point deadline, Handler& handler) {
  batch_ = epoll_.wait(deadline);
  for (const epoll_event& event : batch_) {
    // Read anew after each call of the handler, because remove() clears it.
    const auto entry = [&] { return static_cast<Entry*>(event.data.ptr); };
    const bool has_room = (event.events & ~std::uint32_t{EPOLLIN}) != 0;
    if (has_room && entry() && entry()->waits_for_room_) handler.on_output(entry()->key_);
    const bool has_input = (event.events & ~std::uint32_t{EPOLLOUT}) != 0;
    if (has_input && entry()) handler.on_input(entry()->key_);
    flush(handler);
  }
  batch_ = {};
}

}  // namespace rps::net
