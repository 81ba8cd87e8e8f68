// Stage 2's codecs in the codec table. JSON stands in it twice: as a program would do it with a
// library that builds a tree, and as this one does it.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "bench/micro/benchmarks.hpp"
#include "bench/micro/codec_table.hpp"
#include "stage2_jsonrpc/client_format.hpp"
#include "stage2_jsonrpc/dom.hpp"
#include "stage2_jsonrpc/format.hpp"

namespace rps::micro {

namespace {

using Json = nlohmann::json;

bool is_good(const jsonrpc::Call& call) {
  return !call.failure && call.command.move != Move::unspecified;
}

std::size_t good_calls(const jsonrpc::Calls& calls) {
  return static_cast<std::size_t>(std::ranges::count_if(calls.list, is_good));
}

class JsonTree {
 public:
  void encode_request(std::uint64_t id, const Command& command, std::string& out) {
    out += request(id, command).dump();
  }

  bool decode_request(std::string_view message) { return decode_batch(message) == 1; }

  void encode_reply(const Reply& reply, std::string& out) {
    const Json response{{"jsonrpc", "2.0"},
                        {"id", codec_call_id},
                        {"result",
                         {{"opponent_move", to_string(reply.opponent_move)},
                          {"result", to_string(reply.result)},
                          {"reason", reply.reason},
                          {"round", reply.round},
                          {"score",
                           {{"wins", reply.score.wins},
                            {"draws", reply.score.draws},
                            {"losses", reply.score.losses},
                            {"rounds", reply.score.rounds()}}}}}};
    out += response.dump();
  }

  bool decode_reply(std::string_view message) {
    const Json response = Json::parse(message);
    const Json& result = response.at("result");
    const Json& score = result.at("score");
    Reply reply{
        .opponent_move = parse_move(result.at("opponent_move").get_ref<const std::string&>())
                             .value_or(Move::unspecified),
        .result =
            parse_result(result.at("result").get_ref<const std::string&>()).value_or(Result::draw),
        .reason = result.at("reason").get_ref<const std::string&>(),
        .round = result.at("round").get<std::uint64_t>(),
        .score = {.wins = score.at("wins").get<std::uint64_t>(),
                  .draws = score.at("draws").get<std::uint64_t>(),
                  .losses = score.at("losses").get<std::uint64_t>()}};
    benchmark::DoNotOptimize(reply);
    return response.at("id") == codec_call_id && reply.opponent_move == Move::paper;
  }

  void encode_batch(std::span<const Command> commands, std::string& out) {
    Json batch = Json::array();
    for (const Command& command : commands) {
      batch.push_back(request(codec_call_id + batch.size(), command));
    }
    out += batch.dump();
  }

  std::size_t decode_batch(std::string_view message) {
    jsonrpc::read_dom(message, codec_batch_calls, calls_);
    return good_calls(calls_);
  }

 private:
  static Json request(std::uint64_t id, const Command& command) {
    return {
        {"jsonrpc", "2.0"},
        {"id", id},
        {"method", to_string(command.operation)},
        {"params", {{"player_move", to_string(command.move)}, {"session_id", command.session_id}}}};
  }

  jsonrpc::Calls calls_;
};

template <const jsonrpc::Format& format, const jsonrpc::ClientFormat& client_format>
class FormatCodec {
 public:
  void encode_request(std::uint64_t id, const Command& command, std::string& out) {
    client_format.append_request(id, command, out);
  }

  bool decode_request(std::string_view message) {
    format.decode(message, 1, calls_);
    const jsonrpc::Call& call = calls_.list.front();
    if (id_.empty()) id_ = call.id;
    return is_good(call);
  }

  void encode_reply(const Reply& reply, std::string& out) {
    if (id_.empty()) learn_id();
    format.encode_reply(id_, reply, out);
  }

  bool decode_reply(std::string_view message) {
    Reply reply;
    const bool is_reply = client_format.read_reply(message, codec_call_id, reply);
    benchmark::DoNotOptimize(reply);
    return is_reply && reply.opponent_move == Move::paper;
  }

  // What stands around the replies of a batch stands around its requests.
  void encode_batch(std::span<const Command> commands, std::string& out) {
    format.begin_batch(commands.size(), out);
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (i > 0) format.separate(out);
      client_format.append_request(codec_call_id + i, commands[i], out);
    }
    format.end_batch(out);
  }

  std::size_t decode_batch(std::string_view message) {
    format.decode(message, codec_batch_calls, calls_);
    return good_calls(calls_);
  }

 private:
  // How the format spells the id of the call.
  void learn_id() {
    std::string request;
    encode_request(codec_call_id, sample_command(), request);
    decode_request(request);
  }

  jsonrpc::Calls calls_;
  std::string id_;
};

}  // namespace

void add_codec_benchmarks() {
  using JsonText = FormatCodec<jsonrpc::json_format, jsonrpc::json_client_format>;
  using MessagePack =
      FormatCodec<jsonrpc::message_pack_format, jsonrpc::message_pack_client_format>;
  using FixedLayout =
      FormatCodec<jsonrpc::fixed_layout_format, jsonrpc::fixed_layout_client_format>;
  add_to_codec_table<JsonTree>("json_dom");
  add_to_codec_table<JsonText>("json");
  add_to_codec_table<MessagePack>("message_pack");
  add_to_codec_table<FixedLayout>("fixed_layout");
}

}  // namespace rps::micro
