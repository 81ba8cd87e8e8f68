// A protocol without a socket: bytes in, bytes out, on a game whose house always throws what a
// fixed seed makes it throw.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/game.hpp"
#include "stage2_jsonrpc/protocol.hpp"

namespace rps::jsonrpc {

class Table final : public Context {
 public:
  explicit Table(const Limits& the_limits = {}) : Context(limits), limits(the_limits) {}

  Reply execute(const Call& call) override {
    ++calls;
    traces.push_back(call.trace);
    return game_.handle(call.command, caller_, Clock::time_point{});
  }
  void count_refusal(Error error) override { errors.push_back(error); }
  bool is_last_turn() const override { return last_turn; }
  bool is_ready() const override { return ready; }
  std::string metrics_text() const override { return "some_metric 1\n"; }
  bool accepts(const net::HttpAuthority& host) const override {
    ++hosts_looked_up;
    return host_names_.accept(host);
  }
  std::string_view http_date() override { return "Thu, 01 Jan 1970 00:00:00 GMT"; }

  // All that goes out for `bytes`, given at once; the first byte ever chooses the protocol.
  std::string answer(std::string_view bytes) {
    std::string out;
    if (bytes.empty()) return out;
    if (!protocol_) protocol_ = make_protocol(bytes.front(), limits);
    last = protocol_->take_messages(bytes, *this, out);
    return out;
  }

  // The same for bytes that come in pieces: the first `first` of them, then `step` at a time.
  std::string answer_cut(std::string_view bytes, std::size_t first, std::size_t step) {
    std::string in;
    std::string out;
    std::size_t at = 0;
    std::size_t size = first;
    do {
      in += bytes.substr(at, size);
      at += size;
      size = step;
      out += answer(in);
      in.erase(0, last.consumed);
    } while (at < bytes.size() && !last.end);
    return out;
  }

  // With both ways of cutting: every position once, and small steps. True when all of them give
  // what `bytes` give at once.
  static bool cuts_do_not_matter(std::string_view bytes, const Limits& limits = {}) {
    const std::string expected = Table(limits).answer(bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      if (Table(limits).answer_cut(bytes, cut, bytes.size()) != expected) return false;
    }
    for (const std::size_t step : {1U, 2U, 3U, 7U}) {
      if (Table(limits).answer_cut(bytes, step, step) != expected) return false;
    }
    return true;
  }

  Protocol& protocol() { return *protocol_; }

  Limits limits;
  bool ready = true;
  bool last_turn = false;
  std::size_t calls = 0;
  mutable std::size_t hosts_looked_up = 0;
  std::vector<std::optional<TraceContext>> traces;  // Of the calls, in order.
  std::vector<Error> errors;
  Progress last;

 private:
  const net::HostNames host_names_{{"h"}};
  Game game_{{.seed = 7}};
  Caller caller_{game_, {}};
  std::unique_ptr<Protocol> protocol_;
};

}  // namespace rps::jsonrpc
