// Which HTTP request stands for a call of which method: the annotations google.api.http of a proto
// service as a table. Nothing is written by hand, so what the proto file says is what is served.
//
// Source: google/api/http.proto. Of its grammar a template has whole segments only, each a constant
// or `{field}`, where `field` may be a path through messages: "/v1/games/{join.game_id}/join".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>

namespace rps::rpc::rest {

// A field of a request, found through the messages that contain it: the outermost first.
using FieldPath = std::vector<const google::protobuf::FieldDescriptor*>;

// The field at "join.game_id" in a message of this type. Nothing when there is none, or when one on
// the way is repeated or no message.
std::optional<FieldPath> find_field(const google::protobuf::Descriptor& message,
                                    std::string_view path);

// `text` without its %XX; nothing when one of them is malformed. With `plus_is_space`, a plus is a
// space, as in a query that a form has made.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space = false);

// One binding of a method.
struct Route {
  struct Segment {
    std::string constant;  // Of a constant segment.
    FieldPath field;       // Of a variable one, otherwise empty.
  };

  const google::protobuf::MethodDescriptor* method = nullptr;
  std::string call_name;  // "/rps.v1.RockPaperScissorsService/Play"
  std::string_view verb;  // "GET" or "POST"
  std::string path;       // As the annotation has it.
  std::vector<Segment> segments;
  bool has_body = false;
  // Which field of the request the body is; null: the whole request.
  const google::protobuf::FieldDescriptor* body_field = nullptr;

  // A stream of gRPC is lines here. A route whose body is a field of the request carries one
  // message of the stream, and is answered with one.
  bool takes_lines() const { return method->client_streaming() && body_field == nullptr; }
  bool answers_in_lines() const { return method->server_streaming() && body_field == nullptr; }

  // Whether answers may be server-sent events.
  bool can_send_events() const { return answers_in_lines() && !takes_lines(); }
};

class RouteTable {
 public:
  // Throws std::invalid_argument, with a sentence about the annotation that is wrong.
  explicit RouteTable(const google::protobuf::ServiceDescriptor& service);
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  const std::vector<Route>& routes() const { return routes_; }

  // What stands under a path. Without a route: `allow` lists the verbs that the path has, for 405
  // and OPTIONS; it is empty when there is no such path.
  struct Found {
    const Route* route = nullptr;
    std::vector<std::string_view> values;  // Of the variables, in order; parts of `path`, encoded.
    std::string allow;
  };

  // HEAD is answered by the route of GET. `path`: without query.
  Found find(std::string_view verb, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace rps::rpc::rest
