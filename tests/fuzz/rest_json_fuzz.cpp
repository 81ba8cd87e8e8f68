// Any bytes as JSON, read and written by the REST gateway and by protobuf's own library. What the
// gateway takes, protobuf takes for the same message; what only protobuf takes, the gateway refuses
// for a reason that the text shows; and both write the same text, which is read back as it was.
//
// The first byte chooses the message; with its highest bit, what follows is the message in binary.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "rps/v1/rps.pb.h"
#include "stage3_grpc/rest/json_reader.hpp"
#include "stage3_grpc/rest/json_writer.hpp"
#include "stage3_grpc/rest/limits.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/stage3_grpc/rest/protobuf_json.hpp"

namespace rps::rpc::rest {
namespace {

using google::protobuf::Message;
using jsonrpc::require;

// ---- What is strange about a text ------------------------------------------------------------

// As nlohmann's library sees it, which shares no code with ours or with protobuf.
class Oddities final : public nlohmann::json_sax<nlohmann::json> {
 public:
  // Nothing when the text is no JSON.
  static std::optional<Oddities> of(std::string_view text) {
    if (text.contains('\0') || text.starts_with("\xEF\xBB\xBF")) return std::nullopt;
    Oddities seen;
    if (!nlohmann::json::sax_parse(text, &seen)) return std::nullopt;
    // A number that a double takes for zero has many digits or an exponent.
    seen.has_tiny_number_ = text.contains("e-") || text.contains("E-") || text.size() > 300;
    return seen;
  }

  // Whether the text shows the reason of a refusal.
  bool show(JsonFault fault) const {
    switch (fault) {
      case JsonFault::too_deep: return depth_max_ > limits::json_depth_max;
      case JsonFault::number_range: return has_tiny_number_;
      case JsonFault::text_for_boolean: return has_boolean_text_;
      case JsonFault::no_array: return has_no_array_;
      case JsonFault::no_element: return has_no_element_;
      case JsonFault::given_twice: return has_name_twice_;
      case JsonFault::empty_name: return has_empty_name_;
      case JsonFault::no_json:
      case JsonFault::wrong_type:
      case JsonFault::wrong_number:
      case JsonFault::oneof_given_twice: break;  // protobuf refuses it as well.
    }
    return false;
  }

  bool null() override {
    has_no_element_ |= is_in_array();
    return value();
  }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t& text) override {
    constexpr std::array<std::string_view, 10> taken{"true",  "t", "yes", "y", "1",
                                                     "false", "f", "no",  "n", "0"};
    has_boolean_text_ |= std::ranges::find(taken, lower(text)) != taken.end();
    return value();
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    value();
    return open(false);
  }
  bool key(string_t& name) override {
    has_empty_name_ |= name.empty();
    std::string plain = lower(name);
    std::erase(plain, '_');
    is_behind_repeated_ = plain == "players";
    has_name_twice_ |= !open_.back().names.insert(plain).second;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override {
    has_no_element_ |= is_in_array();
    is_behind_repeated_ = false;
    return open(true);
  }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  struct Container {
    bool is_array;
    std::set<std::string> names;
  };

  static std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  }

  bool is_in_array() const { return !open_.empty() && open_.back().is_array; }

