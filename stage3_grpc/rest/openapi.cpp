#include "stage3_grpc/rest/openapi.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include <google/protobuf/descriptor.pb.h>
#include <nlohmann/json.hpp>

#include "stage3_grpc/rest/negotiation.hpp"
#include "stage3_grpc/rest/route.hpp"

namespace rps::rpc::rest {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using Json = nlohmann::ordered_json;

// The comment in front of a declaration, its paragraphs as lines.
template <class Declaration>
std::string comment_of(const Declaration& declaration) {
  google::protobuf::SourceLocation location;
  if (!declaration.GetSourceLocation(&location)) return "";
  std::string text;
  for (std::size_t at = 0; at < location.leading_comments.size();) {
    const std::size_t end = location.leading_comments.find('\n', at);
    std::string line = location.leading_comments.substr(at, end - at);
    line.erase(0, line.find_first_not_of(' '));
    if (line.empty()) {
      text.append("\n\n");
    } else {
      text.append(text.empty() || text.ends_with('\n') ? "" : " ").append(line);
    }
    if (end == std::string::npos) break;
    at = end + 1;
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// The first sentence, without its full stop.
std::string summary_of(const std::string& text) {
  return text.substr(0, std::min(text.find(". "), text.find(".\n")));
}

Json reference_to(const std::string& name) {
  return {{"$ref", "#/components/schemas/" + name}};
}

Json enum_schema(const EnumDescriptor& type) {
  Json names = Json::array();
  std::string text = comment_of(type);
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    if (value.number() == 0) continue;  // Means that the field is not set.
    names.push_back(value.name());
    text.append("\n* `").append(value.name()).append("`: ").append(comment_of(value));
  }
  return {{"type", "string"}, {"description", text}, {"enum", std::move(names)}};
}

// The JSON of one value of the field (proto3 JSON: 64 bits are a string).
Json value_schema(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: return reference_to(field.message_type()->name());
    case FieldDescriptor::CPPTYPE_ENUM: return reference_to(field.enum_type()->name());
    case FieldDescriptor::CPPTYPE_BOOL: return {{"type", "boolean"}};
    case FieldDescriptor::CPPTYPE_STRING: return {{"type", "string"}};
    case FieldDescriptor::CPPTYPE_UINT32:
      return {{"type", "integer"}, {"minimum", 0}, {"maximum", 4'294'967'295U}};
    case FieldDescriptor::CPPTYPE_UINT64:
      return {{"type", "string"}, {"format", "uint64"}, {"pattern", "^[0-9]+$"}};
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: break;
  }
  throw std::invalid_argument("OpenAPI: no schema for the type of " + field.full_name());
}

Json field_schema(const FieldDescriptor& field) {
  Json schema = field.is_repeated() ? Json{{"type", "array"}, {"items", value_schema(field)}}
                                    : value_schema(field);
  if (std::string text = comment_of(field); !text.empty()) schema["description"] = std::move(text);
  return schema;
}

// The schemas of the messages that calls use, and of what these contain.
class Schemas {
 public:
  void add(const Descriptor& message) {
    if (!names_.insert(message.name()).second) return;
    Json properties = Json::object();
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      properties[field.name()] = field_schema(field);
      if (field.message_type() != nullptr) add(*field.message_type());
      if (field.enum_type() != nullptr) add(*field.enum_type());
    }
    Json schema{{"type", "object"}, {"description", comment_of(message)}};
    if (!properties.empty()) schema["properties"] = std::move(properties);
    made_[message.name()] = std::move(schema);
  }

  Json take() && { return std::move(made_); }

 private:
  void add(const EnumDescriptor& type) {
    if (names_.insert(type.name()).second) made_[type.name()] = enum_schema(type);
  }

  Json made_ = Json::object();
  std::set<std::string> names_;
};

// google.rpc.Status and a problem, which the proto file of the game does not mention.
void add_error_schemas(Json& schemas) {
  schemas["Status"] = {
      {"type", "object"},
      {"description", "An error: a google.rpc.Status."},
      {"required", {"code", "message", "details"}},
      {"properties",
       {{"code", {{"type", "integer"}, {"description", "The status code of gRPC."}}},
        {"message", {{"type", "string"}, {"description", "The error's name and a sentence."}}},
        {"details",
         {{"type", "array"},
          {"items",
           {{"type", "object"},
            {"required", {"@type"}},
            {"properties",
             {{"@type", {{"type", "string"}}},
              {"reason", {{"type", "string"}}},
              {"domain", {{"type", "string"}}}}}}}}}}}};
  schemas["Problem"] = {
      {"type", "object"},
      {"description", "An error as RFC 9457 has it, for a client whose Accept names the type."},
      {"required", {"type", "title", "status", "detail"}},
      {"properties",
       {{"type", {{"type", "string"}}},
        {"title", {{"type", "string"}}},
        {"status", {{"type", "integer"}}},
        {"detail", {{"type", "string"}}},
        {"error", {{"type", "string"}, {"description", "The error's name."}}},
        {"retry_after_ms", {{"type", "integer"}}}}}};
}

struct Refusal {
  const char* status;
  const char* text;
};
// Of each call; and only of those with a body, for a session or game that must exist, of a duel.
constexpr Refusal of_all[] = {
    {"400", "The request cannot be read, or a value in it is wrong."},
    {"401", "The server asks who calls, and does not know the caller."},
    {"403", "The caller may not do this; or a page of another origin asks."},
    {"406", "The answer has no type that Accept allows."},
    {"408", "The request took too long."},
    {"413", "The body is too long."},
    {"417", "The request expects (Expect) more than the server does."},
    {"421", "The server has no such name."},
    {"429", "A limit is reached. Retry-After says when to ask again."},
    {"431", "The request line and the fields are too long."},
    {"501", "The body is transferred in another coding than chunked."},
    {"503", "The server drains."},
};
constexpr Refusal of_body[] = {{"415", "The body has another type, or a coding."}};
constexpr Refusal of_existing[] = {{"404", "There is no such session or game."}};
constexpr Refusal of_duel[] = {{"409", "The duel does not allow this now."}};

void add_refusals(Json& responses, std::span<const Refusal> refusals) {
  for (const Refusal& refusal : refusals) {
    Json& response = responses[refusal.status];
    response["description"] = refusal.text;
    if (std::string_view(refusal.status) == "429") {
      response["headers"]["Retry-After"] = {{"description", "Seconds."},
                                            {"schema", {{"type", "integer"}, {"minimum", 1}}}};
    }
    response["content"] = {{std::string(media::json), {{"schema", reference_to("Status")}}},
                           {std::string(media::problem), {{"schema", reference_to("Problem")}}}};
  }
}

// Whether the path names something that must exist. The first who joins a duel opens it.
bool asks_for_existing(const Route& route) {
  const bool has_variable = route.path.find('{') != std::string::npos;
  return has_variable && (route.body_field == nullptr || route.body_field->name() != "join");
}

Json responses_of(const Route& route) {
  const MethodDescriptor& method = *route.method;
  const Json schema{{"schema", reference_to(method.output_type()->name())}};
  Json content;
  std::string text = comment_of(*method.output_type());
  if (route.answers_in_lines()) {
    text = "One on each line, or in each event: " + text;
    content[std::string(media::json_lines)] = schema;
    if (route.can_send_events()) content[std::string(media::event_stream)] = schema;
  } else {
    content[std::string(media::json)] = schema;
  }
  Json responses{{"200", {{"description", text}, {"content", std::move(content)}}}};
  if (route.can_send_events()) {
    responses["204"]["description"] =
        "The duel is over, and Last-Event-ID is that of its last event: nothing follows.";
  }
  add_refusals(responses, of_all);
  if (route.has_body) add_refusals(responses, of_body);
  if (asks_for_existing(route)) add_refusals(responses, of_existing);
  if (route.body_field != nullptr) add_refusals(responses, of_duel);
  return responses;
}

Json parameters_of(const Route& route) {
  Json parameters = Json::array();
  for (const Route::Segment& segment : route.segments) {
    if (segment.field.empty()) continue;
    std::string name;
    for (const FieldDescriptor* const part : segment.field) {
      name.append(name.empty() ? "" : ".").append(part->name());
    }
    parameters.push_back({{"name", name},
                          {"in", "path"},
                          {"required", true},
                          {"description", comment_of(*segment.field.back())},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

Json body_of(const Route& route) {
  const Descriptor& type =
      route.body_field != nullptr ? *route.body_field->message_type() : *route.method->input_type();
  const Json schema{{"schema", reference_to(type.name())}};
  const bool has_lines = route.takes_lines();
  const std::string media(has_lines ? media::json_lines : media::json);
  Json body{{"required", true}, {"content", {{media, schema}}}};
  body["description"] = (has_lines ? "One on each line: " : "") + comment_of(type);
  return body;
}

Json operation_of(const Route& route) {
  const std::string text = route.body_field != nullptr
                               ? comment_of(*route.body_field->message_type())
                               : comment_of(*route.method);
  std::string name = route.method->name();
  if (route.body_field != nullptr) name.append("_").append(route.body_field->name());
  Json operation{{"operationId", name}, {"summary", summary_of(text)}, {"description", text}};
  if (Json parameters = parameters_of(route); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (route.has_body) operation["requestBody"] = body_of(route);
  operation["responses"] = responses_of(route);
  return operation;
}

const ServiceDescriptor& read_service(DescriptorPool& pool, std::string_view files) {
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromArray(files.data(), static_cast<int>(files.size()))) {
    throw std::invalid_argument("OpenAPI: no set of proto files");
  }
  for (const auto& file : set.file()) pool.BuildFile(file);
  const auto* const service = pool.FindServiceByName("rps.v1.RockPaperScissorsService");
  if (service == nullptr) throw std::invalid_argument("OpenAPI: the set has no such service");
  return *service;
}

}  // namespace

std::string openapi(std::string_view files) {
  DescriptorPool pool;
  const ServiceDescriptor& service = read_service(pool, files);
  const RouteTable table(service);
  Schemas schemas;
  Json paths = Json::object();
  for (const Route& route : table.routes()) {
    schemas.add(route.body_field != nullptr ? *route.body_field->message_type()
                                            : *route.method->input_type());
    schemas.add(*route.method->output_type());
    paths[route.path][route.verb == "GET" ? "get" : "post"] = operation_of(route);
  }
  Json components{{"schemas", std::move(schemas).take()}};
  add_error_schemas(components["schemas"]);
  components["securitySchemes"]["token"] = {{"type", "http"}, {"scheme", "bearer"}};
  Json document{{"openapi", "3.1.0"},
                {"info",
                 {{"title", "Rock, paper, scissors"},
                  {"version", "v1"},
                  {"description", comment_of(service)},
                  {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
                {"servers", Json::array({Json{{"url", "/"}}})},
                {"security", Json::array({Json::object(), Json{{"token", Json::array()}}})},
                {"paths", std::move(paths)},
                {"components", std::move(components)}};
  return document.dump();
}

}  // namespace rps::rpc::rest
