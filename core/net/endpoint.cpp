#include "core/net/endpoint.hpp"

#include <algorithm>
#include <cerrno>
#include <expected>
#include <optional>
#include <system_error>
#include <utility>

#include "core/net/connect.hpp"
#include "core/net/event_loop.hpp"

namespace rps::net {

namespace {

// For a loop whose owner looks at everything after each wait.
class Nothing final : public EventLoop::Handler {
  void on_input(std::uint32_t) override {}
  void on_output(std::uint32_t) override {}
};

// The socket, or the errno of the latest failure.
std::expected<Race::Winner, int> connect_to_any(const std::vector<Address>& addresses,
                                                Clock::time_point deadline) {
  EventLoop loop;
  Nothing nothing;
  Race race(loop, 0);
  for (const Address& address : addresses) race.add(address);
  for (;;) {
    auto winner = race.advance(Clock::now());
    if (winner) return *std::move(winner);
    if (race.is_lost()) return std::unexpected(race.error());
    if (Clock::now() >= deadline) return std::unexpected(ETIMEDOUT);
    loop.wait(std::min(deadline, race.due()), nothing);
  }
}

}  // namespace

Endpoint::Endpoint(HostPort target, LookUp look_up)
    : target_(std::move(target)), look_up_(std::move(look_up)) {
  const auto address = parse_address(target_);
  is_name_ = !address.has_value();
  if (address) addresses_.push_back(*address);
}

void Endpoint::begin_look_up(Resolver& resolver) {
  if (is_name_ && !awaited_.valid()) awaited_ = resolver.look_up(look_up_, target_);
}

bool Endpoint::is_looking_up(Clock::time_point now) {
  if (!awaited_.valid()) return false;
  if (awaited_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return true;
  take(awaited_.get(), now);
  return false;
}

void Endpoint::take(FoundAddresses found, Clock::time_point now) {
  looked_up_at_ = now;
  if (!found) {
    complaint_ = std::move(found).error();
    return;
  }
  complaint_.clear();
  const std::vector<Address> before = std::exchange(addresses_, *std::move(found));
  // The one that was tried first, which is the one that answered last, remains the first.
  if (!before.empty()) prefer(before.front());
}

void Endpoint::prefer(const Address& address) {
  const auto found = std::ranges::find(addresses_, address);
  if (found != addresses_.end()) std::rotate(addresses_.begin(), found, found + 1);
}

void Endpoint::avoid(const Address& address) {
  const auto found = std::ranges::find(addresses_, address);
  if (found != addresses_.end()) std::rotate(found, found + 1, addresses_.end());
}

Fd Endpoint::connect(std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  if (addresses_.empty()) {
    take(look_up_(target_), Clock::now());
    if (addresses_.empty()) {
      throw std::system_error(std::make_error_code(std::errc::host_unreachable), complaint_);
    }
  }
  auto winner = connect_to_any(addresses_, deadline);
  if (!winner) {
    throw std::system_error(
        winner.error(), std::system_category(),
        "cannot connect to " + target_.host + " port " + std::to_string(target_.port));
  }
  prefer(winner->address);
  return std::move(winner->socket);
}

Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
  return Endpoint({.host = host, .port = port}).connect(timeout);
}

}  // namespace rps::net
