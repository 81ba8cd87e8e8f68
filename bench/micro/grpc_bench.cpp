// Stage 3's messages in the codec table: protobuf without gRPC around it, and JSON as the REST
// gateway does it. That JSON stands in the table twice: once by protobuf's own library.
#include <algorithm>
#include <string>
#include <string_view>

#include <google/protobuf/util/json_util.h>

#include "bench/micro/benchmarks.hpp"
#include "bench/micro/codec_table.hpp"
#include "stage2_jsonrpc/big_endian.hpp"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/rest/json_reader.hpp"
#include "stage3_grpc/rest/json_writer.hpp"

namespace rps::micro {

namespace {

// Messages are reused, as gRPC's allocators do; what is measured is conversion and wire format.
class Protobuf {
 public:
  void encode_request(std::uint64_t, const Command& command, std::string& out) {
    request_.Clear();
    rpc::write(command, request_);
    request_.AppendToString(&out);
  }

  bool decode_request(std::string_view message) {
    const bool is_read = request_.ParseFromArray(message.data(), static_cast<int>(message.size()));
    return is_read && rpc::from_wire(request_.player_move()) != Move::unspecified;
  }

  void encode_reply(const Reply& reply, std::string& out) {
    response_.Clear();
    rpc::write(reply, response_);
    response_.AppendToString(&out);
  }

  bool decode_reply(std::string_view message) {
    const bool is_read = response_.ParseFromArray(message.data(), static_cast<int>(message.size()));
    Reply reply = rpc::read(response_);
    benchmark::DoNotOptimize(reply);
    return is_read && reply.opponent_move == Move::paper;
  }

  // Behind one another as in a stream: before each a byte of flags and its length.
  void encode_batch(std::span<const Command> commands, std::string& out) {
    for (const Command& command : commands) {
      const std::size_t head = out.size();
      out.resize(head + prefix_bytes);
      encode_request(0, command, out);
      const auto size = static_cast<std::uint32_t>(out.size() - head - prefix_bytes);
      jsonrpc::store_big_endian(size, out.data() + head + 1);
    }
  }

  std::size_t decode_batch(std::string_view message) {
    std::size_t good = 0;
    while (message.size() >= prefix_bytes) {
      const std::size_t size = jsonrpc::load_big_endian<std::uint32_t>(message.data() + 1);
      good += decode_request(message.substr(prefix_bytes, size)) ? 1 : 0;
      message.remove_prefix(prefix_bytes + size);
    }
    return good;
  }

 private:
  static constexpr std::size_t prefix_bytes = 5;

  v1::PlayRequest request_;
  v1::PlayResponse response_;
};

class GatewayJson {
 public:
  static bool read(std::string_view text, google::protobuf::Message& out) {
    return !rpc::rest::read_json(text, out).has_value();
  }
  static void append(const google::protobuf::Message& message, std::string& out) {
    rpc::rest::append_json(message, out);
  }
};

// With the options that make it do the same.
class ProtobufJson {
 public:
  static bool read(std::string_view text, google::protobuf::Message& out) {
    static const auto options = [] {
      google::protobuf::util::JsonParseOptions made;
      made.ignore_unknown_fields = true;
      return made;
    }();
    return google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &out, options)
        .ok();
  }

  static void append(const google::protobuf::Message& message, std::string& out) {
    static const auto options = [] {
      google::protobuf::util::JsonPrintOptions made;
      made.preserve_proto_field_names = true;
      made.always_print_primitive_fields = true;
      return made;
    }();
    std::string text;
    const bool is_made = google::protobuf::util::MessageToJsonString(message, &text, options).ok();
    benchmark::DoNotOptimize(is_made);
    out.append(text);
  }
};

// A batch is lines, as for /v1/play:many.
template <class Json>
class MessageJson {
 public:
  void encode_request(std::uint64_t, const Command& command, std::string& out) {
    request_.Clear();
    rpc::write(command, request_);
    Json::append(request_, out);
  }

  bool decode_request(std::string_view message) {
    request_.Clear();
    const bool is_read = Json::read(message, request_);
    return is_read && rpc::from_wire(request_.player_move()) != Move::unspecified;
  }

  void encode_reply(const Reply& reply, std::string& out) {
    response_.Clear();
    rpc::write(reply, response_);
    Json::append(response_, out);
  }

  bool decode_reply(std::string_view message) {
    response_.Clear();
    const bool is_read = Json::read(message, response_);
    Reply reply = rpc::read(response_);
    benchmark::DoNotOptimize(reply);
    return is_read && reply.opponent_move == Move::paper;
  }

  void encode_batch(std::span<const Command> commands, std::string& out) {
    for (const Command& command : commands) {
      encode_request(0, command, out);
      out.push_back('\n');
    }
  }

  std::size_t decode_batch(std::string_view message) {
    std::size_t good = 0;
    while (!message.empty()) {
      const std::string_view line = message.substr(0, message.find('\n'));
      good += decode_request(line) ? 1 : 0;
      message.remove_prefix(std::min(message.size(), line.size() + 1));
    }
    return good;
  }

 private:
  v1::PlayRequest request_;
  v1::PlayResponse response_;
};

}  // namespace

void add_grpc_benchmarks() {
  add_to_codec_table<Protobuf>("protobuf");
  add_to_codec_table<MessageJson<GatewayJson>>("rest_json");
  add_to_codec_table<MessageJson<ProtobufJson>>("rest_json_protobuf");
}

}  // namespace rps::micro
