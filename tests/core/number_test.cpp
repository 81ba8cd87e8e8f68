#include "core/number.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using namespace rps;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

// What no kind of quantity accepts.
const Texts never{"",    " ",     "x",   "-",    "-1",  "+5",  " 5",  "5 ",
                  "5\n", "0x10",  "inf", "-inf", "nan", "1,5", "1_0", "1'0",
                  "5 s", "1e999", "5%%", "5ss",  "5q",  "ms",  "k"};

}  // namespace

TEST_CASE("A number is all of its text, in decimal") {
  CHECK(parse_number<std::uint64_t>("0") == 0);
  CHECK(parse_number<std::uint64_t>("18446744073709551615") == 18446744073709551615U);
  CHECK(parse_number<std::uint64_t>("010") == 10);
  CHECK(parse_number<std::uint16_t>("65535") == 65535);
  CHECK(parse_number<int>("-7") == -7);
  CHECK(parse_number<double>("1.5") == 1.5);
  CHECK(parse_number<double>("-1e3") == -1000);
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "1.5", "1e3", "one", "1,000", "--1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number<int>(text));
  }
  CHECK_FALSE(parse_number<std::uint64_t>("-1"));
  CHECK_FALSE(parse_number<std::uint64_t>("18446744073709551616"));
  CHECK_FALSE(parse_number<std::uint16_t>("65536"));
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "inf", "-inf", "nan", "1e999", "."}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number<double>(text));
  }
}

TEST_CASE("A number is taken off the front of a text, which stays as it is without one") {
  std::string_view text = "12 34x";
  CHECK(take_number<int>(text) == 12);
  CHECK(text == " 34x");
  CHECK_FALSE(take_number<int>(text));
  CHECK(text == " 34x");
  text.remove_prefix(1);
  CHECK(take_number<int>(text) == 34);
  CHECK(text == "x");
  std::string_view infinite = "inf";
  CHECK_FALSE(take_number<double>(infinite));
  CHECK(infinite == "inf");
}

TEST_CASE("A number's text reads back as the number") {
  for (const double number : {0.0, 0.1, 1e5, 1e-4, 1.0 / 3, 123456789.125}) {
    CHECK(parse_number<double>(number_text(number)) == number);
  }
}

TEST_CASE("A count is a whole number in a range, and the refusal tells the range") {
  CHECK(parse_count("1", {.min = 1, .max = 9}) == 1);
  CHECK(parse_count("9", {.min = 1, .max = 9}) == 9);
  CHECK(parse_count("18446744073709551615", {}) == 18446744073709551615U);
  for (const char* text : {"0", "10", "1.0", "1e0", "5k"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_count(text, {.min = 1, .max = 9}));
  }
  for (const std::string& text : never) {
    CAPTURE(text);
    CHECK_FALSE(parse_count(text, {}));
  }
  CHECK(parse_count("10", {.min = 1, .max = 9}).error() ==
        "must be a whole number from 1 to 9, not '10'");
}

TEST_CASE("A duration has a unit, or counts what its reader says") {
  const DurationRange range{.max = 2h, .bare = 1ms};
  const std::vector<std::pair<const char*, std::chrono::nanoseconds>> right{
      {"0", 0ns},      {"250", 250ms},   {"1.5", 1500us}, {"7ns", 7ns},    {"7us", 7us},
      {"7µs", 7us},    {"500ms", 500ms}, {"10s", 10s},    {"0.1s", 100ms}, {"2m", 2min},
      {"1.5m", 90s},   {"1h", 1h},       {"120m", 2h},    {"010", 10ms},   {"1e3", 1s},
      {"0.07s", 70ms}, {"2h", 2h},       {"7200000", 2h},
  };
  for (const auto& [text, duration] : right) {
    CAPTURE(text);
    CHECK(parse_duration(text, range) == duration);
  }
  for (const char* text :
       {"7200001", "2.1h", "121m", "1d", "1M", "1min", "1S", "1hour", "0.5ns", "1h30m", "5KiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text, range));
  }
  for (const std::string& text : never) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text, range));
  }
  CHECK(parse_duration("5", {.bare = 1s}) == 5s);
  CHECK_FALSE(parse_duration("5", {}));
  CHECK(parse_duration("1500us", {.bare = 1ms, .step = 100us}) == 1500us);
  CHECK_FALSE(parse_duration("1500us", {.bare = 1ms, .step = 1ms}));
  CHECK(parse_duration("11m", {.min = 1s, .max = 10min, .bare = 1ms}).error() ==
        "must be a duration from 1s to 10m, not '11m'");
  CHECK(parse_duration("1.5", {.max = 10min, .bare = 1ms, .step = 1ms}).error() ==
        "must be a duration from 0s to 10m in steps of 1ms, not '1.5'");
}

