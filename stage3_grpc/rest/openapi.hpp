// The description of the gateway for programs and people: an OpenAPI 3.1 document, made from the
// proto file that the routes come from, with its comments.
//
// Source: https://spec.openapis.org/oas/v3.1.0.
#pragma once

#include <string>
#include <string_view>

namespace rps::rpc::rest {

// The proto file with all that it imports, as a google.protobuf.FileDescriptorSet. Unlike the
// descriptors that generated code has, these know the comments (--include_source_info of protoc).
extern const std::string_view proto_files;

// The document as JSON. Throws std::invalid_argument when `files` is no such set, or does not
// describe the service of the game.
std::string openapi(std::string_view files);

}  // namespace rps::rpc::rest
