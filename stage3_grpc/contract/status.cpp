#include "stage3_grpc/contract/status.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "stage3_grpc/contract/error_details.hpp"

namespace rps::rpc {

namespace {

// gRPC itself refuses what is too long, before any of our code runs, with a message of its own.
bool is_about_size(std::string_view message) {
  return message.contains("larger than max");
}

Error error_of(grpc::StatusCode code, std::string_view message, Operation operation) {
  switch (code) {
    case grpc::INVALID_ARGUMENT:
    case grpc::OUT_OF_RANGE: return Error::malformed_request;
    case grpc::UNIMPLEMENTED: return Error::unknown_operation;
    case grpc::NOT_FOUND:
      return is_of_duel(operation) ? Error::unknown_game : Error::unknown_session;
    case grpc::FAILED_PRECONDITION:
    case grpc::ALREADY_EXISTS:
    case grpc::ABORTED:
      return operation == Operation::join ? Error::game_full : Error::not_your_turn;
    case grpc::RESOURCE_EXHAUSTED:
      return is_about_size(message) ? Error::too_large : Error::overloaded;
    case grpc::DEADLINE_EXCEEDED: return Error::deadline_exceeded;
    case grpc::CANCELLED:  // Cut off by a server that shuts down.
    case grpc::UNAVAILABLE: return Error::unavailable;
    case grpc::UNAUTHENTICATED: return Error::unauthenticated;
    case grpc::PERMISSION_DENIED: return Error::permission_denied;
    case grpc::OK:
    case grpc::UNKNOWN:
    case grpc::INTERNAL:
    case grpc::DATA_LOSS:
    case grpc::DO_NOT_USE: break;
  }
  return Error::internal;
}

// The error that one of our servers has put in front of its message.
std::optional<Error> named_error(const grpc::Status& status) {
  const std::string message = status.error_message();
  const std::optional<Error> named = parse_error(message.substr(0, message.find(':')));
  return named && code_of(*named) == status.error_code() ? named : std::nullopt;
}

grpc::Status make_status(const Reply& reply) {
  return {code_of(*reply.error), message_of(*reply.error), rich_status(reply).SerializeAsString()};
}

// In the order of their enumerators.
std::array<grpc::Status, all_errors.size()> plain_statuses() {
  std::array<grpc::Status, all_errors.size()> statuses;
  for (const Error error : all_errors) {
    statuses[static_cast<std::size_t>(error)] = make_status({.error = error});
  }
  return statuses;
}

}  // namespace

grpc::StatusCode code_of(Error error) {
  switch (error) {
    case Error::invalid_move:
    case Error::malformed_request: return grpc::INVALID_ARGUMENT;
    case Error::unknown_operation: return grpc::UNIMPLEMENTED;
    case Error::unknown_session:
    case Error::unknown_game: return grpc::NOT_FOUND;
    case Error::not_your_turn:
    case Error::game_full: return grpc::FAILED_PRECONDITION;
    case Error::unauthenticated: return grpc::UNAUTHENTICATED;
    case Error::permission_denied: return grpc::PERMISSION_DENIED;
    case Error::too_large:
    case Error::overloaded: return grpc::RESOURCE_EXHAUSTED;
    case Error::deadline_exceeded: return grpc::DEADLINE_EXCEEDED;
    case Error::unavailable: return grpc::UNAVAILABLE;
    case Error::internal: return grpc::INTERNAL;
  }
  return grpc::INTERNAL;
}

std::string message_of(Error error) {
  std::string message(to_string(error));
  message.append(": ").append(explain(error));
  return message;
}

grpc::Status to_status(const Reply& reply) {
  static const std::array<grpc::Status, all_errors.size()> plain = plain_statuses();
  if (*reply.error == Error::overloaded) return make_status(reply);
  return plain[static_cast<std::size_t>(*reply.error)];
}

grpc::Status to_status(Error error) {
  return to_status(Reply{.error = error});
}

Error error_of(const grpc::Status& status, Operation operation) {
  if (const std::optional<Error> named = named_error(status)) return *named;
  return error_of(status.error_code(), status.error_message(), operation);
}

// gRPC's client gives a broken connection the code UNAVAILABLE, as a server may that drains; its
// messages tell them apart.
bool is_answer(const grpc::Status& status) {
  if (status.error_code() != grpc::UNAVAILABLE && status.error_code() != grpc::CANCELLED) {
    return true;
  }
  return named_error(status).has_value() ||
         status.error_message().contains("http2 header with status");
}

}  // namespace rps::rpc
