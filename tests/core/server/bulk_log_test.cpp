#include "core/server/bulk_log.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "core/server/limits.hpp"
#include "core/server/log.hpp"
#include "tests/catch.hpp"
#include "tests/core/server/log_file.hpp"

namespace rps::server {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;
constexpr LogOptions json{.format = LogFormat::json};

std::string message(int thread, int number) {
  return fmt::format("thread \"{}\" number {}", thread, number);
}

// A text of many bytes, so that few lines fill a buffer.
const std::string& long_text() {
  static const std::string text(1'000, 'x');
  return text;
}

// Reads what is in the pipe until `is_enough` says so of all that was read.
template <class IsEnough>
std::string read_until(LogPipe& pipe, IsEnough is_enough) {
  std::string text = pipe.read();
  for (const auto end = Clock::now() + patience; !is_enough(text) && Clock::now() < end;) {
    std::this_thread::sleep_for(1ms);
    text += pipe.read();
  }
  REQUIRE(is_enough(text));
  return text;
}

// Fills the pipe, and all buffers behind it: until lines are lost.
std::size_t write_until_lost(Log& log) {
  std::size_t written = 0;
  for (; lost_of(log) == 0; ++written) log.bulk().write(Clock::now(), long_text());
  return written;
}

std::size_t count_of(const std::vector<std::string>& lines, std::string_view part) {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines, [&](const std::string& line) { return line.contains(part); }));
}

}  // namespace

TEST_CASE("A line is written in a while although no other one follows") {
  LogPipe pipe;
  Log log("rps-test", json, pipe.descriptor());
  log.bulk().start();
  for (int i = 0; i < 3; ++i) {  // Also after the thread has slept.
    log.bulk().write(Clock::now(), "a \"line\"");
    const std::string text = read_until(pipe, [](const auto& read) { return !read.empty(); });
    const nlohmann::json line = nlohmann::json::parse(text);
    CHECK(line.size() == 4);
    CHECK(line.at("level") == "info");
    CHECK(line.at("logger") == "rps-test");
    CHECK(line.at("message") == "a \"line\"");
  }
}

TEST_CASE("The time of a line is that of what it tells of") {
  LogFile file;
  Log log("rps-test", json, file.descriptor());
  log.bulk().start();
  const auto now = Clock::now();
  log.bulk().write(now, "m");
  log.bulk().write(now - 1500ms, "m");
  log.bulk().write(now - 300ms, "m");
  log.bulk().flush(now + patience);
  std::vector<std::chrono::milliseconds> times;
  for (const std::string& line : lines_of(file.take())) {
    const std::string time = nlohmann::json::parse(line).at("time");
    REQUIRE(time.size() == std::string_view("2026-11-27T07:39:27.850Z").size());
    times.emplace_back(std::stoi(time.substr(17, 2)) * 1000 + std::stoi(time.substr(20, 3)));
  }
  REQUIRE(times.size() == 3);
  const auto minute = [](auto time) { return (time + 60s) % 60s; };
  CHECK(minute(times[0] - times[1] - 1499ms) <= 2ms);
  CHECK(minute(times[0] - times[2] - 299ms) <= 2ms);
}

TEST_CASE(
    "Threads write whole lines, each its own in order, between those of the rest of the log") {
  constexpr int threads = 20;   // More than there are buffers.
  constexpr int count = 1'000;  // Fewer than may wait.
  LogFile file;
  Log log("rps-test", json, file.descriptor());
  log.bulk().start();
  {
    std::vector<std::jthread> writers;
    writers.reserve(threads);
    for (int thread = 0; thread < threads; ++thread) {
      writers.emplace_back([&log, thread] {
        for (int i = 0; i < count; ++i) {
          log.bulk().write(Clock::now(), message(thread, i));
          if (i % 100 == 0) log.logger().warn("a general line");
        }
      });
    }
  }
  log.bulk().flush(Clock::now() + patience);
  std::vector<int> next(threads, 0);
  std::size_t general = 0;
  for (const std::string& line : lines_of(file.take())) {
    const nlohmann::json parsed = nlohmann::json::parse(line);
    const std::string text = parsed.at("message");
    if (parsed.at("level") == "warning") {
      ++general;
      continue;
    }
    const int thread = std::stoi(text.substr(text.find('"') + 1));
    CHECK(text == message(thread, next.at(thread)++));
  }
  CHECK(general == threads * count / 100);
  CHECK(next == std::vector<int>(threads, count));
  CHECK(lost_of(log) == 0);
}

TEST_CASE("A reader who stands still holds nobody up, and every line is read or counted") {
  LogPipe pipe;
  Log log("rps-test", {}, pipe.descriptor());
  log.bulk().start();
  const std::size_t written = write_until_lost(log);
  log.logger().warn("it matters");
  CHECK(lost_of(log) == 1);
  CHECK(written * long_text().size() > limits::bulk_log_waiting_bytes_max / 2);
  const std::string text = read_until(pipe, [&](const std::string& read) {
    return read.contains("it matters") && count_of(lines_of(read), "xxx") == written - 1;
  });
  const std::vector<std::string> lines = lines_of(text);
  CHECK(count_of(lines, "did not take them: 1") == 1);
  CHECK(count_of(lines, "it matters") == 1);
  CHECK(lines.size() == written + 1);
  CHECK(lost_of(log) == 1);
}

TEST_CASE("A reader who has gone is not waited for") {
  std::signal(SIGPIPE, SIG_IGN);  // As in every server.
  LogPipe pipe;
  Log log("rps-test", {}, pipe.descriptor());
  log.bulk().start();
  pipe.close_reader();
  for (int i = 0; i < 100; ++i) log.bulk().write(Clock::now(), "m");
  log.bulk().flush(Clock::now() + patience);
  CHECK(lost_of(log) >= 100);  // Also the lines that would have said so.
}

TEST_CASE("At the end what waits is written, if there is a reader") {
  LogFile file;
  {
    Log log("rps-test", {}, file.descriptor());
    log.bulk().start();
    for (int i = 0; i < 1'000; ++i) log.bulk().write(Clock::now(), "m");
  }
  CHECK(lines_of(file.take()).size() == 1'000);
}

TEST_CASE("At the end a reader who stands still is not waited for longer than was asked") {
  LogPipe pipe;
  Log log("rps-test", {}, pipe.descriptor());
  log.bulk().start();
  write_until_lost(log);
  log.bulk().flush(Clock::now() + 10ms);
}

TEST_CASE("A log without a line has nothing to flush, nor has one that was not started") {
  LogFile file;
  Log log("rps-test", {}, file.descriptor());
  log.bulk().flush(Clock::now() + patience);
  log.bulk().start();
  log.bulk().start();
  log.bulk().flush(Clock::now() + patience);
  CHECK(file.take().empty());
}

TEST_CASE("Lines are written at level info") {
  LogFile file;
  Log log("rps-test", {}, file.descriptor());
  CHECK(log.bulk().is_on());
  set_level(log.logger(), LogLevel::warn);
  CHECK_FALSE(log.bulk().is_on());
}

}  // namespace rps::server
