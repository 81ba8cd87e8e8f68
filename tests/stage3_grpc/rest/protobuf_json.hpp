// JSON as protobuf's own library reads and writes it, with the options that the gateway's contract
// asks for. What json_reader.hpp and json_writer.hpp do is held against it.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

namespace rps::rpc::rest {

// False when protobuf refuses the text.
inline bool read_by_protobuf(std::string_view text, google::protobuf::Message& out) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  return google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &out, options)
      .ok();
}

inline std::string written_by_protobuf(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) {
    throw std::invalid_argument("protobuf cannot write this message");
  }
  return text;
}

}  // namespace rps::rpc::rest
