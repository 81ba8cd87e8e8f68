#include "stage3_grpc/rest/client_codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "core/move.hpp"
#include "core/net/uri.hpp"
#include "core/number.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/contract/error_details.hpp"
#include "stage3_grpc/rest/json_reader.hpp"

namespace rps::rpc::rest {

namespace {

using Json = nlohmann::json;

constexpr std::string_view hex_digits = "0123456789ABCDEF";

// ---- Requests --------------------------------------------------------------------------------

void append_number(std::size_t value, std::string& out) {
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  out.append(digits.begin(), end);
}

// As one segment of a path (RFC 3986, section 3.3).
void append_segment(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (net::uri::is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', hex_digits[byte / 16], hex_digits[byte % 16]});
  }
}

// As a string of JSON (RFC 8259, section 7). What is no UTF-8 stays as it is.
void append_string(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out.append("\\u00").append({hex_digits[byte / 16], hex_digits[byte % 16]});
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

// A field that is not set is left out.
void append_play(const Command& command, std::string& out) {
  out.push_back('{');
  if (command.move != Move::unspecified) {
    out.append(R"("player_move":")").append(to_string(command.move)).push_back('"');
  }
  if (!command.session_id.empty()) {
    out.append(out.back() == '{' ? "" : ",").append(R"("session_id":)");
    append_string(command.session_id, out);
  }
  out.push_back('}');
}

// ---- Responses -------------------------------------------------------------------------------

// The member `name`; null when there is none. In JSON of protobuf null is as good as none.
// REQUIRES: `object` is one.
const Json* find(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found != object.end() && !found->is_null() ? &*found : nullptr;
}

// The next two leave the value as it is when there is none. False when it is of another type.

bool read_text(const Json* json, std::string& text) {
  if (json == nullptr) return true;
  const auto* const found = json->get_ptr<const std::string*>();
  if (found != nullptr) text = *found;
  return found != nullptr;
}

// A number of 64 bits is a string in protobuf's JSON; its readers take numbers as well.
bool read_count(const Json* json, std::uint64_t& number) {
  if (json == nullptr) return true;
  if (json->is_number_unsigned()) {
    number = json->get<std::uint64_t>();
    return true;
  }
  const auto* const text = json->get_ptr<const std::string*>();
  const auto parsed = text != nullptr ? parse_number<std::uint64_t>(*text) : std::nullopt;
  number = parsed.value_or(number);
  return parsed.has_value();
}

// The ErrorInfo of this project among the details; null when there is none.
const Json* find_error_info(const Json& status) {
  constexpr std::string_view type = "type.googleapis.com/google.rpc.ErrorInfo";
  const Json* const details = find(status, "details");
  if (details == nullptr || !details->is_array()) return nullptr;
  const auto is_ours = [&](const Json& detail) {
    return detail.is_object() && detail.value("@type", Json()) == type &&
           detail.value("domain", Json()) == error_domain;
  };
  const auto found = std::ranges::find_if(*details, is_ours);
  return found != details->end() ? &*found : nullptr;
}

std::optional<Error> error_of_reason(std::string_view reason) {
  const auto found = std::ranges::find(all_errors, reason, reason_of);
  return found != all_errors.end() ? std::optional(*found) : std::nullopt;
}

// Of a google.rpc.Status. False when it is none, or names no error.
bool read_error(const Json& status, Reply& reply) {
  if (!status.is_object()) return false;
  if (const Json* const info = find_error_info(status)) {
    std::string reason;
    if (read_text(find(*info, "reason"), reason)) reply.error = error_of_reason(reason);
    const Json* const metadata = find(*info, "metadata");
    std::uint64_t retry_after_ms = 0;
    if (metadata != nullptr && metadata->is_object() &&
        read_count(find(*metadata, "retry_after_ms"), retry_after_ms)) {
      reply.retry_after_ms =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(retry_after_ms, UINT32_MAX));
    }
  }
  std::string message;
  if (!reply.error && read_text(find(status, "message"), message)) {
    reply.error = parse_error(std::string_view(message).substr(0, message.find(':')));
  }
  return reply.error.has_value();
}

}  // namespace

ClientCodec::ClientCodec(std::string_view authority, std::string_view token)
    : HttpWireCodec({.header_bytes_max = header_bytes_max, .body_bytes_max = body_bytes_max}) {
  std::string fields = " HTTP/1.1\r\nHost: ";
  fields.append(authority).append("\r\n");
  if (!token.empty()) fields.append("Authorization: Bearer ").append(token).append("\r\n");
  play_head_ = "POST /v1/play" + fields + "Content-Type: application/json\r\nContent-Length: ";
  score_tail_ = "/score" + fields + "\r\n";
}

std::optional<Error> ClientCodec::refusal(const Command& command) const {
  if (is_of_duel(command.operation)) return Error::unknown_operation;
  const bool has_no_path = command.operation == Operation::score && command.session_id.empty();
  return has_no_path ? std::optional(Error::malformed_request) : std::nullopt;
}

void ClientCodec::encode(std::uint64_t /*sequence*/, const Command& command, std::string& out) {
  if (command.operation == Operation::score) {
    out.append("GET /v1/sessions/");
    append_segment(command.session_id, out);
    out.append(score_tail_);
    return;
  }
  body_.clear();
  append_play(command, body_);
  out.append(play_head_);
  append_number(body_.size(), out);
  out.append("\r\n\r\n").append(body_);
}

bool ClientCodec::read_body(int status, std::string_view body, const Expected& expected,
                            Reply& reply) {
  if (status != 200) return read_error(Json::parse(body, nullptr, false), reply);
  if (expected.operation == Operation::play) {
    played_.Clear();
    if (read_json(body, played_)) return false;
    reply = read(played_);
    return true;
  }
  v1::ScoreResponse response;
  if (read_json(body, response)) return false;
  reply = read(response);
  return true;
}

}  // namespace rps::rpc::rest
