#include "stage3_grpc/rest/watch.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "core/limits.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/rest/json_writer.hpp"
#include "stage3_grpc/rest/limits.hpp"
#include "stage3_grpc/rest/problem.hpp"

namespace rps::rpc::rest {

namespace {

// FNV-1a, 64 bits (datatracker.ietf.org/doc/html/draft-eastlake-fnv).
std::uint64_t hash(std::string_view bytes) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    value ^= static_cast<unsigned char>(byte);
    value *= 0x100000001b3;
  }
  return value;
}

std::string id_of(const v1::WatchResponse& response) {
  std::array<char, 16> digits{};
  const std::uint64_t value = hash(response.state().SerializeAsString());
  const auto end = std::to_chars(digits.begin(), digits.end(), value, 16).ptr;
  return {digits.begin(), end};
}

v1::WatchResponse response_of(const Observation& seen) {
  v1::WatchResponse response;
  write(seen, response);
  return response;
}

}  // namespace

std::string state_id(const Observation& seen) {
  return id_of(response_of(seen));
}

void append_observation(const Observation& seen, StreamForm form, std::string& out) {
  const v1::WatchResponse response = response_of(seen);
  if (form == StreamForm::events) {
    out.append("id: ").append(id_of(response)).append("\nevent: ").append(to_string(seen.type));
    out.append("\ndata: ");
  }
  append_json(response, out);
  out.append(form == StreamForm::events ? "\n\n" : "\n");
}

void append_error(const Reply& reply, StreamForm form, std::string& out) {
  const std::string status = error_json(reply, ErrorForm::status);
  if (form == StreamForm::events) {
    out.append("event: refused\ndata: ").append(status).append("\n\n");
  } else {
    out.append("{\"error\":").append(status).append("}\n");
  }
}

Watch::Watch(std::unique_ptr<Call> call, Game& game, std::shared_ptr<Feed> feed, StreamForm form)
    : call_(std::move(call)),
      feed_(std::move(feed)),
      form_(form),
      caller_(game, std::weak_ptr<EventSink>(), feed_) {}

Watch::~Watch() {
  caller_.disconnect(Clock::now());
}

bool Watch::begin(std::string_view last_event_id) {
  first_ = feed_->take();
  if (form_ == StreamForm::lines || first_.seen.empty() || last_event_id.empty()) return true;
  const Observation& snapshot = first_.seen.front();
  if (state_id(snapshot) != last_event_id) return true;
  const bool is_over = snapshot.is_over;
  first_.seen.erase(first_.seen.begin());
  return !is_over;
}

bool Watch::append_waiting(std::string& out) {
  const bool goes_on = append(std::exchange(first_, {}), out);
  return goes_on && append(feed_->take(), out);
}

bool Watch::append(const Feed::Notes& notes, std::string& out) const {
  for (const Observation& seen : notes.seen) {
    append_observation(seen, form_, out);
    if (seen.is_over) return false;
  }
  if (notes.is_cut) append_end(Error::overloaded, out);
  return !notes.is_cut;
}

void Watch::append_heartbeat(std::string& out) const {
  if (form_ == StreamForm::events) out.append(":\n\n");
}

void Watch::append_end(Error error, std::string& out) const {
  const std::uint32_t wait_ms = error == Error::overloaded ? rps::limits::retry_after_ms : 0;
  append_error({.operation = Operation::watch, .error = error, .retry_after_ms = wait_ms}, form_,
               out);
}

}  // namespace rps::rpc::rest
