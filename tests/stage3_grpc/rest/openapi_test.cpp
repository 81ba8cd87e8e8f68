#include "stage3_grpc/rest/openapi.hpp"

#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "rps/v1/rps.pb.h"
#include "stage3_grpc/rest/route.hpp"
#include "tests/catch.hpp"

namespace rps::rpc::rest {

namespace {

using nlohmann::json;

// Calls `visit` with each reference in the document.
void for_each_reference(const json& value, const auto& visit) {
  if (value.is_object() && value.contains("$ref")) visit(value["$ref"].get<std::string>());
  if (!value.is_structured()) return;
  for (const auto& part : value) for_each_reference(part, visit);
}

}  // namespace

TEST_CASE("Every route is described, with what the proto file says about it") {
  const json document = json::parse(openapi(proto_files));
  const RouteTable table(
      *v1::PlayRequest::descriptor()->file()->FindServiceByName("RockPaperScissorsService"));
  for (const Route& route : table.routes()) {
    INFO(route.path);
    const json& operation = document["paths"][route.path][route.verb == "GET" ? "get" : "post"];
    CHECK_FALSE(operation["summary"].get<std::string>().empty());
    CHECK(operation["responses"].contains("200"));
    // Also of a call without a body: a request may bring one all the same.
    for (const char* const status : {"408", "413", "417", "421", "431", "501"}) {
      CHECK(operation["responses"].contains(status));
    }
  }
  const json& play = document["paths"]["/v1/play"]["post"];
  CHECK(play["summary"] == "Plays one round against the house");
  const json& move = document["components"]["schemas"]["Move"];
  CHECK(move["enum"] == json::array({"ROCK", "PAPER", "SCISSORS"}));
  CHECK(move["description"].get<std::string>().contains("Crushes scissors."));
}

TEST_CASE("Every reference of the document leads somewhere") {
  const json document = json::parse(openapi(proto_files));
  for_each_reference(document, [&](const std::string& reference) {
    INFO(reference);
    CHECK(document.contains(json::json_pointer(reference.substr(1))));
  });
}

TEST_CASE("What is no set of proto files ends the start") {
  CHECK_THROWS_AS(openapi("\xff"), std::invalid_argument);
  CHECK_THROWS_AS(openapi(""), std::invalid_argument);
}

}  // namespace rps::rpc::rest
