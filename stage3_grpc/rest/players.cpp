#include "stage3_grpc/rest/players.hpp"

#include "core/limits.hpp"

namespace rps::rpc::rest {

Players::~Players() {
  const Clock::time_point now = Clock::now();
  for (auto& [key, player] : players_) player.caller->disconnect(now);
}

Reply Players::handle(const Command& command, Clock::time_point now) {
  if (command.operation == Operation::join) return join(command, now);
  const auto found = players_.find({std::string(command.game_id), std::string(command.player_id)});
  if (found == players_.end()) {
    // One who plays over another wire, or nobody. A throw asks for no seat of the caller's.
    Caller nobody(game_, {});
    return game_.handle(command, nobody, now);
  }
  found->second.asked_at = now;
  const Reply reply = game_.handle(command, *found->second.caller, now);
  if (command.operation == Operation::leave && !found->second.caller->has_seat()) {
    players_.erase(found);
  }
  return reply;
}

Reply Players::join(const Command& command, Clock::time_point now) {
  const Key key(command.game_id, command.player_id);
  const auto found = players_.find(key);
  if (found != players_.end()) {
    found->second.asked_at = now;
    return game_.handle(command, *found->second.caller, now);
  }
  if (players_.size() >= players_max_) {
    return {.operation = Operation::join,
            .error = Error::overloaded,
            .retry_after_ms = limits::retry_after_ms};
  }
  auto caller = std::make_unique<Caller>(game_, std::weak_ptr<EventSink>());
  const Reply reply = game_.handle(command, *caller, now);
  if (!reply.error) players_.emplace(key, Player{.caller = std::move(caller), .asked_at = now});
  return reply;
}

void Players::sweep(Clock::time_point now) {
  for (auto player = players_.begin(); player != players_.end();) {
    if (now - player->second.asked_at < idle_max_) {
      ++player;
      continue;
    }
    player->second.caller->disconnect(now);
    player = players_.erase(player);
  }
}

}  // namespace rps::rpc::rest