  bool value() {
    has_no_array_ |= is_behind_repeated_;
    is_behind_repeated_ = false;
    return true;
  }
  bool open(bool is_array) {
    open_.push_back({.is_array = is_array, .names = {}});
    depth_max_ = std::max(depth_max_, open_.size());
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Container> open_;
  std::size_t depth_max_ = 0;
  bool is_behind_repeated_ = false;
  bool has_tiny_number_ = false;
  bool has_boolean_text_ = false;
  bool has_no_array_ = false;
  bool has_no_element_ = false;
  bool has_name_twice_ = false;
  bool has_empty_name_ = false;
};

// ---- Writing ---------------------------------------------------------------------------------

bool is_like_a_servers(const google::protobuf::Duration& delay) {
  return (delay.seconds() >= 0 && delay.nanos() >= 0) ||
         (delay.seconds() <= 0 && delay.nanos() <= 0);
}

// protobuf writes an Any from its bytes. So they must be those that a server makes of the message.
template <class Detail>
bool is_canonical(const google::protobuf::Any& any, Detail& detail) {
  return any.UnpackTo(&detail) && detail.SerializeAsString() == any.value();
}

// Whether append_json() may be asked to write it: of the details the types that servers send.
bool can_be_written(const google::rpc::Status& status) {
  return std::ranges::all_of(status.details(), [](const google::protobuf::Any& any) {
    google::rpc::ErrorInfo info;
    if (any.Is<google::rpc::ErrorInfo>()) {
      return is_canonical(any, info) && info.metadata_size() <= 1;  // A map has no order.
    }
    google::rpc::RetryInfo retry;
    return any.Is<google::rpc::RetryInfo>() && is_canonical(any, retry) &&
           is_like_a_servers(retry.retry_delay());
  });
}

void check_written(const Message& message) {
  const auto* const status = dynamic_cast<const google::rpc::Status*>(&message);
  if (status != nullptr && !can_be_written(*status)) return;
  std::string expected;
  try {
    expected = written_by_protobuf(message);
  } catch (const std::invalid_argument&) {
    require(status != nullptr, "protobuf writes every message of the game");
    return;
  }
  std::string text;
  append_json(message, text);
  require(text == expected, "the same text");
  require(Oddities::of(text).has_value(), "the text is JSON");
  if (status != nullptr) return;
  const std::unique_ptr<Message> known(message.New());
  known->CopyFrom(message);
  known->DiscardUnknownFields();
  const std::unique_ptr<Message> again(message.New());
  require(!read_json(text, *again).has_value(), "a written message is read");
  require(again->SerializeAsString() == known->SerializeAsString(), "as it was written");
}

// ---- Reading ---------------------------------------------------------------------------------

void check_read(const Message& prototype, std::string_view text) {
  const std::unique_ptr<Message> theirs(prototype.New());
  const bool is_taken = read_by_protobuf(text, *theirs);
  if (is_taken) check_written(*theirs);
  if (field_without_json(*prototype.GetDescriptor()) != nullptr) return;
  const std::unique_ptr<Message> ours(prototype.New());
  const std::optional<JsonFault> fault = read_json(text, *ours);
  if (!fault) {
    require(is_taken, "what is taken, protobuf takes as well");
    require(ours->SerializeAsString() == theirs->SerializeAsString(), "the same message");
    require(Oddities::of(text).has_value(), "what is taken is JSON");
  } else if (is_taken) {
    const std::optional<Oddities> oddities = Oddities::of(text);
    require(!oddities || oddities->show(*fault), "what only protobuf takes has a reason");
  }
}

template <class... Messages>
const Message& message_of(std::size_t choice) {
  const std::array<const Message*, sizeof...(Messages)> all{&Messages::default_instance()...};
  return *all[choice % all.size()];
}

}  // namespace
}  // namespace rps::rpc::rest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps;
  using namespace rps::rpc::rest;
  if (size == 0) return 0;
  constexpr unsigned binary = 0x80;
  const google::protobuf::Message& prototype =
      message_of<v1::PlayRequest, v1::DuelRequest, v1::JoinRequest, v1::ThrowRequest,
                 v1::WatchResponse, v1::PlayResponse, v1::DuelResponse, google::rpc::Status>(
          data[0] & ~binary);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & binary) == 0) {
    check_read(prototype, text);
    return 0;
  }
  const std::unique_ptr<google::protobuf::Message> message(prototype.New());
  if (message->ParseFromArray(text.data(), static_cast<int>(text.size()))) {
    check_written(*message);
  }
  return 0;
}
