#include "core/net/dialling.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace rps::net {

void Dialling::begin(Endpoint& endpoint, Resolver& resolver, Clock::time_point now,
                     Clock::time_point deadline) {
  endpoint_ = &endpoint;
  resolver_ = &resolver;
  deadline_ = deadline;
  due_ = now;
  look_up_until_ = std::min(now + Race::stagger, deadline);
  has_looked_up_ = false;
  if (!endpoint.is_fresh(now)) look_up();
}

void Dialling::look_up() {
  has_looked_up_ = true;
  endpoint_->begin_look_up(*resolver_);
}

Dialling::Outcome Dialling::advance(Clock::time_point now) {
  assert(endpoint_ != nullptr);
  // Before the addresses are read, so that a result that comes meanwhile is not missed.
  const bool is_looking_up = endpoint_->is_looking_up(now);
  if (is_looking_up && now < look_up_until_) {
    due_ = look_up_until_;
    return Outcome::pending;
  }
  for (const Address& address : endpoint_->addresses()) race_.add(address);
  if (auto winner = race_.advance(now)) {
    winner_ = *std::move(winner);
    endpoint_->prefer(winner_.address);
    return Outcome::connected;
  }
  if (race_.is_lost() && !has_looked_up_) {
    look_up();
    return advance(now);
  }
  if (now >= deadline_ || (race_.is_lost() && !is_looking_up)) {
    error_ = reason();
    race_.clear();
    return Outcome::failed;
  }
  due_ = std::min(deadline_, race_.due());
  return Outcome::pending;
}

// Why there is no connection.
std::string Dialling::reason() const {
  if (!race_.is_lost()) return std::strerror(ETIMEDOUT);
  if (race_.error() != 0) return std::strerror(race_.error());
  if (!endpoint_->complaint().empty()) return endpoint_->complaint();
  return endpoint_->target().host + " was not looked up in time";
}

}  // namespace rps::net
