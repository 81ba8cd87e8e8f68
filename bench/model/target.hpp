// The target and the load of a cell, as data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/load/loop.hpp"
#include "bench/load/schedule.hpp"

namespace rps::model {

// What is done to the first of a target's servers in the window: scenarios/fault.hpp says when.
enum class Fault : std::uint8_t {
  none,
  kill,    // It is killed, and started again at its address.
  freeze,  // It is stopped (SIGSTOP), and goes on.
};

// What to measure: a server to be started, a URL, or a function that rps-micro times.
struct Target {
  // Started for the trial; prints the URL that reaches it. Empty when `url` says all.
  std::vector<std::string> server;
  std::size_t instances = 1;  // Of `server`. Several are reached as `url` says.
  // Of the first instance, when it is not zero: a relay before it holds its answers back for so
  // long.
  std::chrono::milliseconds slow_by{0};
  Fault fault = Fault::none;
  // Without `server` the whole URL. Otherwise what is put together with the printed one: a scheme
  // to take its place ("grpc+lean:") and a query to be added ("?codec=binary"), either may be
  // empty. Several instances stand in a list in a file, which the fleet's client follows; or, with
  // a scheme here, one behind the other in one URL, which gRPC's own channel balances over.
  std::string url;
  // Whether `server` was given an admin port whose rps_observer_active is to be looked at.
  bool has_observer = false;
  bool drops_log = false;  // What `server` logs is not kept.
  // The word before the URL to use, in a line that `server` prints behind its own URL and its admin
  // port: "rest". Empty: its own URL is used.
  std::string port;
  load::Judging judging = load::Judging::sessions;
  std::size_t rounds_per_call = 1;
  // Whose processor time is the server's when the harness did not start it. May be empty.
  std::vector<pid_t> pids;
  // An rps-micro benchmark by its exact name; then all of the above is unused.
  std::string micro;
};

// The load on a target.
struct Load {
  std::size_t connections = 1;
  std::size_t depth = 1;    // Calls open on each at once, at most.
  load::Schedule schedule;  // Without phases: a closed loop.
  // Open beside those connections, as load/bystanders.hpp says.
  std::size_t idle = 0;
  std::size_t slow = 0;

  // A function is called, not loaded.
  bool is_function() const { return connections == 0; }
  std::size_t slots() const { return connections * depth; }
  bool operator==(const Load&) const = default;
};

}  // namespace rps::model
