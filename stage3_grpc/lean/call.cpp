#include "stage3_grpc/lean/call.hpp"

#include <algorithm>
#include <cassert>

#include <google/protobuf/io/coded_stream.h>

#include "core/number.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/error_details.hpp"
#include "stage3_grpc/contract/status.hpp"
#include "stage3_grpc/lean/base64.hpp"

namespace rps::rpc {

namespace {

// Before each message: one byte that says whether it is compressed, and four that are its length
// (gRPC over HTTP/2, "Length-Prefixed-Message").
constexpr std::size_t prefix_bytes = 5;

void write_message(const google::protobuf::MessageLite& message, std::string& out) {
  const std::size_t size = message.ByteSizeLong();
  out.resize(prefix_bytes + size);
  out[0] = 0;
  for (std::size_t i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(size >> (24 - 8 * i));
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data()) +
                                          prefix_bytes);
}

// What a response means that did not come from a gRPC server: "HTTP to gRPC Status Code Mapping" of
// gRPC's documentation.
grpc::StatusCode code_of_http(int status) {
  switch (status) {
    case 400: return grpc::INTERNAL;
    case 401: return grpc::UNAUTHENTICATED;
    case 403: return grpc::PERMISSION_DENIED;
    case 404: return grpc::UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504: return grpc::UNAVAILABLE;
    default: return grpc::UNKNOWN;
  }
}

// A push-back that is no number, or is negative, forbids further attempts (proposal A6 of
// grpc/proposal): it is a time that no deadline reaches.
std::uint32_t read_pushback(std::string_view value) {
  const auto ms = parse_number<std::int32_t>(value);
  return ms && *ms >= 0 ? static_cast<std::uint32_t>(*ms) : UINT32_MAX;
}

// Empties a message. Clear() would do, but it frees the messages inside it.
void reset(v1::PlayResponse& response) {
  if (!response.GetReflection()->GetUnknownFields(response).empty()) return response.Clear();
  response.clear_opponent_move();
  response.clear_result();
  response.clear_reason();
  response.clear_round();
  response.mutable_score()->Clear();
}

void reset(v1::ScoreResponse& response) {
  response.Clear();
}

template <class Message>
Reply parse(std::string_view bytes, Operation operation, Message& message) {
  reset(message);
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  if (!message.MergeFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return {.operation = operation, .error = Error::internal};
  }
  return read(message);
}

}  // namespace

void LeanCall::begin(std::uint64_t id, const Command& command, LeanMessages& messages) {
  id_ = id;
  operation_ = command.operation;
  sent_at = {};
  switch (operation_) {
    case Operation::play:
      write(command, messages.play_request);
      write_message(messages.play_request, request_);
      break;
    case Operation::score:
      write(command, messages.score_request);
      write_message(messages.score_request, request_);
      break;
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave:
    case Operation::watch: assert(false && "no unary call");
  }
  forget_response();
}

void LeanCall::take_over(LeanCall& other) {
  id_ = other.id_;
  operation_ = other.operation_;
  sent_at = other.sent_at;
  request_.swap(other.request_);
  forget_response();
}

void LeanCall::forget_response() {
  taken_ = 0;
  has_left = false;
  response_.clear();
  is_response_too_long_ = false;
  http_status_ = 0;
  grpc_status_.reset();
  is_grpc_ = false;
  retry_after_ms_ = 0;
  grpc_message_.clear();
  grpc_details_.clear();
}

std::string_view LeanCall::take_request(std::size_t room) {
  const std::string_view bytes = std::string_view(request_).substr(taken_, room);
  taken_ += bytes.size();
  return bytes;
}

void LeanCall::on_header(std::string_view name, std::string_view value) {
  if (name == ":status") {
    http_status_ = parse_number<int>(value).value_or(0);
  } else if (name == "content-type") {
    is_grpc_ = value.starts_with("application/grpc");
  } else if (name == "grpc-status") {
    grpc_status_ = parse_number<int>(value).value_or(grpc::UNKNOWN);
  } else if (name == "grpc-message") {
    grpc_message_ = value;
  } else if (name == "grpc-status-details-bin") {
    grpc_details_ = value;
  } else if (name == retry_after_key || name == pushback_key) {
    retry_after_ms_ = read_pushback(value);
  }
}

// Of the metadata, else of the RetryInfo in the details.
std::uint32_t LeanCall::retry_after_ms() const {
  if (retry_after_ms_ != 0 || grpc_details_.empty()) return retry_after_ms_;
  const std::optional<std::string> bytes = decode_base64(grpc_details_);
  return bytes ? retry_delay_ms(*bytes) : 0;
}

void LeanCall::on_data(std::string_view bytes) {
  if (response_.size() + bytes.size() > response_bytes_max) {
    is_response_too_long_ = true;
  } else {
    response_ += bytes;
  }
}

// The message, when the response is exactly one.
std::optional<std::string_view> LeanCall::message() const {
  if (is_response_too_long_ || response_.size() < prefix_bytes || response_[0] != 0) {
    return std::nullopt;
  }
  std::size_t size = 0;
  for (std::size_t i = 1; i < prefix_bytes; ++i) {
    size = size << 8 | static_cast<unsigned char>(response_[i]);
  }
  const std::string_view bytes = std::string_view(response_).substr(prefix_bytes);
  return size == bytes.size() ? std::optional(bytes) : std::nullopt;
}

grpc::Status LeanCall::status() const {
  if (http_status_ != 200) return {code_of_http(http_status_), ""};
  if (!is_grpc_ || !grpc_status_) return {grpc::UNKNOWN, ""};
  const bool is_known = *grpc_status_ >= grpc::OK && *grpc_status_ <= grpc::UNAUTHENTICATED;
  return {is_known ? static_cast<grpc::StatusCode>(*grpc_status_) : grpc::UNKNOWN, grpc_message_};
}

Reply LeanCall::answer(LeanMessages& messages) const {
  const bool is_good = http_status_ == 200 && is_grpc_ && grpc_status_ == grpc::OK;
  if (!is_good) {
    return {.operation = operation_,
            .error = error_of(status(), operation_),
            .retry_after_ms = retry_after_ms()};
  }
  const std::optional<std::string_view> bytes = message();
  if (!bytes) return {.operation = operation_, .error = Error::internal};
  switch (operation_) {
    case Operation::play: return parse(*bytes, operation_, messages.play_response);
    case Operation::score: return parse(*bytes, operation_, messages.score_response);
    case Operation::join:
    case Operation::throw_move:
    case Operation::leave:
    case Operation::watch: break;
  }
  return {.operation = operation_, .error = Error::unknown_operation};
}

}  // namespace rps::rpc
