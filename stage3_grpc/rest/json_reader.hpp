// From JSON to a message: the proto3 JSON mapping (protobuf.dev/programming-guides/json) by
// protobuf's reflection, so that nothing is written by hand for a message.
//
// JSON is what RFC 8259 calls so. A field has two names, that of the proto file and its camelCase.
// A number may stand in quotation marks, and an enum value may be its name or its number. `null`
// leaves a field unset. As the contract demands, fields that are not known are ignored; so is the
// name of an enum value that is not known, and the field stays unset.
//
// What is accepted is read as JsonStringToMessage() of protobuf 3.21 reads it, with
// ignore_unknown_fields. This reader refuses more; JsonFault says what. tests/fuzz/rest_json_fuzz
// holds both against each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <google/protobuf/message.h>

namespace rps::rpc::rest {

// Why a text is refused. protobuf refuses it as well unless the comment says otherwise.
enum class JsonFault : std::uint8_t {
  // Not JSON, not UTF-8, half of a surrogate pair, or bytes behind the value. protobuf takes single
  // quotation marks, names without any, commas in front of a closing bracket, numbers such as "1."
  // and "-.5", control characters in strings, and unknown escapes.
  no_json,
  // More than limits::json_depth_max objects and arrays inside each other. protobuf counts objects
  // only.
  too_deep,
  // A number that a double cannot hold. protobuf takes one that is too near to zero for zero.
  number_range,
  // A value of another type than the field's.
  wrong_type,
  // A number that the field's type does not have: 1.5, or -1 for an unsigned one.
  wrong_number,
  // A text for a boolean. protobuf takes "true", "yes", "1" and others.
  text_for_boolean,
  // A repeated field that is no array. protobuf takes the value for its only element.
  no_array,
  // A null or an array among the elements of a repeated field. protobuf ignores the one, and takes
  // the elements of the other.
  no_element,
  // A field given twice, under whatever name. protobuf takes the last value, or both of a message.
  given_twice,
  // Two fields of a oneof.
  oneof_given_twice,
  // An empty name in an object that is a message. protobuf takes it for the field around an element
  // of a repeated field, and refuses it elsewhere.
  empty_name,
};

// Reads the JSON of a message, and sets the fields that it names. Nothing, or what is wrong; then
// `out` may be set in part. REQUIRES: `out` is empty, and field_without_json() finds nothing in its
// type. The time is linear in the text's length; memory is allocated for texts in `out` and for
// strings with escapes.
std::optional<JsonFault> read_json(std::string_view text, google::protobuf::Message& out);

// The first field, of a message of this type or of those inside it, that read_json() and
// append_json() do not know: of type bytes or a floating-point one, a map, a message of protobuf's
// own, or one field too many. Null when they know all.
const google::protobuf::FieldDescriptor* field_without_json(
    const google::protobuf::Descriptor& message);

}  // namespace rps::rpc::rest
