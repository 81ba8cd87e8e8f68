#include "stage3_grpc/rest/negotiation.hpp"

#include <initializer_list>

#include "tests/catch.hpp"

namespace rps::rpc::rest {

namespace {

namespace http = boost::beast::http;

net::HttpRequest accepting(std::initializer_list<const char*> fields) {
  net::HttpRequest request;
  for (const char* const value : fields) request.insert(http::field::accept, value);
  return request;
}

int weight(const char* accept, std::string_view type) {
  return preference(accepting({accept}), type).weight;
}

}  // namespace

TEST_CASE("Without Accept a client takes everything, and names nothing") {
  const Preference wish = preference(net::HttpRequest(), media::json);
  CHECK(wish.weight == 1'000);
  CHECK_FALSE(wish.is_named);
}

TEST_CASE("The closest range decides") {
  CHECK(weight("*/*", media::json) == 1'000);
  CHECK(weight("text/*", media::json) == 0);
  CHECK(weight("application/*;q=0.5", media::json) == 500);
  CHECK(weight("*/*;q=0.1, application/*;q=0.25, application/json;q=0", media::json) == 0);
  CHECK(weight("APPLICATION/JSON ; q=0.123", media::json) == 123);
  CHECK(weight("application/json;charset=utf-8;q=1.0", media::json) == 1'000);
  CHECK(preference(accepting({"text/html", "application/json"}), media::json).is_named);
  CHECK_FALSE(preference(accepting({"application/*"}), media::json).is_named);
}

TEST_CASE("What is no weight asks for nothing") {
  const auto* const accept =
      GENERATE("application/json;q=", "application/json;q=x", "application/json;q=1x",
               "application/json;q=0.x", "application/json;q=2", "application/json;q=-1");
  INFO(accept);
  CHECK(weight(accept, media::json) == 0);
}

TEST_CASE("An Accept that is odd does no harm") {
  for (const char* const accept :
       {"", ",", ";", ";;q", ",,,", "/", "*", "application/", "a/b;q=0.00000000001"}) {
    INFO(accept);
    CHECK(weight(accept, media::json) == 0);
  }
}

TEST_CASE("Only a page of this server's own may call") {
  net::HttpRequest request;
  request.set(http::field::host, "127.0.0.1:8080");
  CHECK(is_own_origin(request));
  for (const char* const origin : {"http://127.0.0.1:8080", "https://127.0.0.1:8080"}) {
    request.set(http::field::origin, origin);
    CHECK(is_own_origin(request));
  }
  for (const char* const origin :
       {"http://127.0.0.1:8081", "http://127.0.0.1", "http://evil.example", "null", "",
        "ftp://127.0.0.1:8080", "http://127.0.0.1:8080.evil.example", "127.0.0.1:8080"}) {
    INFO(origin);
    request.set(http::field::origin, origin);
    CHECK_FALSE(is_own_origin(request));
  }
  request.set(http::field::origin, "http://127.0.0.1:8080");
  request.insert(http::field::origin, "http://evil.example");
  CHECK_FALSE(is_own_origin(request));
}

}  // namespace rps::rpc::rest
