#include "stage3_grpc/lean/session.hpp"

#include <algorithm>
#include <cassert>
#include <deque>
#include <optional>
#include <vector>

#include "stage3_grpc/lean/connection.hpp"

namespace rps::rpc {

namespace {

// The handle of a call that was not sent.
constexpr std::uint64_t no_handle = UINT64_MAX;

class LeanSession final : public fleet::Session {
 public:
  LeanSession(const LeanHeaders& headers, LeanMessages& messages)
      : messages_(messages), http_(headers, messages, session_calls_max) {}

  bool has_room() const override {
    return http_.has_room() && http_.open_calls() < http_.streams_max();
  }

  bool is_leaving() const override { return http_.is_leaving(); }
  bool is_over() const override { return is_leaving() && open_calls() == 0; }
  std::size_t open_calls() const override { return http_.open_calls() + not_unary_.size(); }
  bool wants_to_write() const override { return http_.wants_to_write(); }
  bool has_news() const override { return !not_unary_.empty() || told_ < http_.ended().size(); }

  std::optional<Clock::time_point> owes_since() const override { return owes_since_; }

  std::uint64_t begin(std::uint32_t call, const Command& command, std::string&) override {
    if (is_of_duel(command.operation)) {
      not_unary_.push_back({.call = call, .operation = command.operation});
      return no_handle;
    }
    has_begun_ = true;
    return http_.begin(call, command);
  }

  bool write(std::string& out, Clock::time_point now) override {
    if (has_begun_ && !owes_since_) owes_since_ = now;
    has_begun_ = false;
    if (!http_.write(out, now)) return false;
    // After a breach of HTTP/2 the connection ends by our own GOAWAY, whatever is open.
    return is_leaving() || !http_.is_over();
  }

  // The peer then sends nothing more of the call, and owes its answer all the same: so a peer that
  // has fallen silent is noticed although all its calls were cancelled.
  void cancel(std::uint64_t handle) override {
    assert(handle != no_handle);
    http_.cancel(handle);
  }

  News read(net::InputBuffer& input, Told& told) override {
    if (!input.empty()) {
      const bool is_well = http_.read(input.bytes());
      input.clear();
      if (!is_well) return News::broken;
      if (http_.open_calls() == http_.ended().size() - told_) owes_since_.reset();
    }
    if (!not_unary_.empty()) return tell_not_unary(told);
    return tell_ended(told);
  }

  News read_end(net::InputBuffer&, Told&) override { return News::broken; }

  void abandon(std::vector<std::uint32_t>& lost,
               std::vector<std::uint32_t>& not_processed) override {
    http_.abandon(Clock::now());
    for (; told_ < http_.ended().size(); ++told_) {
      const auto& [call, fate] = http_.ended()[told_];
      const bool may_be_done =
          fate == LeanConnection::Fate::broken || fate == LeanConnection::Fate::answered;
      (may_be_done ? lost : not_processed).push_back(static_cast<std::uint32_t>(call->id()));
    }
    for (const NotUnary& call : not_unary_) not_processed.push_back(call.call);
  }

 private:
  struct NotUnary {
    std::uint32_t call = 0;
    Operation operation = Operation::join;
  };

  News tell_not_unary(Told& told) {
    told.call = not_unary_.back().call;
    told.reply = {.operation = not_unary_.back().operation, .error = Error::unknown_operation};
    not_unary_.pop_back();
    return News::answered;
  }

  News tell_ended(Told& told) {
    if (told_ == http_.ended().size()) {
      http_.clear_ended();
      told_ = 0;
      return News::nothing;
    }
    const auto [call, fate] = http_.ended()[told_++];
    told.call = static_cast<std::uint32_t>(call->id());
    if (fate == LeanConnection::Fate::answered) told.reply = call->answer(messages_);
    http_.release(*call);
    switch (fate) {
      case LeanConnection::Fate::answered: return News::answered;
      case LeanConnection::Fate::broken: return News::lost;
      case LeanConnection::Fate::not_processed:
      case LeanConnection::Fate::refused: return News::not_processed;
    }
    return News::lost;
  }

  LeanMessages& messages_;
  LeanConnection http_;
  std::size_t told_ = 0;             // Of http_.ended().
  std::vector<NotUnary> not_unary_;  // Not told yet.
  bool has_begun_ = false;           // A call, since the last write().
  std::optional<Clock::time_point> owes_since_;
};

class LeanProtocol final : public fleet::Protocol {
 public:
  LeanProtocol(const HostPort& authority, const std::string& token)
      : headers_(to_string(authority), false, token) {}

  std::unique_ptr<fleet::Session> begin_session() override {
    return std::make_unique<LeanSession>(headers_, messages_);
  }

 private:
  LeanHeaders headers_;
  LeanMessages messages_;
};

}  // namespace

std::unique_ptr<fleet::Protocol> make_session_protocol(const HostPort& authority,
                                                       const std::string& token) {
  return std::make_unique<LeanProtocol>(authority, token);
}

fleet::Wire fleet_wire() {
  return {.scheme = "grpc", .parameters = {"token"}, .make_protocol = [](const Url& instance) {
            return make_session_protocol({.host = instance.host, .port = instance.port},
                                         std::string(instance.find("token").value_or("")));
          }};
}

}  // namespace rps::rpc
