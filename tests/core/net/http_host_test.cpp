#include "core/net/http_host.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::net {
namespace {

TEST_CASE("An authority is a host and perhaps a port") {
  struct Row {
    std::string text;
    std::string host;
    bool is_address;
    bool has_port;
  };
  for (const Row& row : std::vector<Row>{
           {"localhost", "localhost", false, false},
           {"localhost:7000", "localhost", false, true},
           {"localhost:", "localhost", false, false},  // RFC 3986, section 3.2.3.
           {"game.example.:65535", "game.example.", false, true},
           {"a%20b", "a%20b", false, false},
           {"a-b_c~d!$&'()*+,;=", "a-b_c~d!$&'()*+,;=", false, false},
           {"127.0.0.1", "127.0.0.1", true, false},
           {"127.0.0.1:0", "127.0.0.1", true, true},
           {"127.0.0.1.", "127.0.0.1.", false, false},
           {"1.2.3", "1.2.3", false, false},
           {"1.2.3.256", "1.2.3.256", false, false},
           {"1.example", "1.example", false, false},
           {"[::1]", "::1", true, false},
           {"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", true, true},
       }) {
    CAPTURE(row.text);
    const auto authority = parse_authority(row.text);
    REQUIRE(authority);
    CHECK(authority->host == row.host);
    CHECK(authority->is_address == row.is_address);
    CHECK(authority->has_port == row.has_port);
  }
}

TEST_CASE("What is no authority is none") {
  for (const std::string text : {"",
                                 ":80",
                                 "a b",
                                 "a b/c?d@e",
                                 "a/b",
                                 "a?b",
                                 "a#b",
                                 "user@host",
                                 "x:99999",
                                 "x:65536",
                                 "x:80a",
                                 "x:-1",
                                 "x:+1",
                                 "x: 80",
                                 "x:80:90",
                                 "::1",
                                 "[::1",
                                 "::1]",
                                 "[]",
                                 "[]:80",
                                 "[::1]x",
                                 "[::1]80",
                                 "[127.0.0.1]",
                                 "[localhost]",
                                 "[fe80::1%eth0]",
                                 "[fe80::1%25eth0]",
                                 "[v1.x]",
                                 "a%2",
                                 "a%zz",
                                 "%",
                                 "a\tb",
                                 "a\x7f",
                                 "h\xc3\xb6st",
                                 "a\"b",
                                 "a<b>",
                                 "a\\b",
                                 "a^b",
                                 "{a}",
                                 "a|b",
                                 "a`b",
                                 "[::1][::1]",
                                 "a[::1]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_authority(text));
  }
  CHECK_FALSE(parse_authority(std::string_view("a\0b", 3)));
}

TEST_CASE("A server answers for addresses, for localhost and for its own names") {
  const HostNames names({"Game.example", "dotted.example."});
  const auto accepts = [&](std::string_view text) { return names.accept(*parse_authority(text)); };
  for (const char* text :
       {"127.0.0.1", "127.0.0.1:7000", "10.1.2.3:1", "[::1]:7000", "[2001:db8::1]", "localhost",
        "LOCALHOST:1", "localhost.", "game.example", "GAME.EXAMPLE:80", "game.example.:80",
        "dotted.example", "dotted.example."}) {
    CAPTURE(text);
    CHECK(accepts(text));
  }
  for (const char* text :
       {"evil.example", "evil.example:7000", "localhost.evil.example", "evil.localhost.example",
        "127.0.0.1.evil.example", "127.0.0.1.", "127.1", "0x7f.0.0.1", "2130706433",
        "xgame.example", "game.example.evil", "game.example..", "127.0.0.%31"}) {
    CAPTURE(text);
    CHECK_FALSE(accepts(text));
  }
}

}  // namespace
}  // namespace rps::net
