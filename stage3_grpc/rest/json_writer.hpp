// From a message to JSON: the proto3 JSON mapping (protobuf.dev/programming-guides/json) by
// protobuf's reflection, so that nothing is written by hand for a message.
//
// The text is that of MessageToJsonString() of protobuf 3.21 with preserve_proto_field_names and
// always_print_primitive_fields, byte for byte; tests/fuzz/rest_json_fuzz holds both against each
// other.
#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

namespace rps::rpc::rest {

// Appends the message as JSON on one line: its fields in the order of the proto file and with its
// names. A 64-bit number is a string. A field of the value zero is shown unless it could be unset.
// REQUIRES: the types of its fields are those of read_json(), or a map from text to text, a
// Duration within its range, or an Any of a type that is linked in, that can be parsed and whose
// fields are such again.
void append_json(const google::protobuf::Message& message, std::string& out);

// Appends a text as a string of JSON. Besides what RFC 8259 demands, it escapes "<" and ">", for
// JSON that is put into a page, and characters that are not seen. A byte that is not UTF-8 becomes
// U+FFFD.
void append_json(std::string_view text, std::string& out);

}  // namespace rps::rpc::rest
