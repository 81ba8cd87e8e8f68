#include "core/net/http.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace rps::net {
namespace {

using Outcome = HttpReader::Outcome;
using HttpVerb = boost::beast::http::verb;

constexpr HttpReader::Limits limits{.header_bytes_max = 1000, .body_bytes_max = 100};

// What a reader makes of one request, whose bytes come in pieces of `step` from `first` on.
struct Read {
  Read(std::string_view bytes, std::size_t first, std::size_t step) {
    std::string in;
    std::size_t size = first;
    do {
      in += bytes.substr(0, size);
      bytes.remove_prefix(std::min(size, bytes.size()));
      std::size_t consumed = 0;
      outcome = reader.read(in, consumed);
      in.erase(0, consumed);
      size = step;
    } while (outcome == Outcome::need_more && !bytes.empty());
    left = in + std::string(bytes);
  }
  explicit Read(std::string_view bytes) : Read(bytes, bytes.size(), 1) {}

  std::string field(std::string_view name) const {
    const auto value = reader.request()[boost::beast::string_view(name.data(), name.size())];
    return {value.data(), value.size()};
  }

  HttpReader reader{limits};
  Outcome outcome;
  std::string left;
};

// Whatever the position of one cut, and byte by byte.
template <class Check>
void read_in_pieces(const std::string& bytes, const Check& check) {
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(bytes, cut);
    check(Read(bytes, cut, bytes.size()));
  }
  check(Read(bytes, 1, 1));
}

TEST_CASE("A request is read however it is cut, with empty lines before it") {
  for (const std::string start : {"", "\r\n", "\r\n\r\n\r\n"}) {
    read_in_pieces(start + "POST /a HTTP/1.1\r\nHost: h:1\r\nContent-Length: 2\r\n\r\nxy\r\n",
                   [](const Read& read) {
                     REQUIRE(read.outcome == Outcome::request);
                     CHECK(read.reader.request().body() == "xy");
                     CHECK(read.reader.path() == "/a");
                     CHECK(read.reader.host().host == "h");
                     CHECK(read.left == "\r\n");
                   });
  }
}

TEST_CASE("Empty lines are no beginning of a request, half a request line is one") {
  HttpReader reader(limits);
  std::size_t consumed = 0;
  CHECK(reader.read("\r\n\r", consumed) == Outcome::need_more);
  CHECK(consumed == 2);
  CHECK_FALSE(reader.has_begun());
  CHECK(reader.read("\r\nGE", consumed) == Outcome::need_more);
  CHECK(reader.has_begun());
  reader.reset();
  CHECK_FALSE(reader.has_begun());
}

TEST_CASE("The fields of a trailer are checked and have no effect") {
  const std::string request =
      "POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nX-Own: header\r\n"
      "Transfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n"
      "Content-Type: application/json\r\nHost: other\r\nConnection: close\r\ntraceparent: 00-1\r\n"
      "X-Own: trailer\r\nExpect: miracles\r\n\r\n";
  read_in_pieces(request, [](const Read& read) {
    REQUIRE(read.outcome == Outcome::request);
    CHECK(read.reader.request().body() == "xy");
    CHECK(read.field("Content-Type") == "text/plain");
    CHECK(read.field("X-Own") == "header");
    CHECK(read.field("traceparent").empty());
    CHECK(read.field("Connection").empty());
    CHECK(read.field("Expect").empty());
    CHECK(read.reader.request().count("Host") == 1);
    CHECK(read.reader.host().host == "h");
    CHECK(read.reader.form().keep_open);
  });
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  for (const std::string trailer : {"Content-Length: 2\r\n", "no field\r\n", "X : y\r\n"}) {
    read_in_pieces(head + trailer + "\r\n",
                   [](const Read& read) { CHECK(read.outcome == Outcome::refused); });
  }
}

