#include "core/server/log.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <spdlog/logger.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "core/server/limits.hpp"
#include "tests/catch.hpp"
#include "tests/core/server/capture.hpp"
#include "tests/core/server/log_file.hpp"

namespace rps::server {

namespace {

template <class Use>
std::string logged(const LogOptions& options, Use use, const std::string& name = "rps-test") {
  return capture(stderr, [&] { use(Log(name, options).logger()); });
}

// As long as it lives, the process may not make a file greater than `bytes`.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

constexpr LogOptions json{.level = LogLevel::debug, .format = LogFormat::json};

nlohmann::json json_of(const std::string& message) {
  const std::string text =
      logged(json, [&](spdlog::logger& log) { log.info(spdlog::string_view_t(message)); });
  REQUIRE(lines_of(text).size() == 1);
  return nlohmann::json::parse(text);
}

void say_all(spdlog::logger& log) {
  log.debug("m");
  log.info("m");
  log.warn("m");
  log.error("m");
  log.critical("m");
}

}  // namespace

TEST_CASE("a JSON line has time, level, logger and message") {
  const nlohmann::json line = json_of("hello");
  CHECK(line.size() == 4);
  CHECK(line.at("level") == "info");
  CHECK(line.at("logger") == "rps-test");
  CHECK(line.at("message") == "hello");
  std::string time = line.at("time");
  std::ranges::replace_if(time, [](char c) { return c >= '0' && c <= '9'; }, '0');
  CHECK(time == "0000-00-00T00:00:00.000Z");
}

TEST_CASE("a JSON line is valid for every byte, and well-formed text survives") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string message = {'a', static_cast<char>(byte), 'b'};
    INFO(byte);
    CHECK(json_of(message).at("message") == (byte < 0x80 ? message
                                                         : "a\xef\xbf\xbd"
                                                           "b"));
  }
  const std::string text = "\"}\\ \n{} ё € 𝄞 \U0010ffff";
  CHECK(json_of(text).at("message") == text);
}

TEST_CASE("what is not UTF-8 is replaced") {
  const std::string mark = "\xef\xbf\xbd";
  CHECK(json_of("\xc0\xaf").at("message") == mark + mark);                        // Overlong.
  CHECK(json_of("\xe0\x80\xaf").at("message") == mark + mark + mark);             // Overlong.
  CHECK(json_of("\xed\xa0\x80").at("message") == mark + mark + mark);             // Surrogate.
  CHECK(json_of("\xf4\x90\x80\x80").at("message") == mark + mark + mark + mark);  // Too large.
  CHECK(json_of("\xf0\x9d\x84").at("message") == mark + mark + mark);             // Cut off.
  CHECK(json_of("\xe2\x82"
                "a")
            .at("message") == mark + mark + "a");
}

TEST_CASE("the logger's name is escaped as well") {
  const std::string name = "a\"\n\xff";
  const std::string text = logged(json, [](spdlog::logger& log) { log.info("m"); }, name);
  CHECK(nlohmann::json::parse(text).at("logger") == "a\"\n\xef\xbf\xbd");
}

TEST_CASE("a text message cannot look like two") {
  const std::string text =
      logged({}, [](spdlog::logger& log) { log.info("one\ntwo\x1b[31m\xc2\x9b"); });
  CHECK(lines_of(text).size() == 1);
  CHECK(text.contains("info"));
  CHECK(text.contains(R"(rps-test: one\ntwo\u001b[31m\u009b)"));
}

TEST_CASE("a level lets through itself and what is worse") {
  const auto count = [](LogLevel level) {
    return lines_of(logged({.level = level}, say_all)).size();
  };
  CHECK(count(LogLevel::debug) == 5);
  CHECK(count(LogLevel::info) == 4);
  CHECK(count(LogLevel::warn) == 3);
  CHECK(count(LogLevel::error) == 2);
  CHECK(count(LogLevel::off) == 1);  // Why a start failed.
}

TEST_CASE("threads do not tear each other's lines") {
  const std::string text = logged(json, [](spdlog::logger& log) {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log] {
        for (int n = 0; n < 500; ++n) log.info("\"{}\"", n);
      });
    }
  });
  const std::vector<std::string> lines = lines_of(text);
  CHECK(lines.size() == 2000);
  for (const std::string& line : lines) CHECK(nlohmann::json::accept(line));
}

TEST_CASE("A message that is too long is cut, also inside an escape or a character") {
  for (const std::string part : {"a", "\x01", "\"", "€", "\xff"}) {
    std::string message;
    while (message.size() < 10'000) message += part;
    for (int shift = 0; shift < 6; ++shift) {
      INFO(part << shift);
      const std::string text = logged(json, [&](spdlog::logger& log) {
        log.info(spdlog::string_view_t(std::string(shift, 'x') + message));
      });
      CHECK(text.size() <= limits::log_line_bytes_max);
      CHECK(text.size() > limits::log_line_bytes_max - 10);
      CHECK(nlohmann::json::parse(text).at("message").get<std::string>().ends_with("…"));
    }
  }
}

TEST_CASE("A message that just fits is not cut") {
  const std::size_t rest = logged(json, [](spdlog::logger& log) { log.info(""); }).size();
  const std::string longest(limits::log_line_bytes_max - rest - std::string_view("…").size(), 'a');
  CHECK(json_of(longest).at("message") == longest);
  CHECK(json_of(longest + "a").at("message") == longest + "…");
}

TEST_CASE("Lines that stderr does not take are kept as long as few wait; then they are counted") {
  constexpr std::size_t count = 10'000;  // More than a pipe holds and than is kept.
  LogPipe pipe;
  Log log("rps-test", {}, pipe.descriptor());
  for (std::size_t i = 0; i < count; ++i) log.logger().info("{:04}{:03000}", i, 0);
  const std::size_t in_pipe = lines_of(pipe.read()).size();
  log.logger().info("read again");
  log.logger().info("and again");
  const std::vector<std::string> after = lines_of(pipe.read());
  const std::size_t kept = after.size() - 3;
  CHECK(kept == limits::log_kept_bytes_max / after.front().size());
  for (std::size_t i = 0; i < kept; ++i) {
    CHECK(after[i].contains(fmt::format(" rps-test: {:04}000", in_pipe + i)));
  }
  CHECK(after[kept].ends_with("did not take them: " + std::to_string(count - in_pipe - kept)));
  CHECK(after[kept].contains(" warning  rps-test: "));
  CHECK(after[kept + 1].ends_with(": read again"));
  CHECK(after[kept + 2].ends_with(": and again"));
}

TEST_CASE("A line that a full disk has cut off does not spoil the next one") {
  LogFile file;
  Log log("rps-test", {}, file.descriptor());
  log.logger().info("before");
  {
    const FileSizeLimit limit(file.size() + 60);
    log.logger().info("{:0500}", 0);
    log.logger().info("lost");
  }
  log.logger().info("after");
  const std::vector<std::string> lines = lines_of(file.take());
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].ends_with(": before"));
  CHECK(lines[1].size() == 60);
  CHECK(lines[2].contains(" warning  rps-test: "));
  CHECK(lines[3].ends_with(": after"));
}

TEST_CASE("Lines that nobody can ever read are counted, and not kept") {
  const net::Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Log log("rps-test", {}, full.get());
  for (int i = 0; i < 3; ++i) log.logger().info("nobody sees it");
  CHECK(lost_of(log) >= 3);
}

}  // namespace rps::server
