// From a target named on the command line to the cells to be measured.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "bench/model/run.hpp"
#include "bench/model/subject.hpp"
#include "bench/model/target.hpp"
#include "bench/scenarios/runner.hpp"

namespace rps::scenarios {

// The path as it stands in a URL: what would end or change it there is escaped.
std::string path_in_url(const std::filesystem::path& path);

// How `subject` is reached; its binary stands in `binaries`. `bytes` are those of a floor's calls.
model::Target target_of(const model::Subject& subject, const std::filesystem::path& binaries,
                        std::uint64_t seed, const model::CallBytes& bytes);

// What to run in the folder of the binaries to start the server again: its command line, or the
// URL.
std::string command_of(const model::Target& target, const std::filesystem::path& binaries);

// Empty when it can be measured here, else why not: "not built here", "cannot make a
// pseudo-terminal: No such file or directory". A program that is there and cannot be executed is no
// such reason: to start it fails. Whether the kernel permits an observer shows only when its server
// starts.
std::string why_not(const model::Subject& subject, const std::filesystem::path& binaries);

// Whether it is a function that two threads run, each of which waits for the other without
// sleeping: on one CPU its time says nothing.
bool needs_two_cpus(const model::Subject& subject);

// A target without a load.
struct NamedTarget {
  std::string key;  // A subject's, or the URL.
  std::string name;
  std::string command;  // As Cell::command.
  std::string floor;    // As Cell::floor.
  model::Target target;

  // A cell of it.
  PlannedCell at(const model::Load& load, std::size_t rounds) const;
};

NamedTarget named(const model::Subject& subject, const std::filesystem::path& binaries,
                  std::uint64_t seed);

// Has the calls of a floor move so many bytes. Nothing happens to a floor whose sizes cannot be
// chosen. REQUIRES: `floor` is a cell of `subject`.
void fit_floor(PlannedCell& floor, const model::Subject& subject,
               const std::filesystem::path& binaries, std::uint64_t seed,
               const model::CallBytes& bytes);

// `text` is the key of a subject (`grpc`), whose server is started, or the URL of a server that is
// running already. The error is a sentence.
std::expected<NamedTarget, std::string> parse_target(std::string_view text,
                                                     const std::filesystem::path& binaries,
                                                     std::uint64_t seed);

// How the answers of a URL's server are to be checked, from the URL's scheme and query.
model::Target target_of_url(std::string_view url);

}  // namespace rps::scenarios
