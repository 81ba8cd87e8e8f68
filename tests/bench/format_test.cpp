#include "bench/model/format.hpp"

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using namespace rps;
using namespace rps::model;

TEST_CASE("numbers have three significant digits") {
  CHECK(format_number(0) == "0.00");
  CHECK(format_number(3.14159) == "3.14");
  CHECK(format_number(31.4159) == "31.4");
  CHECK(format_number(314.159) == "314");
  CHECK(format_number(9.999) == "10.0");
}

TEST_CASE("durations and rates take the unit that fits") {
  CHECK(format_nanoseconds(0) == "0.00 ns");
  CHECK(format_nanoseconds(98.7) == "98.7 ns");
  CHECK(format_nanoseconds(131'400) == "131 µs");
  CHECK(format_nanoseconds(999'900) == "1.00 ms");
  CHECK(format_nanoseconds(2.5e9) == "2.50 s");
  CHECK(format_rate(845) == "845");
  CHECK(format_rate(24'531) == "24.5k");
  CHECK(format_rate(1'310'000) == "1.31M");
}

TEST_CASE("both ends of a range have one unit") {
  CHECK(format_nanoseconds_range({.low = 980'000, .high = 1'020'000}) == "0.98–1.02 ms");
  CHECK(format_nanoseconds_range({.low = 399'100, .high = 420'900}) == "399–421 µs");
  CHECK(format_rate_range({.low = 23'900, .high = 25'100}) == "23.9–25.1k");
  CHECK(format_number_range({.low = 1.014, .high = 1.156}) == "1.01–1.16");
}

TEST_CASE("minutes") {
  CHECK(format_minutes(65s) == "1:05");
  CHECK(format_minutes(-3s) == "0:00");
}

TEST_CASE("a character is a column, however many bytes it has") {
  CHECK(display_width("") == 0);
  CHECK(display_width("8–12 µs") == 7);
}

TEST_CASE("text is cut at spaces and newlines, and words only when they must") {
  CHECK(wrap("", 5) == std::vector<std::string>{""});
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("a\nb", 7) == std::vector<std::string>{"a", "b"});
  CHECK(wrap("abcdefgh", 3) == std::vector<std::string>{"abc", "def", "gh"});
  CHECK(wrap("µµµµ", 3) == std::vector<std::string>{"µµµ", "µ"});
}
