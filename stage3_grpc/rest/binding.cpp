#include "stage3_grpc/rest/binding.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <google/protobuf/descriptor.h>

#include "core/number.hpp"
#include "core/utf8.hpp"
#include "stage3_grpc/rest/json_reader.hpp"

namespace rps::rpc::rest {

namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool set_enum(Message& owner, const FieldDescriptor& field, const std::string& text) {
  const EnumValueDescriptor* const value = field.enum_type()->FindValueByName(text);
  if (value != nullptr) {
    owner.GetReflection()->SetEnum(&owner, &field, value);
    return true;
  }
  const auto number = parse_number<int>(text);
  if (number) owner.GetReflection()->SetEnumValue(&owner, &field, *number);
  return true;  // The name of no value: as in JSON, the field stays unset.
}

template <std::integral Number>
bool set_number(Message& owner, const FieldDescriptor& field, const std::string& text,
                void (Reflection::*set)(Message*, const FieldDescriptor*, Number) const) {
  const auto number = parse_number<Number>(text);
  if (number) (owner.GetReflection()->*set)(&owner, &field, *number);
  return number.has_value();
}

// Of the types that requests have. False also for another type.
bool set_scalar(Message& owner, const FieldDescriptor& field, const std::string& text) {
  const FieldDescriptor::CppType type = field.cpp_type();
  if (type == FieldDescriptor::CPPTYPE_STRING) {
    owner.GetReflection()->SetString(&owner, &field, text);
    return is_utf8(text);
  }
  if (type == FieldDescriptor::CPPTYPE_ENUM) return set_enum(owner, field, text);
  if (type == FieldDescriptor::CPPTYPE_UINT32) {
    return set_number<std::uint32_t>(owner, field, text, &Reflection::SetUInt32);
  }
  if (type == FieldDescriptor::CPPTYPE_UINT64) {
    return set_number<std::uint64_t>(owner, field, text, &Reflection::SetUInt64);
  }
  return false;
}

// Sets the field at the end of the path, in the messages that contain it.
bool set_field(Message& message, const FieldPath& path, const std::string& text) {
  Message* owner = &message;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    owner = owner->GetReflection()->MutableMessage(owner, path[i]);
  }
  return set_scalar(*owner, *path.back(), text);
}

// One `name=value` of a query.
bool bind_parameter(std::string_view parameter, Message& out) {
  const std::size_t equals = parameter.find('=');
  const auto name = percent_decoded(parameter.substr(0, equals), true);
  const auto value = percent_decoded(
      equals == parameter.npos ? std::string_view() : parameter.substr(equals + 1), true);
  if (!name || !value) return false;
  const auto field = find_field(*out.GetDescriptor(), *name);
  return !field || set_field(out, *field, *value);  // A field that is not known is ignored.
}

bool bind_query(std::string_view query, Message& out) {
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    if (!parameter.empty() && !bind_parameter(parameter, out)) return false;
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
  }
  return true;
}

}  // namespace

bool read_request(const Route& route, std::span<const std::string_view> values,
                  std::string_view query, std::string_view body, Message& out) {
  if (route.has_body) {
    Message* const target = route.body_field != nullptr
                                ? out.GetReflection()->MutableMessage(&out, route.body_field)
                                : &out;
    if (read_json(body, *target).has_value()) return false;
  } else if (!bind_query(query, out)) {
    return false;
  }
  auto value = values.begin();
  for (const Route::Segment& segment : route.segments) {
    if (segment.field.empty()) continue;
    const auto text = percent_decoded(*value++);
    if (!text || !set_field(out, segment.field, *text)) return false;
  }
  return true;
}

}  // namespace rps::rpc::rest
