// A subject: what the harness can measure, as data. It is a stage, a variant of a stage, a floor,
// or a function.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "bench/load/loop.hpp"
#include "bench/model/target.hpp"

namespace rps::model {

// A program that is started, and reached by a URL that it prints.
struct Program {
  std::string_view name;
  std::string_view flags;       // Separated by spaces.
  std::string_view more_flags;  // As `flags`, behind them.
  // Whether it also prints an admin port whose rps_observer_active is to be looked at.
  bool has_observer = false;
  bool drops_log = false;  // What it logs is not kept: it is a line for each call.
  // As Target::port.
  std::string_view port;
};

// Of a call, as they cross the wire.
struct CallBytes {
  double request = 0;
  double reply = 0;
};

// In flags and `url`, {bin} stands for the folder of the binaries, {seed} for the run's seed,
// {request} and {reply} for `bytes` less `framing`, {files} for the folder of
// bench/scenarios/trial_files.hpp.
struct Subject {
  std::string_view key;   // In cells' keys and on the command line.
  std::string_view name;  // In tables; at most 24 characters.
  Program server;         // To start; without a name `url` says all.
  std::string_view url;   // As Target::url.
  load::Judging judging = load::Judging::sessions;
  std::size_t rounds_per_call = 1;
  std::size_t instances = 1;             // As Target::instances.
  std::chrono::milliseconds slow_by{0};  // As Target::slow_by.
  Fault fault = Fault::none;             // As Target::fault.
  // The subject that moves the same bytes over the same transport and does nothing else; empty:
  // none.
  std::string_view floor;
  // Of a floor whose sizes can be chosen: how many bytes its calls move when no stage was measured
  // whose floor it is, and how many of those are not in its arguments.
  CallBytes bytes, framing;
  std::string_view moves_like;  // Another floor, whose stage it is measured against; mostly empty.
  std::string_view micro;  // An rps-micro benchmark instead of a server; its load is `function`.
  // What an operator can observe, and which processes must run; empty unless it is a stage.
  std::string_view observability;
  std::string_view deployment;
};

// Null when no subject has this key.
inline const Subject* find_subject(std::span<const Subject> subjects, std::string_view key) {
  const auto found = std::ranges::find(subjects, key, &Subject::key);
  return found == subjects.end() ? nullptr : &*found;
}

}  // namespace rps::model
