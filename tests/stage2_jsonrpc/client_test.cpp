// Which URLs the client of this stage takes. What it does then is for the tests of real servers.
#include "stage2_jsonrpc/client.hpp"

#include <stdexcept>
#include <string>
#include <system_error>

#include "tests/catch.hpp"

namespace rps::jsonrpc {
namespace {

constexpr ConnectOptions one{.connections = 1, .depth = 1, .timeout_max = std::chrono::seconds(2)};

TEST_CASE("What a URL asks for and is not offered is refused, not ignored") {
  for (const std::string query :
       {"?codec=xml", "?codec", "?codec=JSON", "?framing=pigeon", "?speed=high", "?depth=2",
        "?codec=json&codec=json", "?framing=line&codec=json&framing=line",
        "?codec=msgpack&framing=line", "?codec=binary&framing=http"}) {
    INFO(query);
    const auto url = parse_url("jsonrpc://127.0.0.1:1" + query);
    REQUIRE(url);
    CHECK_THROWS_AS(connect(*url, one), std::invalid_argument);
  }
  CHECK_THROWS_AS(connect(*parse_url("grpc://127.0.0.1:1"), one), std::invalid_argument);
  CHECK_THROWS_AS(connect(*parse_url("jsonrpc://127.0.0.1:1/rpc"), one), std::invalid_argument);
}

TEST_CASE("What is offered gets as far as the socket") {
  for (const std::string query :
       {"", "?codec=json", "?codec=msgpack", "?codec=binary", "?framing=frame", "?framing=line",
        "?framing=http", "?codec=json&framing=http", "?framing=frame&codec=binary"}) {
    INFO(query);
    const auto url = parse_url("jsonrpc://127.0.0.1:1" + query);  // Where nobody listens.
    REQUIRE(url);
    CHECK_THROWS_AS(connect(*url, one), std::system_error);
  }
}

}  // namespace
}  // namespace rps::jsonrpc
