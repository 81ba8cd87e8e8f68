// Messages as the bytes that gRPC carries, and refusals as the statuses that calls end with.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "core/game.hpp"
#include "stage3_grpc/convert.hpp"
#include "stage3_grpc/status.hpp"

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

// How a call ends that was refused. `overloaded` says in the trailing metadata when to come again.
inline grpc::Status refuse(grpc::CallbackServerContext& context, Error error) {
  if (error == Error::overloaded) {
    context.AddTrailingMetadata(retry_after_key, std::to_string(rps::limits::retry_after_ms));
  }
  return to_status(error);
}

}  // namespace rps::rpc
