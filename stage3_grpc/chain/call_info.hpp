// What the links of the chain know of a call, and what they say about it. Nothing here is gRPC's:
// any transport that fills in a CallInfo can stand behind the chain.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/trace.hpp"

namespace rps::rpc::chain {

// The transport's side of one call. Only links that are on ask it, so that nothing is looked up or
// allocated for links that are off. Views stay valid until the call is over.
class Transport {
 public:
  // A header of the request by its name, in lower case. Nothing when it is absent, or there more
  // than once, because then nobody can say which one is meant.
  virtual std::optional<std::string_view> header(std::string_view name) = 0;

  // The address at the other end of the connection, as gRPC spells it: "ipv4:127.0.0.1:4242",
  // "ipv6:%5B::1%5D:4242".
  virtual std::string_view peer() = 0;

  // The identity that the connection's client certificate has proved; null when there is none.
  virtual std::shared_ptr<const std::string> certificate_identity() = 0;

  // Sends a field behind the response.
  virtual void add_trailer(const std::string& name, const std::string& value) = 0;

 protected:
  ~Transport() = default;
};

// A set of operations.
class Operations {
 public:
  constexpr Operations() = default;
  static constexpr Operations all() {
    Operations every;
    for (const Operation operation : all_operations) every.add(operation);
    return every;
  }

  constexpr void add(Operation operation) { bits_ |= bit(operation); }
  constexpr bool contains(Operation operation) const { return (bits_ & bit(operation)) != 0; }
  constexpr bool operator==(const Operations&) const = default;

 private:
  static constexpr std::uint32_t bit(Operation operation) {
    return std::uint32_t{1} << static_cast<unsigned>(operation);
  }

  std::uint32_t bits_ = 0;
};

// Who calls, and what that caller may do.
struct Identity {
  std::shared_ptr<const void> owner;  // Keeps the name.
  std::string_view name;
  Operations allowed;
};

// One call. A stream passes the chain with each message that it receives; the first two members
// stay, the next two are those of the message, and what links have found out is kept for the next
// message. One thread at a time uses it.
struct CallInfo {
  Transport& transport;
  std::string_view method;             // "/rps.v1.RockPaperScissorsService/Play"; a constant.
  std::optional<Operation> operation;  // None when the message could not be read.
  Clock::time_point began_at;          // When the message began to be decoded.

  std::optional<Identity> identity;   // Auth
  std::optional<TraceContext> trace;  // Trace. Its parent id is this server's part of the trace.
  bool has_looked_for_trace = false;  // Trace
  bool has_place = false;             // RateLimit: counts among the calls in progress.
};

// Why a link refuses a message.
struct Refusal {
  Error error = Error::internal;
  std::uint32_t retry_after_ms = 0;  // With Error::overloaded.
};

// How the answer to a message turned out.
struct Outcome {
  std::optional<Error> error;
  Clock::time_point ended_at;  // When its encoded answer was handed over to be sent.
};

}  // namespace rps::rpc::chain
