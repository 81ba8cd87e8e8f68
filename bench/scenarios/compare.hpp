// `rps-bench compare`: the four stages, their variants and their floors, for all of the articles'
// tables, in one run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/scenarios/runner.hpp"

namespace rps::scenarios {

struct Profile {
  std::string_view name;
  std::string_view about;    // How long it takes, for --help.
  std::size_t rounds;        // Of the cells that a claim hangs on …
  std::size_t minor_rounds;  // … and of the others.
  double seconds;
  double warmup;
  double open_seconds;  // Of each point of the open loops; 0 leaves them out.
  std::size_t sweep_rounds;
  bool is_published = false;  // Measures the tables that only what is published has, too.
};

inline constexpr std::array<Profile, 3> profiles{{
    {.name = "default",
     .about = "4 minutes",
     .rounds = 7,
     .minor_rounds = 3,
     .seconds = 0.4,
     .warmup = 0.15,
     .open_seconds = 0.8,
     .sweep_rounds = 1},
    {.name = "ci",
     .about = "half a minute, to see that all of it works",
     .rounds = 1,
     .minor_rounds = 1,
     .seconds = 0.25,
     .warmup = 0.1,
     .open_seconds = 0.3,
     .sweep_rounds = 1},
    {.name = "publish",
     .about = "20 minutes",
     .rounds = 10,
     .minor_rounds = 7,
     .seconds = 1,
     .warmup = 0.3,
     .open_seconds = 1.5,
     .sweep_rounds = 2,
     .is_published = true},
}};

struct CompareOptions {
  Profile profile = profiles.front();
  std::vector<std::string> tables;    // Keys; empty: those of the profile.
  std::vector<std::string> subjects;  // Only these; empty: all.
};

// The keys of the tables that are measured.
std::vector<std::string> tables_of(const CompareOptions& options);

// Adds to the run, whose plan says seed and CPUs, the cells of the tables; then, for the stages,
// how they answer more connections, and open loops at shares of what each answered. The plan's
// rounds and times are taken from the profile.
void run_compare(Measurement& measurement, const CompareOptions& options);

}  // namespace rps::scenarios
