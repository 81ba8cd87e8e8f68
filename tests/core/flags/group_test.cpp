#include "core/flags/group.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/catch.hpp"
#include "tests/core/server/capture.hpp"

namespace rps::flags {

namespace {

using namespace std::chrono_literals;

struct Values {
  int count = 3;
  std::optional<int> cpu;
  std::vector<std::size_t> connections{64};
  std::chrono::milliseconds drain{5000};
  std::chrono::duration<double> seconds{0.5};
  std::size_t bytes = 1 << 20;
  unsigned whole_rate = 0;
  double rate = 2500;
  std::optional<double> share;
  std::optional<bool> choice;
  std::string file;
  std::vector<std::string> words;
  bool is_quiet = false;
};

struct Outcome {
  std::optional<int> exit_code;
  Values values;
  std::string out;
  std::string err;
};

Outcome parse_words(const std::vector<std::string>& words) {
  Outcome outcome;
  Values& values = outcome.values;
  CLI::App app("A program for tests");
  Group one(app, "One");
  one.add_count("--count", values.count, {.min = 1, .max = 9}, "A count");
  one.add_number("--cpu", values.cpu, {.max = 99}, "A number");
  one.add_counts("--connections", values.connections, {.min = 1, .max = 99}, "Counts");
  one.add_duration("--drain", values.drain, {.max = 10min, .bare = 1ms}, "A duration");
  one.add_duration("--seconds", values.seconds, {.max = 1h, .bare = 1s}, "A duration");
  Group other(app, "Other");
  other.add_size("--bytes", values.bytes, {.min = 1, .max = 1 << 30}, "A size");
  other.add_rate("--whole-rate", values.whole_rate, {.min = 0, .max = 1e6}, "A rate");
  other.add_rate("--rate", values.rate, {.min = 0, .max = 1e6}, "A rate");
  other.add_share("--share", values.share, {.min = 0, .max = 1}, "A share");
  other.add_choice("--choice", values.choice, {{"yes", true}, {"no", false}}, "A choice");
  other.add_text("--file", values.file, "FILE", "A text");
  other.add_texts("--word", values.words, "WORD", "Texts");
  other.add_switch("--quiet", values.is_quiet, "A switch");
  std::vector<const char*> argv{"rps-test"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  outcome.out = server::capture(stdout, [&] {
    outcome.err = server::capture(stderr, [&] {
      outcome.exit_code = parse(app, static_cast<int>(argv.size()), argv.data(), "rps-test");
    });
  });
  return outcome;
}

}  // namespace

TEST_CASE("what is not given keeps its default") {
  const Outcome outcome = parse_words({});
  CHECK_FALSE(outcome.exit_code);
  CHECK(outcome.values.count == 3);
  CHECK_FALSE(outcome.values.cpu);
  CHECK(outcome.values.connections == std::vector<std::size_t>{64});
  CHECK_FALSE(outcome.values.share);
  CHECK_FALSE(outcome.values.choice);
}

TEST_CASE("every kind of flag sets its target") {
  const Outcome outcome =
      parse_words({"--count=9", "--cpu", "7", "--connections=1,8,64", "--drain=2m", "--seconds=1.5",
                   "--bytes", "64KiB", "--whole-rate=1.5k", "--rate=0.5", "--share=25%", "--choice",
                   "no", "--file=/tmp/x", "--word=a", "--word=b", "--quiet"});
  INFO(outcome.err);
  REQUIRE_FALSE(outcome.exit_code);
  const Values& values = outcome.values;
  CHECK(values.count == 9);
  CHECK(values.cpu == 7);
  CHECK(values.connections == std::vector<std::size_t>{1, 8, 64});
  CHECK(values.drain == 2min);
  CHECK(values.seconds.count() == 1.5);
  CHECK(values.bytes == 65'536);
  CHECK(values.whole_rate == 1500);
  CHECK(values.rate == 0.5);
  CHECK(values.share == 0.25);
  CHECK(values.choice == false);
  CHECK(values.file == "/tmp/x");
  CHECK(values.words == std::vector<std::string>{"a", "b"});
  CHECK(values.is_quiet);
}

TEST_CASE("a mistake is one line that names program, flag and range, and exit code 2") {
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"--count=10", "rps-test: --count: must be a whole number from 1 to 9, not '10'\n"},
      {"--cpu=-1", "rps-test: --cpu: must be a whole number from 0 to 99, not '-1'\n"},
      {"--connections=1,0",
       "rps-test: --connections: must be a whole number from 1 to 99, not '0'\n"},
      {"--drain=0.5",
       "rps-test: --drain: must be a duration from 0s to 10m in steps of 1ms, not '0.5'\n"},
      {"--seconds=2h", "rps-test: --seconds: must be a duration from 0s to 1h, not '2h'\n"},
      {"--bytes=2GiB", "rps-test: --bytes: must be a size from 1B to 1GiB, not '2GiB'\n"},
      {"--whole-rate=0.5",
       "rps-test: --whole-rate: must be a whole number of calls a second, not '0.5'\n"},
      {"--rate=2M", "rps-test: --rate: must be a rate from 0 to 1M, not '2M'\n"},
      {"--share=2", "rps-test: --share: must be a share from 0% to 100%, not '2'\n"},
      {"--choice=maybe", "rps-test: --choice: must be one of yes|no, not 'maybe'\n"},
      {"--count", "rps-test: --count: takes one value, once\n"}};
  for (const auto& [word, sentence] : mistakes) {
    INFO(word);
    const Outcome outcome = parse_words({word});
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.err == sentence);
    CHECK(outcome.out.empty());
  }
  CHECK(parse_words({"--count=1", "--count=2"}).exit_code == 2);
  CHECK(parse_words({"--no-such-flag"}).err.contains("--no-such-flag"));
}

