#include "core/url.hpp"

#include "tests/catch.hpp"

using namespace rps;

TEST_CASE("A URL with an authority") {
  const auto url = parse_url("jsonrpc://127.0.0.1:7000?codec=json&depth=16");
  REQUIRE(url);
  CHECK(url->scheme == "jsonrpc");
  CHECK(url->host == "127.0.0.1");
  CHECK(url->port == 7000);
  CHECK(url->path.empty());
  CHECK(url->find("codec") == "json");
  CHECK(url->find("depth") == "16");
  CHECK_FALSE(url->find("seed"));
}

TEST_CASE("A URL with a path only") {
  const auto url = parse_url("cli:/tmp/my%20games/rps-cli?house=markov&seed=7");
  REQUIRE(url);
  CHECK(url->scheme == "cli");
  CHECK(url->host.empty());
  CHECK(url->path == "/tmp/my games/rps-cli");
  CHECK(url->query.size() == 2);

  const auto file = parse_url("jsonrpc+fleet:///etc/rps/services.json?service=rps");
  REQUIRE(file);
  CHECK(file->host.empty());
  CHECK(file->port == 0);
  CHECK(file->path == "/etc/rps/services.json");

  CHECK(parse_url("inproc:")->path.empty());
  CHECK(parse_url("cli:build/rps-cli")->path == "build/rps-cli");
}

TEST_CASE("IPv6, paths, empty values and lone names") {
  const auto url = parse_url("grpc+lean://[::1]:50051/a/b?x=&y&&z=%26");
  REQUIRE(url);
  CHECK(url->scheme == "grpc+lean");
  CHECK(url->host == "::1");
  CHECK(url->port == 50051);
  CHECK(url->path == "/a/b");
  CHECK(url->find("x") == "");
  CHECK(url->find("y") == "");
  CHECK(url->find("z") == "&");
}

TEST_CASE("A URL of gRPC names several addresses") {
  const auto url = parse_url("grpc://127.0.0.1:1,localhost:2,[::1]:3?mode=rally");
  REQUIRE(url);
  CHECK(url->host == "127.0.0.1");
  CHECK(url->port == 1);
  REQUIRE(url->more.size() == 2);
  CHECK(to_string(url->more[0]) == "localhost:2");
  CHECK(to_string(url->more[1]) == "[::1]:3");
  CHECK(url->find("mode") == "rally");
  CHECK(parse_url("grpcs://a:1,b:2")->more.size() == 1);
  CHECK(parse_url("grpc://a:0")->more.empty());
}

TEST_CASE("What is no URL is refused with a sentence") {
  for (const std::string_view text : {"",
                                      "host",
                                      "://h:1",
                                      "1x://h:1",
                                      "GRPC://h:1",
                                      "grpc://",
                                      "grpc://host",
                                      "grpc://host:",
                                      "grpc://host:65536",
                                      "grpc://host:-1",
                                      "grpc://host:1x",
                                      "grpc://:1",
                                      "grpc://[::1:5",
                                      "grpc://[::1]5",
                                      "grpc://a:1,",
                                      "grpc://,a:1",
                                      "grpc://a:1,,b:2",
                                      "grpc://a:1,b",
                                      "grpc://a:1,b:0",
                                      "grpc://a:0,b:1",
                                      "jsonrpc://a:1,b:2",
                                      "grpc+lean://a:1,b:2",
                                      "cli:%",
                                      "cli:%2",
                                      "cli:%zz",
                                      "cli:x?a=%",
                                      "cli:x?=1",
                                      "cli:% 1"}) {
    CAPTURE(text);
    const auto url = parse_url(text);
    REQUIRE_FALSE(url);
    CHECK(url.error().size() > 10);
  }
}

TEST_CASE("Host and port stand together and come apart") {
  CHECK(to_string(*parse_host_port("127.0.0.1:80")) == "127.0.0.1:80");
  CHECK(to_string(*parse_host_port("[::]:0")) == "[::]:0");
  CHECK(parse_host_port("[::]:0")->host == "::");
  CHECK_FALSE(parse_host_port("80"));
  CHECK_FALSE(parse_host_port("::1:80"));
}