TEST_CASE("A size has a decimal or a binary unit, or counts bytes") {
  const CountRange range{.min = 1, .max = 1 << 30};
  const std::vector<std::pair<const char*, std::uint64_t>> right{{"1", 1},
                                                                 {"512B", 512},
                                                                 {"2kB", 2000},
                                                                 {"3MB", 3'000'000},
                                                                 {"1GB", 1'000'000'000},
                                                                 {"64KiB", 65'536},
                                                                 {"1MiB", 1 << 20},
                                                                 {"1GiB", 1 << 30},
                                                                 {"1.5KiB", 1536},
                                                                 {"1073741824", 1 << 30},
                                                                 {"0.5MiB", 1 << 19}};
  for (const auto& [text, bytes] : right) {
    CAPTURE(text);
    CHECK(parse_size(text, range) == bytes);
  }
  for (const char* text : {"0", "1073741825", "2GiB", "1.5", "1.5B", "64K", "64k", "64KB", "64kib",
                           "1TiB", "5s", "1e30"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text, range));
  }
  for (const std::string& text : never) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text, range));
  }
  CHECK(parse_size("2GiB", range).error() == "must be a size from 1B to 1GiB, not '2GiB'");
}

TEST_CASE("A rate counts calls a second, thousands or millions of them") {
  const RealRange range{.min = 0, .max = 1e9};
  const std::vector<std::pair<const char*, double>> right{
      {"0", 0},       {"250", 250},    {"0.5", 0.5}, {"2k", 2000},
      {"1.1k", 1100}, {"1.5M", 1.5e6}, {"1e3", 1000}};
  for (const auto& [text, rate] : right) {
    CAPTURE(text);
    CHECK(parse_rate(text, range) == rate);
  }
  for (const char* text : {"1001M", "1e10", "2K", "2m", "2G", "2kB", "5s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rate(text, range));
  }
  for (const std::string& text : never) {
    CAPTURE(text);
    CHECK_FALSE(parse_rate(text, range));
  }
  CHECK(parse_rate("2M", {.min = 0, .max = 1e6}).error() ==
        "must be a rate from 0 to 1M, not '2M'");
}

TEST_CASE("A share is a part of one or of a hundred") {
  CHECK(parse_share("0.25") == 0.25);
  CHECK(parse_share("25%") == 0.25);
  CHECK(*parse_share("10%") == Approx(0.1));
  CHECK(parse_share("0") == 0);
  CHECK(parse_share("100%") == 1);
  CHECK(parse_share("150%", {.min = 0, .max = 2}) == 1.5);
  for (const char* text : {"2", "101%", "1 %", "5k", "%", "-1%", " 0.25 ", "10 percent"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_share(text));
  }
  for (const std::string& text : never) {
    CAPTURE(text);
    CHECK_FALSE(parse_share(text));
  }
  CHECK(parse_share("2").error() == "must be a share from 0% to 100%, not '2'");
}

TEST_CASE("A quantity is written in the largest unit that leaves a whole number") {
  CHECK(duration_text(0ns) == "0s");
  CHECK(duration_text(1ns) == "1ns");
  CHECK(duration_text(1500us) == "1500us");
  CHECK(duration_text(250ms) == "250ms");
  CHECK(duration_text(5s) == "5s");
  CHECK(duration_text(90s) == "90s");
  CHECK(duration_text(30min) == "30m");
  CHECK(duration_text(720h) == "720h");
  CHECK(size_text(0) == "0B");
  CHECK(size_text(65'535) == "65535B");
  CHECK(size_text(65'536) == "64KiB");
  CHECK(size_text(1 << 20) == "1MiB");
  CHECK(size_text(1 << 30) == "1GiB");
  CHECK(rate_text(0) == "0");
  CHECK(rate_text(0.5) == "0.5");
  CHECK(rate_text(2000) == "2k");
  CHECK(rate_text(2500) == "2500");
  CHECK(rate_text(1e6) == "1M");
  CHECK(share_text(0.7) == "70%");
  CHECK(share_text(0.07) == "7%");
  CHECK(share_text(0.001) == "0.1%");
  for (const std::chrono::nanoseconds duration :
       {std::chrono::nanoseconds(0), std::chrono::nanoseconds(7), std::chrono::nanoseconds(1500us),
        std::chrono::nanoseconds(90s), std::chrono::nanoseconds(24h)}) {
    CHECK(parse_duration(duration_text(duration), {}) == duration);
  }
}