TEST_CASE("Malformed hosts are 400, wherever they are cut") {
  for (const std::string host :
       {"", " ", "a b/c?d@e", "[::1", "x:99999", "user@h", "h\r\nHost: h", ":80"}) {
    read_in_pieces("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", [](const Read& read) {
      REQUIRE(read.outcome == Outcome::refused);
      CHECK(read.reader.refusal() == HttpStatus::bad_request);
    });
  }
  CHECK(Read("GET / HTTP/1.1\r\n\r\n").outcome == Outcome::refused);
  CHECK(Read("GET http://h/ HTTP/1.1\r\n\r\n").outcome == Outcome::refused);
  CHECK(Read("GET http://h/ HTTP/1.1\r\nHost: [\r\n\r\n").outcome == Outcome::refused);
  CHECK(Read("GET / HTTP/1.0\r\nHost: a b\r\n\r\n").outcome == Outcome::refused);
  const Read old("GET / HTTP/1.0\r\n\r\n");
  CHECK(old.outcome == Outcome::request);
  CHECK(HostNames({}).accept(old.reader.host()));
}

TEST_CASE("The host of an absolute target replaces that of the field") {
  const Read read("GET http://evil.example/a?b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  REQUIRE(read.outcome == Outcome::request);
  CHECK(read.reader.path() == "/a");
  CHECK(read.reader.host().host == "evil.example");
}

TEST_CASE("Who closes after the answer") {
  struct Row {
    std::string text;
    bool keep_open;
  };
  for (const Row& row : std::vector<Row>{
           {"1.1\r\n", true},
           {"1.1\r\nConnection: close\r\n", false},
           {"1.1\r\nConnection: Close\r\n", false},
           {"1.1\r\nConnection: keep-alive\r\n", true},
           {"1.1\r\nConnection: keep-alive, close\r\n", false},
           {"1.1\r\nConnection: x,,close ,y\r\n", false},
           {"1.1\r\nConnection: x\r\nConnection: close\r\n", false},
           {"1.1\r\nConnection: closed\r\n", true},
           {"1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n", true},
           {"1.0\r\n", false},
           {"1.0\r\nConnection: keep-alive\r\n", true},
           {"1.0\r\nConnection: x\r\nConnection: Keep-Alive\r\n", true},
           {"1.0\r\nConnection: keep-alive, close\r\n", false},
       }) {
    CAPTURE(row.text);
    const Read read("GET / HTTP/" + row.text + "Host: h\r\n\r\n");
    REQUIRE(read.outcome == Outcome::request);
    CHECK(read.reader.form().keep_open == row.keep_open);
  }
}

TEST_CASE("Expectations: one is known, and only in HTTP/1.1") {
  const auto status_of = [](const std::string& text) {
    const Read read("POST / HTTP/" + text + "Host: h\r\nContent-Length: 2\r\n\r\n");
    if (read.outcome == Outcome::refused) return read.reader.refusal();
    return read.outcome == Outcome::asks ? HttpStatus::continue_ : HttpStatus::ok;
  };
  CHECK(status_of("1.1\r\n") == HttpStatus::ok);
  CHECK(status_of("1.1\r\nExpect:\r\n") == HttpStatus::ok);
  CHECK(status_of("1.1\r\nExpect: 100-Continue\r\n") == HttpStatus::continue_);
  CHECK(status_of("1.1\r\nExpect: miracles\r\n") == HttpStatus::expectation_failed);
  CHECK(status_of("1.1\r\nExpect: 100-continue\r\nExpect: miracles\r\n") ==
        HttpStatus::expectation_failed);
  CHECK(status_of("1.1\r\nExpect: 100-continue, miracles\r\n") == HttpStatus::expectation_failed);
  CHECK(status_of("1.0\r\nExpect: 100-continue\r\n") == HttpStatus::ok);
  CHECK(status_of("1.0\r\nExpect: miracles\r\n") == HttpStatus::ok);
}

TEST_CASE("Who asks is heard before the body is read, once, however the bytes come") {
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  for (std::size_t cut = 0; cut <= head.size(); ++cut) {
    Read read(head + "xy", cut, head.size() + 2);
    REQUIRE(read.outcome == Outcome::asks);
    CHECK(read.reader.path() == "/");
    std::size_t consumed = 0;
    const std::string body = "xy";
    CHECK(read.reader.read(body, consumed) == Outcome::request);
    CHECK(read.reader.request().body() == "xy");
  }
  // Without a body there is nothing to ask.
  CHECK(Read("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").outcome ==
        Outcome::request);
}

TEST_CASE("What could be read in two ways is refused") {
  struct Row {
    std::string text;
    HttpStatus status;
  };
  for (const Row& row : std::vector<Row>{
           {"GET / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n",
            HttpStatus::bad_request},
           {"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
            HttpStatus::bad_request},
           {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            HttpStatus::not_implemented},
           {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n",
            HttpStatus::not_implemented},
           {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", HttpStatus::bad_request},
           {"GET / HTTP/1.1\r\n X: y\r\nHost: h\r\n\r\n", HttpStatus::bad_request},
           {"GET / HTTP/1.1\r\n: y\r\nHost: h\r\n\r\n", HttpStatus::bad_request},
           {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", HttpStatus::bad_request},
           {"GET / http/1.1\r\nHost: h\r\n\r\n", HttpStatus::bad_request},
           {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", HttpStatus::bad_request},
           {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", HttpStatus::bad_request},
           {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2,\r\n\r\nxy", HttpStatus::bad_request},
           {"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", HttpStatus::not_implemented},
           {"GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", HttpStatus::misdirected_request},
       }) {
    CAPTURE(row.text);
    const Read read(row.text);
    REQUIRE(read.outcome == Outcome::refused);
    CHECK(read.reader.refusal() == row.status);
    CHECK_FALSE(read.reader.form().keep_open);
  }
  // Equal lengths are one length (RFC 9110, section 8.6).
  for (const std::string length : {"2, 2", "2\r\nContent-Length: 2"}) {
    const Read read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + "\r\n\r\nxy");
    REQUIRE(read.outcome == Outcome::request);
    CHECK(read.reader.request().body() == "xy");
  }
  // A refused HEAD gets no body either.
  CHECK(Read("HEAD / HTTP/1.1\r\n\r\n").reader.form().head_only);
}

TEST_CASE("A date is spelled as RFC 9110 has it") {
  using std::chrono::seconds;
  using std::chrono::sys_seconds;
  CHECK(http_date(sys_seconds(seconds(784'111'777))) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(sys_seconds(seconds(0))) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(sys_seconds(seconds(1'709'251'199))) == "Thu, 29 Feb 2024 23:59:59 GMT");
  CHECK(http_date(sys_seconds(seconds(253'402'300'799))) == "Fri, 31 Dec 9999 23:59:59 GMT");
  HttpDate date;
  CHECK(date.now().size() == 29);
  CHECK(date.now().data() == date.now().data());  // The text is kept.
}

TEST_CASE("An answer has a date, and 204 and 304 no length") {
  std::string out;
  append_http({.keep_open = true}, {.body = "ok\n"}, "D", out);
  CHECK(out ==
        "HTTP/1.1 200 OK\r\nDate: D\r\nCache-Control: no-store\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nok\n");
  out.clear();
  append_http({.version = 10}, allow_page(HttpStatus::no_content, "GET"), "D", out);
  CHECK(out == "HTTP/1.0 204 No Content\r\nDate: D\r\nConnection: close\r\nAllow: GET\r\n\r\n");
  out.clear();
  append_http({.keep_open = true},
              {.status = HttpStatus::not_modified,
               .fields = "ETag: \"1\"\r\n",
               .cache_control = "no-cache"},
              "D", out);
  CHECK(out ==
        "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nDate: D\r\n"
        "Cache-Control: no-cache\r\n\r\n");
}

}  // namespace
}  // namespace rps::net
