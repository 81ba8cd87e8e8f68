#include "core/fleet/instance_table.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rps::fleet {

bool InstanceTable::contains(std::string_view url) const {
  return std::ranges::any_of(
      places_, [&](const auto& instance) { return instance && instance->url == url; });
}

std::uint32_t InstanceTable::add(Instance instance) {
  auto place = std::ranges::find_if(places_, [](const auto& taken) { return !taken; });
  if (place == places_.end()) {
    place = places_.emplace(place);
    candidates_.emplace_back();
  }
  const auto index = static_cast<std::uint32_t>(place - places_.begin());
  candidates_[index] = {.identity = identity_of(instance.url)};
  *place = std::make_unique<Instance>(std::move(instance));
  return index;
}

void InstanceTable::remove(std::uint32_t index) {
  places_[index].reset();
  candidates_[index] = {};
}

std::optional<std::uint32_t> InstanceTable::choose(const Call& call, Clock::time_point now) {
  const Command& command = call.command;
  std::optional<std::uint64_t> session;
  if (!command.session_id.empty()) session = identity_of(command.session_id);
  for (const Choice choice : {Choice::good, Choice::avoided, Choice::being_dialled}) {
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
      const Instance* const instance = places_[i].get();
      candidates_[i].is_usable = instance && instance->breaker.would_allow(now) &&
                                 is_candidate(*instance, i == call.avoided, choice);
    }
    const auto chosen = command.game_id.empty()
                            ? balancer_.pick(candidates_, session)
                            : rendezvous(candidates_, identity_of(command.game_id));
    if (chosen) return static_cast<std::uint32_t>(*chosen);
  }
  return std::nullopt;
}

bool InstanceTable::is_candidate(const Instance& instance, bool has_failed, Choice choice) {
  if (!instance.is_listed) return false;
  switch (choice) {
    case Choice::good: return instance.reach != Instance::Reach::down && !has_failed;
    case Choice::avoided: return instance.reach != Instance::Reach::down;
    case Choice::being_dialled: return !instance.connections.empty();
  }
  return false;
}

void InstanceTable::begin_call(std::uint32_t index) {
  candidates_[index].open_calls = ++places_[index]->open_calls;
}

void InstanceTable::end_call(std::uint32_t index) {
  candidates_[index].open_calls = --places_[index]->open_calls;
}

}  // namespace rps::fleet
