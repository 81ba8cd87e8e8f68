// Stage 3's messages in the codec table: protobuf without gRPC around it.
#include <string>
#include <string_view>

#include "bench/micro/codec_table.hpp"
#include "stage3_grpc/convert.hpp"

namespace rps::load {

namespace {

// Messages are reused, as gRPC's allocators do; what is measured is conversion and wire format.
class Protobuf {
 public:
  void encode_request(const Command& command, std::string& out) {
    request_.Clear();
    rpc::write(command, request_);
    request_.AppendToString(&out);
  }

  bool decode_request(std::string_view message) {
    const bool is_read = request_.ParseFromArray(message.data(), static_cast<int>(message.size()));
    return is_read && rpc::from_wire(request_.player_move()) == Move::rock;
  }

  void encode_reply(const Reply& reply, std::string& out) {
    response_.Clear();
    rpc::write(Round{.opponent_move = reply.opponent_move,
                     .result = reply.result,
                     .reason = reply.reason,
                     .round = reply.round,
                     .score = reply.score},
               response_);
    response_.AppendToString(&out);
  }

  bool decode_reply(std::string_view message) {
    const bool is_read = response_.ParseFromArray(message.data(), static_cast<int>(message.size()));
    Reply reply = rpc::read(response_);
    benchmark::DoNotOptimize(reply);
    return is_read && reply.opponent_move == Move::paper;
  }

 private:
  v1::PlayRequest request_;
  v1::PlayResponse response_;
};

[[maybe_unused]] const bool is_added = add_to_codec_table<Protobuf>("protobuf");

}  // namespace

}  // namespace rps::load
