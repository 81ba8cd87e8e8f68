// rps-fleet-load URL CALLS: keeps CALLS rounds open at the servers that the URL names, until stdin
// ends. Every line on stdin is answered on stdout with one of JSON: what has happened so far. What
// only a fleet's client knows of its instances is missing there with any other client.
//
// The rounds are without a session: so each may be played by any instance and be tried again, and
// an answer is right or wrong by itself.
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "bench/load/clients/connect.hpp"
#include "core/fleet/fleet_client.hpp"
#include "core/fleet/metrics_text.hpp"
#include "core/judge.hpp"
#include "core/net/program.hpp"
#include "core/number.hpp"
#include "core/random.hpp"
#include "core/url.hpp"

namespace rps::tests {

namespace {

constexpr std::chrono::milliseconds connect_max{10'000};
constexpr std::chrono::milliseconds tick{5};

class Load final : public Sink {
 public:
  // `fleet` is the same client as `client`, or null when that is no fleet's.
  Load(Client& client, const fleet::FleetClient* fleet, std::size_t calls)
      : client_(client), fleet_(fleet), moves_(calls) {}

  // Until stdin ends and every call is answered.
  void run() {
    for (std::size_t i = 0; i < moves_.size(); ++i) submit(i);
    while (open_ > 0) {
      client_.poll(Clock::now() + tick, *this);
      if (!is_ending_) listen();
    }
  }

  void on_reply(std::uint64_t id, const Reply& reply, const Stamps&) override {
    --open_;
    if (reply.error) {
      ++errors_[std::string(to_string(*reply.error))];
    } else if (reply.result == judge(moves_[id], reply.opponent_move)) {
      ++right_;
    } else {
      ++wrong_;
    }
    if (!is_ending_) submit(id);
  }

  void on_event(const Event&) override {}

 private:
  void submit(std::uint64_t id) {
    random_ = mix(random_);
    moves_[id] = move_at(below(3, random_));
    ++open_;
    client_.submit(id, {.move = moves_[id]});
  }

  void listen() {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, 0) != 1) return;
    char character = 0;
    if (::read(STDIN_FILENO, &character, 1) != 1) {
      is_ending_ = true;
    } else if (character == '\n') {
      report();
    }
  }

  void report() const {
    nlohmann::json all{{"right", right_}, {"wrong", wrong_}, {"errors", errors_}};
    if (fleet_ != nullptr) all.update(describe(*fleet_));
    std::cout << all.dump() << '\n' << std::flush;
  }

  static nlohmann::json describe(const fleet::FleetClient& client) {
    const fleet::Stats& stats = client.stats();
    nlohmann::json instances = nlohmann::json::object();
    for (const fleet::InstanceStatus& status : client.instances()) {
      const bool is_closed = status.breaker == fleet::CircuitBreaker::State::closed;
      instances[status.url] = {{"is_up", status.is_up}, {"breaker_is_closed", is_closed}};
    }
    return {{"instances", instances},
            {"metrics", fleet::metrics_text(stats, client.instances(), client.is_list_current())},
            {"retries", stats.retries},
            {"budget_denied", stats.budget_denied},
            {"breaker_opened", stats.breaker_opened},
            {"connects", stats.connects},
            {"reconnects", stats.reconnects},
            {"connections_ended", stats.connections_ended},
            {"connections_lost", stats.connections_lost},
            {"connect_failures", stats.connect_failures}};
  }

  Client& client_;
  const fleet::FleetClient* fleet_;
  std::vector<Move> moves_;  // Of the call with this id.
  std::uint64_t random_ = 1;
  std::size_t open_ = 0;
  std::uint64_t right_ = 0;
  std::uint64_t wrong_ = 0;
  std::map<std::string, std::uint64_t> errors_;
  bool is_ending_ = false;
};

int run(std::string_view url, std::string_view calls_text) {
  const auto parsed = parse_url(url);
  const auto number = parse_number<std::size_t>(calls_text);
  if (!parsed || !number || *number == 0) {
    throw std::invalid_argument("usage: rps-fleet-load URL CALLS");
  }
  const std::size_t calls = *number;
  const ConnectOptions options{.connections = 1, .depth = calls, .timeout_max = connect_max};
  load::Connection connection = load::connect(url, options);
  Client& client = *connection.client;
  Load(client, dynamic_cast<const fleet::FleetClient*>(&client), calls).run();
  return 0;
}

}  // namespace

}  // namespace rps::tests

int main(int argc, char** argv) {
  return rps::net::run_program("rps-fleet-load", [&] {
    return rps::tests::run(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "");
  });
}
