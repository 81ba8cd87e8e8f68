#include "bench/load/clients/jsonrpc_lean.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/net/stream_client.hpp"
#include "stage2_jsonrpc/client.hpp"
#include "stage2_jsonrpc/frame.hpp"

namespace rps::load {

namespace {

constexpr std::uint64_t sequence = 123'456;

// The session is as long as those that the loop names, so that the requests are as long as others.
constexpr Command command{.move = Move::rock, .session_id = "player-7f3a2b-of-all-41c0d9"};

// Where the payload of a message begins, and how many bytes it has.
struct Payload {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// How good replies begin. Holds nothing until it has seen one.
class GoodReply {
 public:
  // `reply` is whole and good.
  void learn(std::string_view reply) {
    constexpr std::string_view field = "Content-Length: ";
    is_http_ = reply.starts_with("HTTP/");
    const std::size_t field_at = is_http_ ? reply.find(field) : std::string_view::npos;
    const std::size_t type_end = std::min(reply.size(), jsonrpc::frame_header_bytes - 2);
    head_ = reply.substr(0, is_http_ ? field_at + field.size() : type_end);
    fields_.reset();
    const Payload payload = payload_of(reply);
    if (is_http_ && payload.begin > 0) fields_ = fields_before(reply, payload.begin);
    const bool is_understood = (!is_http_ || field_at != std::string_view::npos) &&
                               payload.begin > 0 && payload.begin + payload.size == reply.size();
    if (!is_understood) return head_.clear();
    constexpr std::string_view word = "result";
    constexpr std::size_t fixed_layout_status_end = 10;
    const std::size_t word_at = reply.substr(payload.begin).find(word);
    payload_head_ =
        reply.substr(payload.begin, word_at == std::string_view::npos ? fixed_layout_status_end
                                                                      : word_at + word.size());
  }

  // How long the reply at the front of `bytes` is if it is whole and good; else 0.
  std::size_t size_at_front_of(std::string_view bytes) const {
    if (head_.empty() || !bytes.starts_with(head_)) return 0;
    const Payload payload = payload_of(bytes);
    const std::size_t size = payload.begin + payload.size;
    if (payload.begin == 0 || size > bytes.size()) return 0;
    if (fields_ && fields_before(bytes, payload.begin) != *fields_) return 0;
    return bytes.substr(payload.begin).starts_with(payload_head_) ? size : 0;
  }

 private:
  // REQUIRES: `bytes` begins with head_. `begin` is 0 when the length has not come yet.
  Payload payload_of(std::string_view bytes) const {
    return is_http_ ? http_body(bytes) : frame_payload(bytes);
  }

  static Payload frame_payload(std::string_view bytes) {
    if (bytes.size() < jsonrpc::frame_header_bytes) return {};
    const auto high = static_cast<unsigned char>(bytes[3]);
    const auto low = static_cast<unsigned char>(bytes[4]);
    return {.begin = jsonrpc::frame_header_bytes,
            .size = std::size_t{high} << 8 | std::size_t{low}};
  }

  Payload http_body(std::string_view bytes) const {
    constexpr std::string_view head_end = "\r\n\r\n";
    const std::size_t end = bytes.find(head_end, head_.size());
    if (end == std::string_view::npos) return {};
    std::size_t size = 0;
    std::from_chars(bytes.data() + head_.size(), bytes.data() + end, size);
    return {.begin = end + head_end.size(), .size = size};
  }

  // What stands between the length of the payload and the payload: other fields, which may say that
  // the server closes the connection.
  std::string_view fields_before(std::string_view bytes, std::size_t payload_begin) const {
    const std::string_view fields = bytes.substr(head_.size(), payload_begin - head_.size());
    return fields.substr(std::min(fields.find('\r'), fields.size()));
  }

  bool is_http_ = false;
  std::string head_;                   // Up to the length of the payload.
  std::optional<std::string> fields_;  // Of HTTP.
  std::string payload_head_;  // Of the payload, up to where it shows that the call succeeded.
};

class LeanCodec final : public net::WireCodec {
 public:
  explicit LeanCodec(std::unique_ptr<net::WireCodec> whole) : whole_(std::move(whole)) {
    whole_->encode(sequence, command, request_);
  }

  void encode(std::uint64_t, const Command&, std::string& out) override { out += request_; }

  bool has_last_replies() const override { return whole_->has_last_replies(); }

  // Whatever the command, the request is a round in a session.
  bool may_repeat(const Command&) const override { return false; }

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override {
    if (expected != nullptr) {
      consumed = good_.size_at_front_of(bytes);
      if (consumed > 0) return Outcome::reply;
    }
    constexpr Expected ours{.operation = Operation::play, .sequence = sequence};
    const Outcome outcome =
        whole_->decode(bytes, expected != nullptr ? &ours : nullptr, consumed, reply, event);
    if (outcome == Outcome::reply && !reply.error) good_.learn(bytes.substr(0, consumed));
    return outcome;
  }

  Outcome decode_end(std::string_view bytes, const Expected& expected, Reply& reply) override {
    return whole_->decode_end(bytes, {.operation = expected.operation, .sequence = sequence},
                              reply);
  }

 private:
  std::unique_ptr<net::WireCodec> whole_;
  std::string request_;
  GoodReply good_;
};

std::unique_ptr<net::WireCodec> make_whole_codec(const Url& url) {
  Url whole = url;
  whole.scheme = "jsonrpc";
  return jsonrpc::make_codec(whole);
}

}  // namespace

std::unique_ptr<net::WireCodec> make_lean_codec(std::unique_ptr<net::WireCodec> whole) {
  return std::make_unique<LeanCodec>(std::move(whole));
}

std::unique_ptr<Client> connect_jsonrpc_lean(const Url& url, const ConnectOptions& options) {
  return net::connect_streams(url, options, make_lean_codec(make_whole_codec(url)));
}

void check_jsonrpc_lean(const Url& url) {
  (void)make_whole_codec(url);
}

std::string ready_made_request(const Url& url) {
  std::string request;
  make_whole_codec(url)->encode(sequence, command, request);
  return request;
}

}  // namespace rps::load
