// The machine, the build and the settings with which a run was measured. A figure can be compared
// only with figures of a like environment.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rps::machine {

struct Environment {
  std::string date;      // RFC 3339, UTC.
  std::string kernel;    // "Linux 6.1.0 x86_64"
  std::string cpu;       // The model's name.
  std::string compiler;  // What built the harness, and with it the servers beside it.
  std::string build;     // "Release"
  std::string revision;  // The source's commit, "+" behind it when it was edited; may be empty.
  std::string warning;   // Why its numbers mean nothing; empty when they do. See build_warning().
  unsigned cores = 0;    // That the machine has online.

  // Other properties of the machine that can change a figure, by name, in the order in which
  // reports show them; a property that the machine does not report is empty.
  std::vector<std::pair<std::string, std::string>> details;

  bool operator==(const Environment&) const = default;
};

Environment read_environment();

// Why the numbers of this build mean nothing (assertions, sanitizers); empty when they do.
std::string build_warning();

}  // namespace rps::machine
