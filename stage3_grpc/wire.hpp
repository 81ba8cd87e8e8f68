// Messages as the bytes that gRPC carries, and replies as the statuses that calls end with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "core/command.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/status.hpp"

namespace rps::rpc {

// Nothing when the bytes are no such message.
template <class Message>
std::optional<Message> parse(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;  // A request of one slice, as nearly all are, is read where it lies.
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) return {};
  std::optional<Message> message(std::in_place);
  if (!message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) message.reset();
  return message;
}

template <class Message>
grpc::ByteBuffer to_bytes(const Message& message) {
  grpc::Slice slice(message.ByteSizeLong());
  // Nobody else holds the slice yet, so its bytes may be written.
  message.SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
  return {&slice, 1};
}

// The reply as the bytes of a `Response`.
template <class Response>
grpc::ByteBuffer encode(const Reply& reply) {
  Response response;
  write(reply, response);
  return to_bytes(response);
}

// The status with which a call ends after this reply. With `overloaded` the trailing metadata say
// when to try again.
inline grpc::Status status_of(const Reply& reply, grpc::CallbackServerContext& context) {
  if (!reply.error) return grpc::Status::OK;
  if (*reply.error == Error::overloaded) {
    const std::string wait_ms = std::to_string(reply.retry_after_ms);
    context.AddTrailingMetadata(retry_after_key, wait_ms);
    context.AddTrailingMetadata(pushback_key, wait_ms);
  }
  return to_status(reply);
}

}  // namespace rps::rpc
