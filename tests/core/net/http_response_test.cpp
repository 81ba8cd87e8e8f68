#include "core/net/http_response.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "bench/micro/allocations.hpp"
#include "tests/catch.hpp"

namespace rps::net {
namespace {

using Outcome = HttpResponseReader::Outcome;

constexpr HttpResponseReader::Limits limits{.header_bytes_max = 1000, .body_bytes_max = 100};

// Whole responses that say where they end, each with status 200 and the body "hello".
const std::vector<std::string> responses{
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 \r\ncontent-length:5\r\n\r\nhello",
    "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n\tc\r\nContent-Length: \t5 \t\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTRANSFER-encoding:chunked\r\nx-EMPTY:\r\n\r\n"
    "0003;a=\"b;c\"\r\nhel\r\n2 ;d\r\nlo\r\n000\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"};

// The stream as its reader's owner holds it: what is not read yet stays at the front.
struct Arriving {
  Outcome hear(std::string_view more) {
    bytes += more;
    std::size_t consumed = 0;
    const Outcome outcome = reader.read(bytes, consumed);
    bytes.erase(0, consumed);
    return outcome;
  }

  HttpResponseReader reader{limits};
  std::string bytes;
};

TEST_CASE("A response may come cut at every byte") {
  for (const std::string& response : responses) {
    CAPTURE(response);
    for (std::size_t cut = 0; cut < response.size(); ++cut) {
      CAPTURE(cut);
      Arriving arriving;
      CHECK(arriving.hear(response.substr(0, cut)) == Outcome::need_more);
      REQUIRE(arriving.hear(response.substr(cut)) == Outcome::response);
      CHECK(arriving.reader.status() == 200);
      CHECK(arriving.reader.body() == "hello");
      CHECK(arriving.reader.keeps_open());
      CHECK(arriving.bytes.empty());
    }
  }
}

TEST_CASE("A response may come byte by byte, and nothing of the next one is read") {
  Arriving arriving;
  for (const std::string& response : responses) {
    CAPTURE(response);
    for (std::size_t at = 0; at + 1 < response.size(); ++at) {
      REQUIRE(arriving.hear(response.substr(at, 1)) == Outcome::need_more);
    }
    REQUIRE(arriving.hear(response.substr(response.size() - 1) + "HTTP") == Outcome::response);
    CHECK(arriving.reader.body() == "hello");
    CHECK(arriving.bytes == "HTTP");
    arriving.bytes.clear();
    arriving.reader.reset();
  }
}

TEST_CASE("Responses without a body are whole at the end of their header") {
  for (const std::string response :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    CAPTURE(response);
    Arriving arriving;
    CHECK(arriving.hear(response + "HTTP") == Outcome::response);
    CHECK(arriving.reader.body().empty());
    CHECK(arriving.bytes == "HTTP");
  }
}

TEST_CASE("A body without a length ends with its stream") {
  const std::string response = "HTTP/1.0 200 OK\r\n\r\nhello";
  for (std::size_t cut = 0; cut <= response.size(); ++cut) {
    CAPTURE(cut);
    Arriving arriving;
    CHECK(arriving.hear(response.substr(0, cut)) == Outcome::need_more);
    CHECK(arriving.hear(response.substr(cut)) == Outcome::need_more);
    CHECK(arriving.reader.ends_with_stream());
    CHECK_FALSE(arriving.reader.keeps_open());
    CHECK(arriving.reader.finish() == Outcome::response);
    CHECK(arriving.reader.body() == "hello");
  }
}

TEST_CASE("A stream that ends anywhere else has broken its response") {
  for (const std::string& response : responses) {
    for (std::size_t cut = 0; cut < response.size(); ++cut) {
      CAPTURE(response, cut);
      Arriving arriving;
      REQUIRE(arriving.hear(response.substr(0, cut)) == Outcome::need_more);
      CHECK_FALSE(arriving.reader.ends_with_stream());
      CHECK(arriving.reader.finish() == Outcome::broken);
    }
  }
}

TEST_CASE("The server says whether it will close the stream") {
  for (const std::string_view header :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n"}) {
    Arriving arriving;
    REQUIRE(arriving.hear(std::string(header) + "Content-Length: 0\r\n\r\n") == Outcome::response);
    CHECK_FALSE(arriving.reader.keeps_open());
  }
}

TEST_CASE("What is no response, or none whose end can be known, is broken") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& bytes :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n\r\n"), std::string("HTTP/2 200 OK\r\n\r\n"),
        std::string("HTTP/1.1 2000 OK\r\n\r\n"), std::string("HTTP/1.1 099 OK\r\n\r\n"),
        std::string("HTTP/1.1 99\r\n\r\n"), std::string("HTTP/1.1  200\r\n\r\n"),
        ok + "no colon\r\n\r\n", ok + "Content-Length: -1\r\n\r\n",
        ok + "Content-Length: 1x\r\n\r\n", ok + "Content-Length: 99999999999999999999\r\n\r\n",
        ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        ok + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
        ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
        ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        ok + "Transfer-Encoding: chunked\r\n\r\nhello\r\n"}) {
    CAPTURE(bytes);
    CHECK(Arriving().hear(bytes) == Outcome::broken);
  }
}

