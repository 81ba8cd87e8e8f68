#include "core/net/http_target.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::net {
namespace {

using HttpVerb = boost::beast::http::verb;
using HttpStatus = boost::beast::http::status;

TEST_CASE("A target has the form that its method may have") {
  struct Row {
    HttpVerb method;
    std::string target;
    std::string path;
    std::string authority;
  };
  for (const Row& row : std::vector<Row>{
           {HttpVerb::get, "/", "/", ""},
           {HttpVerb::get, "/rpc", "/rpc", ""},
           {HttpVerb::get, "/rpc?a=b/?c", "/rpc", ""},
           {HttpVerb::get, "/?", "/", ""},
           {HttpVerb::get, "//rpc", "//rpc", ""},
           {HttpVerb::get, "/a:b@c!$&'()*+,;=", "/a:b@c!$&'()*+,;=", ""},
           {HttpVerb::get, "http://h/rpc", "/rpc", "h"},
           {HttpVerb::get, "HTTP://H:80/rpc?x", "/rpc", "H:80"},
           {HttpVerb::get, "http://[::1]:80/", "/", "[::1]:80"},
           {HttpVerb::get, "http://h", "/", "h"},
           {HttpVerb::get, "http://h?x", "/", "h"},
           {HttpVerb::options, "*", "*", ""},
           {HttpVerb::options, "/rpc", "/rpc", ""},
           {HttpVerb::options, "http://h", "*", "h"},
           {HttpVerb::options, "http://h/", "/", "h"},
           {HttpVerb::options, "http://h?x", "/", "h"},
       }) {
    CAPTURE(row.target);
    const auto target = parse_target(row.method, row.target);
    REQUIRE(target);
    CHECK(target->path == row.path);
    CHECK(target->authority == row.authority);
  }
}

TEST_CASE("An escape of a character that needs none is that character, any other stays") {
  const auto path_of = [](std::string_view target) {
    return parse_target(HttpVerb::get, target).value().path;
  };
  CHECK(path_of("/%72pc") == "/rpc");
  CHECK(path_of("/%72%70%63?%72") == "/rpc");
  CHECK(path_of("/%7E%2d%5f%2E%41") == "/~-_.A");
  CHECK(path_of("/%2Frpc") == "/%2Frpc");
  CHECK(path_of("/rpc%00") == "/rpc%00");
  CHECK(path_of("/%25%37%32pc") == "/%2572pc");  // Decoded once.
  CHECK(path_of("/rpc%3Fx") == "/rpc%3Fx");
}

TEST_CASE("A target that has no such form is refused") {
  const auto status_of = [](HttpVerb method, std::string_view target) {
    const auto parsed = parse_target(method, target);
    REQUIRE_FALSE(parsed);
    return parsed.error();
  };
  for (const char* target : {"",
                             "rpc",
                             "*",
                             "**",
                             "?x",
                             "#",
                             "/#x",
                             "/rpc#x",
                             "/a%",
                             "/a%2",
                             "/a%zz",
                             "/?%zz",
                             "/a<b",
                             "/a\"b",
                             "/a{b}",
                             "/a|b",
                             "/a\\b",
                             "/a^b",
                             "/a`b",
                             "/[a]",
                             "/\xc3\xb6",
                             "/a\x7f",
                             "h:80",
                             "http:",
                             "http:/rpc",
                             "http:///rpc",
                             "http://",
                             "http://:80/",
                             "http://a b/",
                             "http://user@h/",
                             "http://h:99999/",
                             "http://[::1/",
                             "http://h/a b",
                             "://h/",
                             "1x://h/",
                             "ht_tp://h/",
                             "mailto:x"}) {
    CAPTURE(target);
    CHECK(status_of(HttpVerb::get, target) == HttpStatus::bad_request);
  }
  CHECK(status_of(HttpVerb::get, "https://h/") == HttpStatus::misdirected_request);
  CHECK(status_of(HttpVerb::get, "ws://h/") == HttpStatus::misdirected_request);
  CHECK(status_of(HttpVerb::connect, "h:80") == HttpStatus::not_implemented);
  for (const char* target : {"h", "h:", "/", "*", "http://h/", ":80"}) {
    CAPTURE(target);
    CHECK(status_of(HttpVerb::connect, target) == HttpStatus::bad_request);
  }
}

}  // namespace
}  // namespace rps::net
