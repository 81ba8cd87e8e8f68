// From a decoded call to its reply: refuses calls above the limits, has the game execute the
// others, and counts the outcomes. Every serving thread has one dispatcher for all its connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/game.hpp"
#include "core/net/http.hpp"
#include "core/token_bucket.hpp"
#include "stage2_jsonrpc/overload.hpp"
#include "stage2_jsonrpc/protocol.hpp"
#include "stage2_jsonrpc/shared.hpp"

namespace rps::jsonrpc {

class Dispatcher final : public Context {
 public:
  // REQUIRES: `shared` outlives this.
  explicit Dispatcher(Shared& shared);

  // A turn of a connection.
  struct Turn {
    Caller& caller;         // Makes the calls of the turn.
    TokenBucket* bucket;    // Limits the calls of the connection's peer; null means no limit.
    Clock::time_point now;  // The time of all its calls.
    bool is_last = false;   // See Context::is_last_turn().
  };

  // Called at the beginning and the end of each turn. REQUIRES: the caller and the bucket live
  // until end_turn().
  void begin_turn(const Turn& turn);
  void end_turn();

  // The thread has served each connection that was ready one turn, in the time `took`.
  void pass_took(Clock::duration took) { overload_.pass_took(took); }

  // From now on every call is answered with the error `unavailable`.
  void stop_executing() { is_stopped_ = true; }

  // Context. execute() and count_refusal() are called between begin_turn() and end_turn() only.
  Reply execute(const Call& call) override;
  void count_refusal(Error error) override { count({}, error); }
  bool is_last_turn() const override { return is_last_turn_; }
  bool is_ready() const override { return !is_stopped_; }
  std::string metrics_text() const override { return shared_.metrics.text(); }
  bool accepts(const net::HttpAuthority& host) const override {
    return shared_.host_names.accept(host);
  }
  std::string_view http_date() override { return http_date_.now(); }

 private:
  // Consecutive calls with the same operation and the same outcome. In a pipeline these are nearly
  // all calls of a turn, and the metrics are updated once for all of them.
  struct Outcomes {
    std::optional<Operation> operation;
    std::optional<Error> error;
    std::uint32_t count = 0;
  };

  std::optional<Reply> refuse(const Command& command);
  void count(std::optional<Operation> operation, std::optional<Error> error);
  void log_traced(const Call& call, const Reply& reply);

  Shared& shared_;
  Overload overload_;
  const CallRate peer_rate_;  // Of a turn's bucket.
  TokenBucket trace_lines_;
  net::HttpDate http_date_;
  bool is_stopped_ = false;

  // Of the turn that runs.
  Caller* caller_ = nullptr;
  TokenBucket* bucket_ = nullptr;
  Clock::time_point now_;
  bool is_last_turn_ = false;
  std::size_t calls_ = 0;
  std::vector<Outcomes> outcomes_;
};

}  // namespace rps::jsonrpc
