#include "core/server/log.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "tests/catch.hpp"
#include "tests/core/server/capture.hpp"

namespace rps::server {

namespace {

template <class Use>
std::string logged(const LogOptions& options, Use use, const std::string& name = "rps-test") {
  return capture(stderr, [&] { use(*make_logger(name, options)); });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// A pipe in the place of stderr, as long as it lives.
class StderrPipe {
 public:
  StderrPipe() {
    std::array<int, 2> ends;
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reader_ = net::Fd(ends[0]);
    ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~StderrPipe() { ::dup2(saved_.get(), STDERR_FILENO); }
  StderrPipe(const StderrPipe&) = delete;
  StderrPipe& operator=(const StderrPipe&) = delete;

  // All that is in the pipe.
  std::string read() {
    std::string text(std::size_t{1} << 20, '\0');
    const ssize_t size = ::read(reader_.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  net::Fd saved_{::dup(STDERR_FILENO)};
  net::Fd reader_;
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

TEST_CASE("Lines that stderr does not take are lost, waited for by nobody, and counted") {
  constexpr std::size_t lines = 10'000;  // More than a pipe holds.
  std::vector<std::string> before;
  std::vector<std::string> after;
  {
    StderrPipe pipe;
    const auto log = make_logger("rps-test", {});
    for (std::size_t i = 0; i < lines; ++i) log->info("{:04000}", i % 10);
    before = lines_of(pipe.read());
    log->info("read again");
    log->info("and again");
    after = lines_of(pipe.read());
  }
  REQUIRE(after.size() == 3);
  CHECK(after[0].ends_with("did not take them: " + std::to_string(lines - before.size())));
  CHECK(after[0].contains(" warning  rps-test: "));
  CHECK(after[1].ends_with(": read again"));
  CHECK(after[2].ends_with(": and again"));
}

}  // namespace rps::server
