// Any bytes as requests of gRPC's methods, as the service reads, carries out and answers them. A
// request is a byte that chooses its message, a byte with its length, and its bytes.
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/game.hpp"
#include "core/judge.hpp"
#include "rps/v1/rps.pb.h"
#include "stage3_grpc/contract/convert.hpp"
#include "tests/fuzz/require.hpp"

namespace rps::rpc {
namespace {

using jsonrpc::require;

// Whatever it is shown is read back from its response as it was.
class Spectator final : public SpectatorSink {
 public:
  bool on_observation(const Observation& seen) override {
    require(!seen_ || !seen_->is_over || seen.type == ObservationType::snapshot, "then it is over");
    v1::WatchResponse written;
    write(seen, written);
    v1::WatchResponse parsed;
    require(parsed.ParseFromString(written.SerializeAsString()), "a written response is read");
    require(read(parsed) == seen, "the same observation");
    seen_ = seen;
    return true;
  }

  // What it was shown since the last call; the last of several.
  std::optional<Observation> take_seen() { return std::exchange(seen_, std::nullopt); }

 private:
  std::optional<Observation> seen_;
};

// A player and spectator at a table whose house is foreseeable.
class Table {
 public:
  ~Table() { caller_.disconnect({}); }

  void watch(std::string_view bytes) {
    v1::WatchRequest request;
    if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    const Command command = read(request);
    check_command<v1::WatchRequest>(command);
    spectator_->take_seen();
    const Reply reply = game_.handle(command, caller_, {});
    require(reply.operation == Operation::watch, "the reply is to the command");
    const auto seen = spectator_->take_seen();
    require(seen.has_value() == !reply.error, "who may watch is shown how it stands");
    require(!seen || seen->type == ObservationType::snapshot, "and nothing else");
    require(!seen || seen->game_id.view() == command.game_id, "of this duel");
  }

  template <class Request, class Response>
  void answer(std::string_view bytes) {
    Request request;
    if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    const std::optional<Command> command = read(request);
    if (!command) return;
    check_command<Request>(*command);
    const Reply reply = game_.handle(*command, caller_, {});
    require(reply.operation == command->operation, "the reply is to the command");
    check_reply<Response>(*command, reply);
  }

 private:
  // What a command says is what the client's direction writes for it.
  template <class Request>
  static void check_command(const Command& command) {
    Request written;
    write(command, written);
    Request parsed;
    require(parsed.ParseFromString(written.SerializeAsString()), "a written request is read");
    const std::optional<Command> again = read(parsed);
    require(again && again->operation == command.operation, "the same operation");
    require(again->move == command.move && again->best_of == command.best_of, "the same numbers");
    require(again->session_id == command.session_id && again->game_id == command.game_id &&
                again->player_id == command.player_id,
            "the same ids");
  }

  template <class Response>
  void check_reply(const Command& command, const Reply& reply) {
    if constexpr (!std::same_as<Response, v1::DuelResponse>) {
      if (reply.error) return;  // Told in the status of the call.
    }
    Response written;
    write(reply, written);
    Response parsed;
    require(parsed.ParseFromString(written.SerializeAsString()), "a written response is read");
    const Reply again = [&] {
      if constexpr (std::same_as<Response, v1::DuelResponse>) {
        return read(parsed, command.operation);
      } else {
        return read(parsed);
      }
    }();
    require(again.error == reply.error, "the same error");
    if (!reply.error) check_values(command, reply, again);
  }

  static void check_values(const Command& command, const Reply& reply, const Reply& again) {
    require(again.score == reply.score && again.round == reply.round, "the same score");
    require(again.seat == reply.seat && again.best_of == reply.best_of, "the same seat");
    if (command.operation != Operation::play) return;
    require(again.opponent_move == reply.opponent_move, "the same move");
    require(again.result == reply.result && again.reason == reply.reason, "the same result");
    require(again.result == judge(command.move, again.opponent_move), "the judge agrees");
  }

  Game game_{{.house = Strategy::cycle, .seed = 7, .sessions_max = 64, .duels_max = 64}};
  std::shared_ptr<Spectator> spectator_ = std::make_shared<Spectator>();
  Caller caller_{game_, {}, spectator_};
};

void answer(Table& table, std::uint8_t method, std::string_view bytes) {
  switch (method % 4) {
    case 0: return table.answer<v1::PlayRequest, v1::PlayResponse>(bytes);
    case 1: return table.answer<v1::ScoreRequest, v1::ScoreResponse>(bytes);
    case 2: return table.answer<v1::DuelRequest, v1::DuelResponse>(bytes);
    default: return table.watch(bytes);
  }
}

}  // namespace
}  // namespace rps::rpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps::rpc;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Table table;
  while (rest.size() >= 2) {
    const auto method = static_cast<std::uint8_t>(rest[0]);
    const auto length = static_cast<std::uint8_t>(rest[1]);
    rest.remove_prefix(2);
    answer(table, method, rest.substr(0, length));
    rest.remove_prefix(std::min<std::size_t>(length, rest.size()));
  }
  return 0;
}