TEST_CASE("help shows headings, kinds, defaults, ranges and spellings") {
  const Outcome outcome = parse_words({"--help"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  for (const char* text : {"One:",
                           "Other:",
                           "--count COUNT [3]",
                           "A count (1 to 9)",
                           "--cpu NUMBER ",
                           "--connections COUNT,… [64]",
                           "--drain DURATION [5s]",
                           "(0s to 10m)",
                           "--seconds DURATION [500ms]",
                           "--bytes SIZE [1MiB]",
                           "(1B to 1GiB)",
                           "--whole-rate RATE [0]",
                           "--rate RATE [2500]",
                           "(0 to 1M)",
                           "--share SHARE ",
                           "(0% to 100%)",
                           "--choice yes|no ",
                           "--file FILE ",
                           "--quiet",
                           "DURATION: 500ms"}) {
    INFO(text);
    CHECK(outcome.out.contains(text));
  }
}

TEST_CASE("a reloadable flag says so in help and to the program") {
  int depth = 1;
  int size = 1;
  CLI::App app("A program for tests");
  Group group(app, "Group");
  group.add_count("--depth", depth, {.max = 9}, "A depth");
  group.reloadable().add_count("--size", size, {.max = 9}, "A size");
  group.add_count("--width", depth, {.max = 9}, "A width");
  CHECK(app.help().contains("A size (0 to 9); reloadable"));
  CHECK(app.help().find("reloadable") == app.help().rfind("reloadable"));
  std::vector<std::string> reloadable;
  for (const FlagValue& value : values_of(app)) {
    if (value.is_reloadable) reloadable.push_back(value.name);
  }
  CHECK(reloadable == std::vector<std::string>{"--size"});
}

TEST_CASE("values that mean the same are told as the same") {
  const auto told = [](const std::vector<const char*>& words) {
    std::chrono::milliseconds drain{5000};
    std::optional<int> cpu;
    std::optional<bool> choice;
    std::vector<std::string> names;
    std::string other = "x";
    bool is_quiet = false;
    CLI::App app("A program for tests");
    Group group(app, "Group");
    group.add_duration("--drain", drain, {.max = 10min, .bare = 1ms}, "A duration");
    group.add_number("--cpu", cpu, {.max = 99}, "A number");
    group.add_choice("--choice", choice, {{"yes", true}, {"no", false}}, "A choice");
    group.add_texts("--name", names, "NAME", "Texts");
    group.add_switch("--quiet", is_quiet, "A switch");
    group.add("--other", "WORD", other, "A word", [](const std::string&) { return ""; });
    std::vector<const char*> argv{"rps-test"};
    argv.insert(argv.end(), words.begin(), words.end());
    REQUIRE_FALSE(read(app, static_cast<int>(argv.size()), argv.data()));
    std::string text;
    for (const FlagValue& value : values_of(app)) text += value.name + "=" + value.value + " ";
    return text;
  };
  CHECK(told({}) == "--help= --drain=5s --cpu= --choice= --name=[] --quiet=false --other=x ");
  CHECK(told({"--drain=5000", "--other=x"}) == told({}));
  CHECK(told({"--drain=1500", "--cpu=010", "--choice=no", "--name=a", "--name=b", "--quiet",
              "--other=y"}) ==
        "--help= --drain=1500ms --cpu=10 --choice=no --name=[a,b] --quiet=true --other=y ");
}

}  // namespace rps::flags
