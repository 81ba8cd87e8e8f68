// A subject: what the harness can measure, as data. It is a stage, a variant of a stage, a floor,
// or a function.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include "bench/load/loop.hpp"

namespace rps::model {

// In `flags` and `url`, {bin} stands for the folder of the binaries, {seed} for the run's seed.
struct Subject {
  std::string_view key;     // In cells' keys and on the command line.
  std::string_view name;    // In tables; at most 24 characters.
  std::string_view binary;  // The server to start; empty: `url` says all.
  std::string_view flags;   // The server's own, separated by spaces.
  std::string_view url;     // As Target::url.
  bool has_observer = false;
  load::Judging judging = load::Judging::sessions;
  std::size_t rounds_per_call = 1;
  std::size_t instances = 1;
  // The subject that moves the same bytes over the same transport and does nothing else; empty:
  // none.
  std::string_view floor;
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
