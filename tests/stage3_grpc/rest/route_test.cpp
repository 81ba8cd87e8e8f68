#include "stage3_grpc/rest/route.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <google/protobuf/descriptor.pb.h>

#include "google/api/annotations.pb.h"
#include "rps/v1/rps.pb.h"
#include "tests/catch.hpp"

namespace rps::rpc::rest {

namespace {

const google::protobuf::ServiceDescriptor& game_service() {
  return *v1::PlayRequest::descriptor()->file()->FindServiceByName("RockPaperScissorsService");
}

using google::protobuf::FieldDescriptorProto;

// A service with one method, whose request has a text, a number and a list; with this rule.
class MadeService {
 public:
  explicit MadeService(const google::api::HttpRule& rule,
                       FieldDescriptorProto::Type number = FieldDescriptorProto::TYPE_UINT32)
      : pool_(underlay()) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("made.proto");
    auto& message = *file.add_message_type();
    message.set_name("Request");
    const auto add = [&message](const char* name, auto type, auto label) {
      auto& field = *message.add_field();
      field.set_name(name);
      field.set_number(message.field_size());
      field.set_type(type);
      field.set_label(label);
    };
    add("text", FieldDescriptorProto::TYPE_STRING, FieldDescriptorProto::LABEL_OPTIONAL);
    add("number", number, FieldDescriptorProto::LABEL_OPTIONAL);
    add("list", FieldDescriptorProto::TYPE_STRING, FieldDescriptorProto::LABEL_REPEATED);
    auto& service = *file.add_service();
    service.set_name("Made");
    auto& method = *service.add_method();
    method.set_name("Do");
    method.set_input_type("Request");
    method.set_output_type("Request");
    *method.mutable_options()->MutableExtension(google::api::http) = rule;
    file.add_dependency("google/api/annotations.proto");
    made_ = pool_.BuildFile(file);
    REQUIRE(made_ != nullptr);
  }

  const google::protobuf::ServiceDescriptor& get() const { return *made_->service(0); }

 private:
  static const google::protobuf::DescriptorPool* underlay() {
    google::api::HttpRule::descriptor();  // Links the annotations.
    return google::protobuf::DescriptorPool::generated_pool();
  }

  google::protobuf::DescriptorPool pool_;
  const google::protobuf::FileDescriptor* made_ = nullptr;
};

google::api::HttpRule get_rule(const std::string& path) {
  google::api::HttpRule rule;
  rule.set_get(path);
  return rule;
}

}  // namespace

TEST_CASE("Every method of the service has a route") {
  const RouteTable table(game_service());
  for (int i = 0; i < game_service().method_count(); ++i) {
    const auto* const method = game_service().method(i);
    INFO(method->name());
    CHECK(std::ranges::any_of(table.routes(),
                              [&](const Route& route) { return route.method == method; }));
  }
}

TEST_CASE("A path finds its route, and its variables their values") {
  const RouteTable table(game_service());
  const auto play = table.find("POST", "/v1/play");
  REQUIRE(play.route != nullptr);
  CHECK(play.route->call_name == "/rps.v1.RockPaperScissorsService/Play");
  CHECK(play.route->has_body);
  CHECK(play.values.empty());

  const auto score = table.find("GET", "/v1/sessions/a%2Fb/score");
  REQUIRE(score.route != nullptr);
  CHECK(score.values == std::vector<std::string_view>{"a%2Fb"});
  CHECK(table.find("HEAD", "/v1/sessions/a/score").route == score.route);

  const auto join = table.find("POST", "/v1/games/g/join");
  REQUIRE(join.route != nullptr);
  CHECK(join.route->body_field->name() == "join");
  CHECK(table.find("POST", "/v1/games/g/throw").route->body_field->name() == "throw");
}

TEST_CASE("Of a path that is none, nothing is found") {
  const RouteTable table(game_service());
  const auto* const path = GENERATE("", "/", "/v1", "/v1/", "/v1/play/", "/v1/pla", "/v1/playy",
                                    "//v1/play", "v1/play", "/v1/sessions//score",
                                    "/v1/sessions/a/score/", "/v1/sessions/a/b/score", "/v1/PLAY");
  INFO(path);
  const auto found = table.find("POST", path);
  CHECK(found.route == nullptr);
  CHECK(found.allow.empty());
}

TEST_CASE("Another verb learns which verbs the path has") {
  const RouteTable table(game_service());
  CHECK(table.find("GET", "/v1/play").allow == "OPTIONS, POST");
  CHECK(table.find("PUT", "/v1/sessions/a/score").allow == "GET, HEAD, OPTIONS");
  CHECK(table.find("OPTIONS", "/v1/sessions/a/score").route == nullptr);
}

TEST_CASE("An annotation that cannot be served ends the start") {
  const auto* const path =
      GENERATE("", "v1", "/", "/a//b", "/a/{", "/a/{}", "/a/{none}", "/a/{number}", "/a/{list}",
               "/a/{text}:verb", "/a/*", "/a/{text.a}");
  INFO(path);
  const MadeService service(get_rule(path));
  CHECK_THROWS_AS(RouteTable(service.get()), std::invalid_argument);
}

TEST_CASE("A body must be a message of the request") {
  google::api::HttpRule rule;
  rule.set_post("/a");
  for (const char* const field : {"text", "none"}) {
    rule.set_body(field);
    const MadeService service(rule);
    CHECK_THROWS_AS(RouteTable(service.get()), std::invalid_argument);
  }
}

TEST_CASE("A message that JSON is not known for ends the start") {
  const MadeService service(get_rule("/a/{text}"), FieldDescriptorProto::TYPE_DOUBLE);
  CHECK_THROWS_WITH(RouteTable(service.get()), Catch::Contains("'Request.number' in JSON"));
}

TEST_CASE("Escapes are decoded, and malformed ones are refused") {
  CHECK(percent_decoded("a%20b%2fc%2F") == "a b/c/");
  CHECK(percent_decoded("a+b") == "a+b");
  CHECK(percent_decoded("a+b%2B", true) == "a b+");
  for (const char* const text : {"%", "%2", "a%2", "%2g", "%g2", "%%20"}) {
    INFO(text);
    CHECK_FALSE(percent_decoded(text));
  }
}

}  // namespace rps::rpc::rest
