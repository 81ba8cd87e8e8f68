#include "core/utf8.hpp"

#include <string>
#include <string_view>

#include "tests/catch.hpp"

namespace rps {
namespace {

using namespace std::literals;

TEST_CASE("UTF-8 is told from what is not") {
  for (const std::string_view text :
       {""sv, "a"sv, "\0"sv, "12345678"sv, "123456789\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv,
        "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
        "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "12345678\xc3\xa4"sv}) {
    CHECK(is_utf8(text));
  }
  for (const std::string_view text : {"\x80"sv,
                                      "\xbf"sv,
                                      "\xc0\x80"sv,
                                      "\xc1\xbf"sv,
                                      "\xc2"sv,
                                      "\xc2\x7f"sv,
                                      "\xc2\xc0"sv,
                                      "\xe0\x9f\xbf"sv,
                                      "\xe0\xa0"sv,
                                      "\xed\xa0\x80"sv,
                                      "\xed\xbf\xbf"sv,
                                      "\xe1\x80\x7f"sv,
                                      "\xf0\x8f\xbf\xbf"sv,
                                      "\xf0\x90\x80"sv,
                                      "\xf4\x90\x80\x80"sv,
                                      "\xf5\x80\x80\x80"sv,
                                      "\xff"sv,
                                      "1234567\xe4"sv,
                                      "12345678\xe4"sv,
                                      "123456789\xe4"sv}) {
    CHECK(!is_utf8(text));
  }
}

// A second implementation, by decoding: slow, and so plain that it can be believed.
bool decodes(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const unsigned first = static_cast<unsigned char>(text[at++]);
    if (first < 0x80) continue;
    const int more = first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : 0;
    if (more == 0) return false;
    unsigned value = first & (0x3fU >> more);
    for (int i = 0; i < more; ++i) {
      if (at == text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return false;
      value = value << 6 | (static_cast<unsigned char>(text[at++]) & 0x3f);
    }
    constexpr unsigned smallest[] = {0, 0x80, 0x800, 0x10000};
    if (value < smallest[more] || value > 0x10ffff) return false;
    if (value >= 0xd800 && value <= 0xdfff) return false;
  }
  return true;
}

TEST_CASE("Every one, two and three bytes are judged as by decoding them") {
  int differences = 0;
  for (unsigned bytes = 0; bytes < 0x1000000; bytes += 3) {
    const char text[] = {static_cast<char>(bytes >> 16), static_cast<char>(bytes >> 8),
                         static_cast<char>(bytes)};
    for (const std::size_t size : {1UZ, 2UZ, 3UZ}) {
      differences += is_utf8({text, size}) != decodes({text, size});
    }
  }
  CHECK(differences == 0);
}

TEST_CASE("What is printable speaks to no terminal and says all that was there") {
  CHECK(printable("plain, \xc3\xa4 and \xf0\x9f\x98\x80"sv) ==
        "plain, \xc3\xa4 and \xf0\x9f\x98\x80");
  CHECK(printable("one\ntwo"sv) == "one\ntwo");
  CHECK(printable("\x1b[2J\r\t\0\x7f"sv) == R"(\u001b[2J\u000d\u0009\u0000\u007f)");
  CHECK(printable("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"sv) == "\\u0080\\u009b\\u009f\xc2\xa0");
  CHECK(printable("a\x9b\xff"sv) == "a\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(printable(""sv).empty());
}

}  // namespace
}  // namespace rps
