#include "core/fleet/call_table.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <ranges>
#include <string_view>
#include <utility>

namespace rps::fleet {

CallTable::CallTable(std::size_t calls_max) : slots_(calls_max) {
  for (std::size_t i = calls_max; i > 0; --i) free_.push_back(static_cast<std::uint32_t>(i - 1));
}

std::uint32_t CallTable::open(std::uint64_t id, const Command& command, Clock::time_point now,
                              Clock::time_point deadline) {
  assert(!free_.empty());
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.text.assign(command.session_id).append(command.game_id).append(command.player_id);
  slot.call = {.id = id, .command = command, .deadline = deadline, .sent_at = now};
  const std::string_view text = slot.text;
  const std::size_t game_at = command.session_id.size();
  const std::size_t player_at = game_at + command.game_id.size();
  slot.call.command.session_id = text.substr(0, game_at);
  slot.call.command.game_id = text.substr(game_at, command.game_id.size());
  slot.call.command.player_id = text.substr(player_at);
  append(deadlines_, index);
  return index;
}

void CallTable::append(Order& order, std::uint32_t index) {
  slots_[index].*order.links = {.older = order.newest, .newer = no_index};
  const bool is_first = order.newest == no_index;
  (is_first ? order.oldest : (slots_[order.newest].*order.links).newer) = index;
  order.newest = index;
}

void CallTable::remove(Order& order, std::uint32_t index) {
  const auto [older, newer] = slots_[index].*order.links;
  (older == no_index ? order.oldest : (slots_[older].*order.links).newer) = newer;
  (newer == no_index ? order.newest : (slots_[newer].*order.links).older) = older;
}

void CallTable::begin_attempt(std::uint32_t index, Clock::time_point until) {
  Slot& slot = slots_[index];
  assert(!slot.has_attempt);
  slot.has_attempt = true;
  slot.attempt_until = until;
  append(attempts_, index);
}

void CallTable::end_attempt(std::uint32_t index) {
  if (std::exchange(slots_[index].has_attempt, false)) remove(attempts_, index);
}

std::optional<std::uint32_t> CallTable::slow_attempt(Clock::time_point now) const {
  const std::uint32_t oldest = attempts_.oldest;
  if (oldest == no_index || slots_[oldest].attempt_until > now) return std::nullopt;
  return oldest;
}

void CallTable::close(std::uint32_t index) {
  Slot& slot = slots_[index];
  assert(!slot.has_attempt);
  remove(deadlines_, index);
  slot.call.place = Call::Place::free;
  free_.push_back(index);
}

void CallTable::schedule(std::uint32_t index, Clock::time_point at) {
  slots_[index].call.place = Call::Place::pending;
  pending_.push_back({.at = at, .call = index});
  std::ranges::push_heap(pending_, std::ranges::greater(), &Pending::at);
}

std::optional<std::uint32_t> CallTable::take_due(Clock::time_point now) {
  if (pending_.empty() || pending_.front().at > now) return std::nullopt;
  const std::uint32_t call = pending_.front().call;
  std::ranges::pop_heap(pending_, std::ranges::greater(), &Pending::at);
  pending_.pop_back();
  return call;
}

Clock::time_point CallTable::next_time() const {
  Clock::time_point next = Clock::time_point::max();
  if (!pending_.empty()) next = pending_.front().at;
  if (deadlines_.oldest != no_index) {
    next = std::min(next, slots_[deadlines_.oldest].call.deadline);
  }
  if (attempts_.oldest != no_index) {
    next = std::min(next, slots_[attempts_.oldest].attempt_until);
  }
  return next;
}

}  // namespace rps::fleet
