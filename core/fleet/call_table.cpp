#include "core/fleet/call_table.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <ranges>
#include <string_view>

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
  slot.older = newest_;
  slot.newer = no_index;
  (newest_ == no_index ? oldest_ : slots_[newest_].newer) = index;
  newest_ = index;
  return index;
}

void CallTable::close(std::uint32_t index) {
  Slot& slot = slots_[index];
  (slot.older == no_index ? oldest_ : slots_[slot.older].newer) = slot.newer;
  (slot.newer == no_index ? newest_ : slots_[slot.newer].older) = slot.older;
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
  if (oldest_ != no_index) next = std::min(next, slots_[oldest_].call.deadline);
  return next;
}

}  // namespace rps::fleet