TEST_CASE("A header and a body have their limits") {
  const auto with_header = [](std::size_t bytes) {
    return "HTTP/1.1 204 No Content\r\nX: " + std::string(bytes, 'x');
  };
  CHECK(Arriving().hear(with_header(900)) == Outcome::need_more);
  CHECK(Arriving().hear(with_header(1000)) == Outcome::broken);
  for (const std::string header : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200\r\n"}) {
    for (const std::size_t size : {limits.body_bytes_max, limits.body_bytes_max + 1}) {
      CAPTURE(header, size);
      const Outcome expected = size > limits.body_bytes_max ? Outcome::broken : Outcome::response;
      const std::string body(size, 'x');
      CHECK(Arriving().hear(header + "Content-Length: " + std::to_string(size) + "\r\n\r\n" +
                            body) == expected);
      Arriving to_end;
      const Outcome outcome = to_end.hear(header + "\r\n" + body);
      CHECK((outcome == Outcome::broken ? outcome : to_end.reader.finish()) == expected);
    }
  }
}

// What a response is read as when it comes whole, and when it comes byte by byte.
std::vector<Outcome> outcomes_of(const std::string& response) {
  Arriving whole;
  Arriving in_pieces;
  Outcome outcome = Outcome::need_more;
  for (std::size_t at = 0; at < response.size() && outcome == Outcome::need_more; ++at) {
    outcome = in_pieces.hear(response.substr(at, 1));
  }
  return {whole.hear(response), outcome};
}

TEST_CASE("A header and a trailer have their limit whether they come whole or in pieces") {
  const std::string begin = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
  for (const std::size_t excess : {0, 1}) {
    CAPTURE(excess);
    const Outcome expected = excess > 0 ? Outcome::broken : Outcome::response;
    const auto field_of = [&](std::size_t bytes) {
      return "X: " + std::string(bytes + excess - 5, 'x') + "\r\n";
    };
    const std::string header = begin + field_of(limits.header_bytes_max - begin.size());
    CHECK(outcomes_of(header + "\r\n0\r\n\r\n") == std::vector{expected, expected});
    const std::string trailer = field_of(500) + field_of(500);
    const std::size_t trailer_bytes = trailer.size() - 2 * excess;
    REQUIRE(trailer_bytes == limits.header_bytes_max);
    CHECK(outcomes_of(begin + "\r\n1\r\nx\r\n0\r\n" + trailer + "\r\n") ==
          std::vector{expected, expected});
  }
}

TEST_CASE("A header may be as long as its limit, whatever the parser's own default") {
  constexpr std::size_t large = 100'000;
  HttpResponseReader reader({.header_bytes_max = 2 * large, .body_bytes_max = 1});
  std::size_t consumed = 0;
  const std::string response =
      "HTTP/1.1 204 No Content\r\nX: " + std::string(large, 'x') + "\r\n\r\n";
  CHECK(reader.read(response, consumed) == Outcome::response);
}

TEST_CASE("A trailer does not say whether the stream stays open") {
  Arriving arriving;
  REQUIRE(arriving.hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "0\r\nConnection: close\r\n\r\n") == Outcome::response);
  CHECK(arriving.reader.keeps_open());
}

TEST_CASE("A warm reader allocates nothing") {
  HttpResponseReader reader(limits);
  const auto read_all = [&] {
    for (const std::string& response : responses) {
      std::size_t consumed = 0;
      reader.reset();
      if (reader.read(response, consumed) != Outcome::response) return false;
    }
    return true;
  };
  REQUIRE(read_all());
  const std::uint64_t before = micro::allocation_count();
  CHECK(read_all());
  CHECK(micro::allocation_count() == before);
}

}  // namespace
}  // namespace rps::net
