// rps-conformance URL…: the contract of the game, tried on every server that is named.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "core/flags/group.hpp"
#include "core/net/file.hpp"
#include "core/net/program.hpp"
#include "tests/conformance/suite.hpp"

namespace rps::conformance {

namespace {

using namespace std::chrono_literals;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct Options {
  std::vector<std::string> urls;
  std::optional<Strategy> house;
  std::optional<std::uint64_t> seed;
  std::string only;
  std::chrono::milliseconds patience = Target{}.patience;
  std::string json_file;
  bool list = false;
};

// The options, or the exit code with which to end.
std::optional<int> read_options(int argc, const char* const* argv, Options& options) {
  CLI::App app{"Tries the game's contract on every server that is named by its URL.",
               "rps-conformance"};
  app.add_option("url", options.urls,
                 "jsonrpc://host:port, grpc://host:port, http+rest://host:port, cli:PATH …");
  flags::Group suite(app, "Suite");
  CLI::Option& house = suite.add_choice("--house", options.house, flags::houses(),
                                        "The strategy that all these servers run with");
  suite
      .add_number("--seed", options.seed, {},
                  "The seed that they run with: their transcripts must agree")
      .needs(&house);
  suite.add_text("--only", options.only, "PREFIX", "Only the cases whose names begin so");
  suite.add_duration("--patience", options.patience, {.min = 1ms, .bare = 1ms},
                     "Time after which a missing answer is a failure");
  flags::Group output(app, "Output");
  output.add_text("--json", options.json_file, "FILE", "Write the outcomes to this file, too");
  output.add_switch("--list", options.list, "Print the cases and what they promise");
  if (const auto exit_code = flags::parse(app, argc, argv, "rps-conformance")) return exit_code;
  if (options.urls.empty() && !options.list) {
    std::cerr << "rps-conformance: name at least one server by its URL\n";
    return exit_usage;
  }
  return std::nullopt;
}

std::vector<Case> choose_cases(const Options& options, const Target* first) {
  std::vector<Case> cases;
  const auto append = [&](const std::vector<Case>& more) {
    std::ranges::copy_if(more, std::back_inserter(cases),
                         [&](const Case& test) { return test.name.starts_with(options.only); });
  };
  append(round_cases());
  append(refusal_cases());
  append(duel_cases());
  append(watch_cases());
  append(load_cases());
  if (first && options.house && options.seed) {
    append(transcript_cases(*options.house, *options.seed, *first));
  }
  return cases;
}

std::string cannot_write(const Options& options, const std::error_code& error) {
  return "cannot write " + options.json_file + ": " + error.message();
}

int run(const Options& options) {
  std::vector<Target> targets;
  for (const std::string& url : options.urls) {
    targets.push_back(make_target(url));
    targets.back().patience = options.patience;
  }
  const auto cases = choose_cases(options, targets.empty() ? nullptr : targets.data());
  if (cases.empty()) {
    std::cerr << "rps-conformance: no case's name begins with '" << options.only
              << "'; --list shows the names\n";
    return exit_usage;
  }

  // Tried first: who waited for the suite should not be told then that this cannot be written.
  if (!options.json_file.empty()) {
    if (const std::error_code error = net::try_write_file(options.json_file)) {
      std::cerr << "rps-conformance: " << cannot_write(options, error) << '\n';
      return exit_usage;
    }
  }

  std::array<std::size_t, 3> counts{};
  nlohmann::json results = nlohmann::json::array();
  for (const Case& test : cases) {
    if (options.list) {
      std::cout << std::left << std::setw(32) << test.name << test.promise << '\n';
      continue;
    }
    for (const Target& target : targets) {
      const Outcome outcome = run_case(test, target);
      ++counts[static_cast<std::size_t>(outcome.verdict)];
      std::cout << std::left << std::setw(13) << to_string(outcome.verdict) << std::setw(32)
                << test.name << target.name << (outcome.why.empty() ? "" : ": ") << outcome.why
                << '\n'
                << std::flush;
      results.push_back({{"case", test.name},
                         {"url", target.name},
                         {"verdict", to_string(outcome.verdict)},
                         {"why", outcome.why}});
    }
  }
  if (options.list) return 0;

  const auto [passed, failed, not_offered] = counts;
  std::cout << passed << " passed, " << failed << " failed, " << not_offered << " not offered\n";
  if (!options.json_file.empty()) {
    const nlohmann::json outcomes{
        {"passed", passed}, {"failed", failed}, {"not_offered", not_offered}, {"cases", results}};
    const std::error_code error = net::write_file(options.json_file, outcomes.dump(2) + "\n");
    if (error) throw std::runtime_error(cannot_write(options, error));
  }
  return failed == 0 ? 0 : exit_failed;
}

}  // namespace

}  // namespace rps::conformance

int main(int argc, char** argv) {
  using namespace rps::conformance;
  return rps::net::run_program("rps-conformance", [&] {
    Options options;
    const auto exit_code = read_options(argc, argv, options);
    return exit_code ? *exit_code : run(options);
  });
}
