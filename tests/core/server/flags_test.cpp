#include "core/server/flags.hpp"

#include <fstream>
#include <initializer_list>
#include <vector>

#include <CLI/CLI.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/server/limits.hpp"
#include "tests/catch.hpp"
#include "tests/core/server/capture.hpp"

namespace rps::server {

namespace {

struct Outcome {
  std::expected<ServerFlags, int> flags;
  std::string out;
  std::string err;
};

Outcome parse(
    const std::vector<std::string>& words,
    const std::function<void(CLI::App&)>& add_flags = [](CLI::App&) {}) {
  std::vector<const char*> argv{"rps-test"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  const Program program{.name = "rps-test", .description = "A server for tests"};
  Outcome outcome;
  outcome.out = capture(stdout, [&] {
    outcome.err = capture(stderr, [&] {
      const auto settings =
          parse_flags(static_cast<int>(argv.size()), argv.data(), program, add_flags);
      if (settings) {
        outcome.flags = settings->server;
      } else {
        outcome.flags = std::unexpected(settings.error());
      }
    });
  });
  return outcome;
}

// A configuration file that goes when the test does.
class TestFile {
 public:
  explicit TestFile(const std::string& text) {
    const net::Fd made(::mkstemp(path_.data()));
    std::ofstream(path_) << text;
  }
  ~TestFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/rps-flags-test-XXXXXX";
};

// Refused with exit code 2 and one line on stderr that has all of `words`; nothing on stdout.
void check_refused(const Outcome& outcome, std::initializer_list<std::string> words) {
  REQUIRE_FALSE(outcome.flags.has_value());
  CHECK(outcome.flags.error() == 2);
  CHECK(outcome.out.empty());
  INFO(outcome.err);
  REQUIRE_FALSE(outcome.err.empty());
  CHECK(outcome.err.find('\n') == outcome.err.size() - 1);
  CHECK(outcome.err.starts_with("rps-test: "));
  for (const std::string& word : words) {
    INFO(word);
    CHECK(outcome.err.contains(word));
  }
}

}  // namespace

TEST_CASE("flags have defaults") {
  const Outcome outcome = parse({});
  REQUIRE(outcome.flags.has_value());
  CHECK(outcome.err.empty());
  const ServerFlags& flags = *outcome.flags;
  CHECK(to_string(flags.listen) == "127.0.0.1:0");
  CHECK(flags.threads == 0);
  CHECK_FALSE(flags.admin.has_value());
  CHECK(flags.game.house == Strategy::fair);
  CHECK_FALSE(flags.game.seed.has_value());
  CHECK(flags.game.sessions_max == rps::limits::sessions_default);
  CHECK(flags.log.level == LogLevel::info);
  CHECK(flags.log.format == LogFormat::text);
  CHECK(flags.drain_max == std::chrono::milliseconds(5000));
}

TEST_CASE("every flag is read") {
  const Outcome outcome = parse({"--listen",
                                 "[::1]:7000",
                                 "--threads=256",
                                 "--house",
                                 "markov",
                                 "--seed",
                                 "18446744073709551615",
                                 "--admin",
                                 "localhost:0",
                                 "--log-level",
                                 "off",
                                 "--log-format",
                                 "json",
                                 "--max-sessions",
                                 "1",
                                 "--session-idle",
                                 "1",
                                 "--max-duels",
                                 "1000000",
                                 "--max-spectators",
                                 "1",
                                 "--max-spectators-per-duel",
                                 "1000000",
                                 "--duel-idle",
                                 "2592000",
                                 "--drain",
                                 "0"});
  INFO(outcome.err);
  REQUIRE(outcome.flags.has_value());
  const ServerFlags& flags = *outcome.flags;
  CHECK(to_string(flags.listen) == "[::1]:7000");
  CHECK(flags.threads == 256);
  CHECK(flags.game.house == Strategy::markov);
  CHECK(flags.game.seed == 18446744073709551615u);
  REQUIRE(flags.admin.has_value());
  CHECK(to_string(*flags.admin) == "localhost:0");
  CHECK(flags.log.level == LogLevel::off);
  CHECK(flags.log.format == LogFormat::json);
  CHECK(flags.game.sessions_max == 1);
  CHECK(flags.game.session_idle == std::chrono::seconds(1));
  CHECK(flags.game.duels_max == 1'000'000);
  CHECK(flags.game.spectators_max == 1);
  CHECK(flags.game.spectators_per_duel_max == 1'000'000);
  CHECK(flags.game.duel_idle == limits::idle_max);
  CHECK(flags.drain_max.count() == 0);
}

TEST_CASE("a duration has a unit or counts what the flag says") {
  const std::vector<std::pair<std::string, std::chrono::milliseconds>> drains{
      {"250", std::chrono::milliseconds(250)},   {"250ms", std::chrono::milliseconds(250)},
      {"1.5s", std::chrono::milliseconds(1500)}, {"5000us", std::chrono::milliseconds(5)},
      {"2m", std::chrono::minutes(2)},           {"10m", limits::drain_max}};
  for (const auto& [text, duration] : drains) {
    INFO(text);
    const Outcome outcome = parse({"--drain", text});
    REQUIRE(outcome.flags.has_value());
    CHECK(outcome.flags->drain_max == duration);
    const TestFile file("drain = " + text + "\n");
    CHECK(parse({"--config", file.path()}).flags.value().drain_max == duration);
    const TestFile quoted("drain = \"" + text + "\"\n");
    CHECK(parse({"--config", quoted.path()}).flags.value().drain_max == duration);
  }
  const std::vector<std::pair<std::string, std::chrono::milliseconds>> idles{
      {"90", std::chrono::seconds(90)},
      {"90s", std::chrono::seconds(90)},
      {"1500ms", std::chrono::milliseconds(1500)},
      {"2h", std::chrono::hours(2)},
      {"720h", limits::idle_max}};
  for (const auto& [text, duration] : idles) {
    INFO(text);
    CHECK(parse({"--session-idle", text}).flags.value().game.session_idle == duration);
    CHECK(parse({"--duel-idle", text}).flags.value().game.duel_idle == duration);
  }
}

TEST_CASE("a refusal tells what is allowed") {
  check_refused(parse({"--drain", "11m"}),
                {"--drain: must be a duration from 0s to 10m in steps of 1ms, not '11m'"});
  check_refused(parse({"--threads", "257"}),
                {"--threads: must be a whole number from 0 to 256, not '257'"});
  check_refused(parse({"--house", "unfair"}),
                {"--house: must be one of fair|weighted|cycle|mirror|markov, not 'unfair'"});
}

TEST_CASE("help shows the flags in groups, with their defaults in the units of the dialect") {
  const std::string help = parse({"--help"}).out;
  for (const char* text :
       {"Network:", "Game:", "Limits:", "Timeouts:", "Log:", "--listen HOST:PORT [127.0.0.1:0]",
        "--threads COUNT [0]", "--house fair|weighted|cycle|mirror|markov [fair]", "--seed NUMBER",
        "--max-sessions COUNT [100000]", "--session-idle DURATION [30m]",
        "--duel-idle DURATION [10m]", "--drain DURATION [5s]", "(0s to 10m)", "DURATION: 500ms",
        "--log-level debug|info|warn|error|off [info]", "--log-format text|json [text]"}) {
    INFO(text);
    CHECK(help.contains(text));
  }
}

TEST_CASE("two servers without a seed have different secrets") {
  const Outcome one = parse({});
  const Outcome two = parse({});
  CHECK(one.flags->game.secret != two.flags->game.secret);
}

TEST_CASE("a bad value is refused in one sentence that names the flag") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> bad{
      {"--listen", {"", "7000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", ":1", "[::1:1"}},
      {"--threads", {"", "257", "-1", "two", "1.5", "0x10", " 1", "1 ", "+1", "1e2"}},
      {"--house", {"", "FAIR", "unfair", "0"}},
      {"--seed", {"", "-1", "18446744073709551616", "abc", "0x10", "+5", "1.0", "1k"}},
      {"--admin", {"", "9100", "localhost", "localhost:x"}},
      {"--log-level", {"", "loud", "INFO"}},
      {"--log-format", {"", "xml"}},
      {"--max-sessions", {"", "0", "10000001", "many", "1e3", "1k", "1KiB"}},
      {"--session-idle", {"", "0", "2592001", "721h", "999ms", "1d", "1 h"}},
      {"--max-duels", {"", "0", "1000001"}},
      {"--duel-idle", {"", "0", "2592001", "1H"}},
      {"--drain", {"", "-1", "600001", "11m", "1.5", "100us", "5 s", "5S", "0x5", "+5", "inf"}},
  };
  for (const auto& [flag, values] : bad) {
    for (const std::string& value : values) {
      INFO(flag << " '" << value << "'");
      check_refused(parse({flag, value}), {flag});
      check_refused(parse({std::string(flag).append("=").append(value)}), {flag});
    }
  }
}

TEST_CASE("what is no flag, has no value or comes twice is refused") {
  check_refused(parse({"--lisen", "127.0.0.1:0"}), {"--lisen"});
  check_refused(parse({"serve"}), {"serve"});
  check_refused(parse({"--threads"}), {"--threads"});
  check_refused(parse({"--threads", "1", "--threads", "2"}), {"--threads"});
}

TEST_CASE("help and version end the process well") {
  const Outcome help = parse({"--help"});
  CHECK(help.flags.error() == 0);
  CHECK(help.err.empty());
  for (const char* flag : {"--config", "--listen", "--threads", "--house", "--seed", "--admin",
                           "--log-level", "--log-format", "--max-sessions", "--session-idle",
                           "--max-duels", "--duel-idle", "--drain", "--version"}) {
    INFO(flag);
    CHECK(help.out.contains(flag));
  }
  const Outcome version = parse({"--version"});
  CHECK(version.flags.error() == 0);
  CHECK(version.out.starts_with("rps-test "));
}

TEST_CASE("a file gives flags by the same names, and argv wins") {
  const TestFile file(
      "# The house of the tests.\n"
      "listen = \"127.0.0.1:7001\"\n"
      "threads = 3\n"
      "house=cycle\n"
      "seed = 7\n");
  const Outcome outcome = parse({"--config", file.path(), "--threads", "4"});
  INFO(outcome.err);
  REQUIRE(outcome.flags.has_value());
  CHECK(outcome.flags->listen.port == 7001);
  CHECK(outcome.flags->threads == 4);
  CHECK(outcome.flags->game.house == Strategy::cycle);
  CHECK(outcome.flags->game.seed == 7);
}

TEST_CASE("a server is listed under the address that clients connect to") {
  CHECK(advertised_url("grpc://127.0.0.1:7001", "") == "grpc://127.0.0.1:7001");
  CHECK(advertised_url("grpc://0.0.0.0:7001", "game.example") == "grpc://game.example:7001");
  CHECK(advertised_url("grpc://[::]:7001", "[::1]") == "grpc://[::1]:7001");
  CHECK(advertised_url("grpc://[::]:7001", "game.example:80") == "grpc://game.example:80");
  CHECK_THROWS_AS(advertised_url("grpc://0.0.0.0:7001", ""), std::invalid_argument);
  CHECK_THROWS_AS(advertised_url("grpc://[::]:7001", ""), std::invalid_argument);
}

TEST_CASE("a program without a directory service refuses to register") {
  const Outcome outcome = parse({"--register=etcd://127.0.0.1:2379/rps"});
  CHECK(outcome.flags.error() == 2);
  CHECK_THAT(outcome.err, Catch::Contains("no client for a directory service"));
}

TEST_CASE("names of the server come from --host and from the address") {
  const TestFile file("host = [\"a.example\", \"b.example\"]\n");
  const auto names = [](const Outcome& outcome, const std::string& at) {
    return host_names(outcome.flags.value(), {.host = at, .port = 1});
  };
  for (const Outcome& outcome :
       {parse({"--host", "a.example", "--host=b.example"}), parse({"--config", file.path()})}) {
    INFO(outcome.err);
    CHECK(names(outcome, "::").accept({.host = "a.example"}));
    CHECK(names(outcome, "::").accept({.host = "b.example"}));
    CHECK_FALSE(names(outcome, "::").accept({.host = "c.example"}));
    CHECK(names(outcome, "c.example").accept({.host = "c.example"}));
  }
  for (const char* name : {"", "a b", "a.example:80", "[::1]", "http://a.example"}) {
    check_refused(parse({"--host", name}), {"--host"});
  }
}

TEST_CASE("a mistake in the file is refused as one in argv is") {
  const auto with = [](const std::string& text) {
    INFO(text);
    const TestFile file(text);
    return parse({"--config", file.path()});
  };
  check_refused(with("threads = 257\n"), {"--threads", "257"});
  check_refused(with("house = foul\n"), {"--house", "foul"});
  check_refused(with("threads =\n"), {"--config: line 1: the key 'threads' has no value"});
  check_refused(with("threads\n"), {"--config: line 1: the key 'threads' has no '='"});
  check_refused(with("threads = [1, 2]\n"), {"--threads"});
  check_refused(with("threads = 1\nhouse = fair\nthreads = 2\n"), {"threads"});
  check_refused(with(std::string("a\0b\n", 4)), {"the key 'a\\u0000b' has no '='"});
  check_refused(with(std::string(1000, 'k') + "\n"),
                {"'" + std::string(64, 'k') + "…' has no '='"});
  check_refused(with("treads = 2\n"), {"--config", "treads"});
  check_refused(with("[game]\nhouse = fair\n"), {"--config", "game"});
  check_refused(with("config = other.toml\n"), {"--config"});
  check_refused(with("version = true\n"), {"--config", "version"});
  check_refused(parse({"--config", "/nonexistent/rps.toml"}),
                {"--config", "/nonexistent/rps.toml"});
  check_refused(parse({"--config", "/tmp"}), {"--config", "/tmp"});
  check_refused(parse({"--config", ""}), {"--config"});
}

TEST_CASE("a file without end is refused unread, and so is one past a mebibyte") {
  check_refused(parse({"--config", "/dev/zero"}), {"--config", "'/dev/zero' is no regular file"});
  const std::string pipe = "/tmp/rps-flags-pipe-" + std::to_string(::getpid());
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  check_refused(parse({"--config", pipe}), {"--config", pipe, "is no regular file"});
  ::unlink(pipe.c_str());

  const std::string line = "threads = 3\n";
  const auto of_size = [&](std::size_t size) {
    std::string text = line;
    while (text.size() + 80 < size) text += "#" + std::string(78, '-') + "\n";
    return text + "#" + std::string(size - text.size() - 1, '-');
  };
  const TestFile largest(of_size(limits::config_bytes_max));
  CHECK(parse({"--config", largest.path()}).flags.value().threads == 3);
  const TestFile too_large(of_size(limits::config_bytes_max + 1));
  check_refused(parse({"--config", too_large.path()}), {"--config", "is larger than 1MiB"});
}

TEST_CASE("a stage's own flags share parser, help and file") {
  int frames = 0;
  const auto add = [&frames](CLI::App& app) { app.add_option("--max-frames", frames, "Frames"); };
  CHECK(parse({"--help"}, add).out.contains("--max-frames"));
  const TestFile file("max-frames = 5\n");
  REQUIRE(parse({"--config", file.path()}, add).flags.has_value());
  CHECK(frames == 5);
  check_refused(parse({"--max-frames", "x"}, add), {"--max-frames"});
}

}  // namespace rps::server
