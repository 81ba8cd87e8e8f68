#include "stage3_grpc/rest/route.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "google/api/annotations.pb.h"
#include "stage3_grpc/rest/json_reader.hpp"

namespace rps::rpc::rest {

namespace {

using google::api::HttpRule;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;

[[noreturn]] void refuse(const MethodDescriptor& method, const std::string& why) {
  throw std::invalid_argument("google.api.http of " + method.full_name() + ": " + why);
}

// The segment at the front of `rest`, which begins with a slash; takes it away.
std::string_view take_segment(std::string_view& rest) {
  rest.remove_prefix(1);
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

Route::Segment parse_segment(const MethodDescriptor& method, std::string_view text) {
  if (!text.starts_with('{')) {
    if (text.empty() || text.find_first_of("{}*") != text.npos) {
      refuse(method, "'" + std::string(text) + "' is no segment of a template");
    }
    return {.constant = std::string(text), .field = {}};
  }
  const std::string_view name = text.substr(1, text.size() - 2);
  auto field = find_field(*method.input_type(), name);
  if (!text.ends_with('}') || !field || field->back()->type() != FieldDescriptor::TYPE_STRING) {
    refuse(method, "'" + std::string(text) + "' names no text field of the request");
  }
  return {.constant = {}, .field = *std::move(field)};
}

void check_json(const MethodDescriptor& method) {
  for (const Descriptor* const message : {method.input_type(), method.output_type()}) {
    if (const FieldDescriptor* const field = field_without_json(*message)) {
      refuse(method, "the gateway cannot spell the field '" + field->full_name() + "' in JSON");
    }
  }
}

Route make_route(const MethodDescriptor& method, const HttpRule& rule) {
  Route route{.method = &method,
              .call_name = "/" + method.service()->full_name() + "/" + method.name(),
              .verb = rule.pattern_case() == HttpRule::kGet ? "GET" : "POST",
              .path = rule.pattern_case() == HttpRule::kGet ? rule.get() : rule.post()};
  if (!route.path.starts_with('/')) refuse(method, "the path must begin with a slash");
  for (std::string_view rest = route.path; !rest.empty();) {
    route.segments.push_back(parse_segment(method, take_segment(rest)));
  }
  route.has_body = !rule.body().empty();
  if (!route.has_body || rule.body() == "*") return route;
  route.body_field = method.input_type()->FindFieldByName(rule.body());
  const bool is_message = route.body_field != nullptr &&
                          route.body_field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                          !route.body_field->is_repeated();
  if (!is_message) refuse(method, "the body '" + rule.body() + "' is no message of the request");
  return route;
}

bool matches(const Route& route, std::string_view path, std::vector<std::string_view>& values) {
  values.clear();
  for (const Route::Segment& segment : route.segments) {
    if (!path.starts_with('/')) return false;
    const std::string_view text = take_segment(path);
    if (segment.field.empty() ? text != segment.constant : text.empty()) return false;
    if (!segment.field.empty()) values.push_back(text);
  }
  return path.empty();
}

// The value of a hexadecimal digit; nothing for another character.
std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

std::optional<FieldPath> find_field(const Descriptor& message, std::string_view path) {
  FieldPath found;
  const Descriptor* owner = &message;
  for (;;) {
    const std::size_t dot = path.find('.');
    if (owner == nullptr) return std::nullopt;
    const FieldDescriptor* const field = owner->FindFieldByName(std::string(path.substr(0, dot)));
    if (field == nullptr || field->is_repeated()) return std::nullopt;
    found.push_back(field);
    if (dot == path.npos) return found;
    owner = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ? field->message_type() : nullptr;
    path.remove_prefix(dot + 1);
  }
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[at] != '%') {
      out.push_back(text[at]);
    } else {
      if (text.size() - at < 3) return std::nullopt;
      const auto high = hex_digit(text[at + 1]);
      const auto low = hex_digit(text[at + 2]);
      if (!high || !low) return std::nullopt;
      out.push_back(static_cast<char>(*high << 4 | *low));
      at += 2;
    }
  }
  return out;
}

RouteTable::RouteTable(const google::protobuf::ServiceDescriptor& service) {
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    const HttpRule& rule = method.options().GetExtension(google::api::http);
    if (rule.pattern_case() == HttpRule::PATTERN_NOT_SET) continue;
    check_json(method);
    routes_.push_back(make_route(method, rule));
    for (const HttpRule& more : rule.additional_bindings()) {
      if (more.pattern_case() == HttpRule::PATTERN_NOT_SET) refuse(method, "a binding has no path");
      routes_.push_back(make_route(method, more));
    }
  }
}

RouteTable::Found RouteTable::find(std::string_view verb, std::string_view path) const {
  if (verb == "HEAD") verb = "GET";
  Found found;
  std::set<std::string_view> verbs;
  for (const Route& route : routes_) {
    if (!matches(route, path, found.values)) continue;
    if (route.verb == verb) {
      found.route = &route;
      return found;
    }
    verbs.insert(route.verb);
    verbs.insert("OPTIONS");
    if (route.verb == "GET") verbs.insert("HEAD");
  }
  found.values.clear();
  for (const std::string_view one : verbs) {
    found.allow.append(found.allow.empty() ? "" : ", ").append(one);
  }
  return found;
}

}  // namespace rps::rpc::rest
