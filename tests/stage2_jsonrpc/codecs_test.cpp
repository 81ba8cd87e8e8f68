// The three codecs against each other: what the client says in one means what it means in the
// others, damaged payloads never pass for sound ones of nothing, and reading allocates nothing.
#include <random>
#include <string>
#include <vector>

#include "bench/micro/allocations.hpp"
#include "stage2_jsonrpc/client_format.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/limits.hpp"
#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/contract_values.hpp"

namespace rps::jsonrpc {
namespace {

struct Ends {
  const Format& server;
  const ClientFormat& client;
};

const Ends codecs[] = {{json_format, json_client_format},
                       {message_pack_format, message_pack_client_format},
                       {fixed_layout_format, fixed_layout_client_format}};

TEST_CASE("A random command means the same in every codec") {
  std::mt19937 random(20240608);
  std::vector<std::string> texts;
  for (int i = 0; i < 3'000; ++i) {
    const Command command = random_command(random, texts);
    for (const Ends& ends : codecs) {
      std::string payload;
      ends.client.append_request(random(), command, payload);
      Calls calls;
      ends.server.decode(payload, 1, calls);
      REQUIRE(calls.list.size() == 1);
      CHECK(!calls.list.front().failure);
      check_same_command(calls.list.front().command, command);
    }
  }
}

// What every reader promises of any bytes.
void check_reading(const Format& format, const std::string& payload) {
  Calls calls;
  format.decode(payload, 3, calls);
  REQUIRE(!calls.list.empty());
  REQUIRE(calls.list.size() <= 3);
  std::string out;
  for (const Call& call : calls.list) {
    out.clear();
    if (call.failure) {
      format.encode_failure(call.id, *call.failure, out);
    } else {
      format.encode_reply(
          call.id, {.operation = call.command.operation, .reason = reason(Move::rock, Move::rock)},
          out);
    }
    REQUIRE(out.size() <= limits::reply_bytes_max);
  }
}

std::string damage(std::string payload, std::mt19937& random) {
  for (std::size_t i = 0, count = 1 + random() % 3; i < count && !payload.empty(); ++i) {
    const std::size_t at = random() % payload.size();
    switch (random() % 5) {
      case 0: payload[at] = static_cast<char>(random()); break;
      case 1: payload[at] = static_cast<char>(payload[at] ^ (1 << random() % 8)); break;
      case 2: payload.erase(at, 1 + random() % 4); break;
      case 3: payload.insert(at, 1 + random() % 4, static_cast<char>(random())); break;
      case 4: payload.resize(at); break;
    }
  }
  return payload;
}

TEST_CASE("No damage to a payload escapes a reader") {
  std::mt19937 random(20240609);
  std::vector<std::string> texts;
  for (const Ends& ends : codecs) {
    for (int i = 0; i < 20'000; ++i) {
      std::string payload;
      const std::size_t count = 1 + random() % 3;
      if (count > 1) ends.server.begin_batch(count, payload);
      for (std::size_t k = 0; k < count; ++k) {
        if (k > 0) ends.server.separate(payload);
        ends.client.append_request(random(), random_command(random, texts), payload);
      }
      if (count > 1) ends.server.end_batch(payload);
      check_reading(ends.server, payload);
      check_reading(ends.server, damage(payload, random));
    }
  }
}

TEST_CASE("No damage to an answer escapes the client") {
  std::mt19937 random(20240610);
  const std::vector<Reply> replies = all_replies();
  const std::vector<Event> events = all_events();
  constexpr std::uint64_t other_call = 0x0123456789abcdef;  // No accident makes this id.
  for (const Ends& ends : codecs) {
    for (int i = 0; i < 20'000; ++i) {
      std::string payload;
      const Reply& sent = replies[random() % replies.size()];
      const std::string_view id = ends.server.null_id;
      ends.server.encode_reply(id, sent, payload);
      Reply reply{.operation = sent.operation};
      if (ends.client.read_reply(damage(payload, random), other_call, reply)) {
        // An answer to another call can only be taken for an error of this one.
        REQUIRE(reply.error);
      }
      payload.clear();
      ends.server.encode_event(events[random() % events.size()], payload);
      Event event;
      if (ends.client.read_event(damage(payload, random), event)) REQUIRE(!event.game_id.empty());
    }
  }
}

TEST_CASE("Once warmed up, a call costs no allocation on either side, in any codec") {
  const Command command{.move = Move::rock, .session_id = "player-7f3a2b"};
  const Reply answer{.operation = Operation::play,
                     .opponent_move = Move::paper,
                     .result = Result::lose,
                     .reason = reason(Move::rock, Move::paper),
                     .round = 1234,
                     .score = {.wins = 400, .draws = 400, .losses = 434}};
  for (const Ends& ends : codecs) {
    std::string request;
    std::string response;
    Calls calls;
    const auto round = [&] {
      request.clear();
      ends.client.append_request(1234, command, request);
      ends.server.decode(request, 1, calls);
      response.clear();
      ends.server.encode_reply(calls.list.front().id, answer, response);
      Reply reply;
      return ends.client.read_reply(response, 1234, reply) && reply.round == answer.round;
    };
    REQUIRE(round());
    const std::uint64_t before = micro::allocation_count();
    const bool is_same = round();
    const std::uint64_t after = micro::allocation_count();
    CHECK(is_same);
    CHECK(after == before);
  }
}

}  // namespace
}  // namespace rps::jsonrpc
