// The lean client's HTTP/2, against frames written by hand (RFC 9113, section 6; RFC 7541,
// appendix A for the table's numbers).
#include "stage3_grpc/lean/connection.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "tests/stage3_grpc/lean/frames.hpp"

namespace rps::rpc {
namespace {

using namespace std::literals;
using namespace frames;

// A connection whose peer has sent its SETTINGS.
struct Bench {
  explicit Bench(std::size_t depth = 4) : connection(names, messages, depth) {
    send();
    CHECK_FALSE(connection.has_settings());
    CHECK(hear(frame(settings, none, 0, "")));
    CHECK(connection.has_settings());
  }

  // What goes out.
  std::string send() {
    std::string out;
    is_well = connection.write(out, Clock::now()) && is_well;
    return out;
  }
  bool hear(std::string_view bytes) { return connection.read(bytes); }

  // Begins a call; it gets the next stream: 1, 3, 5 …
  void begin(std::uint64_t id) { connection.begin(id, {.move = Move::rock}); }

  // The errors of the calls that ended, by id; nullopt is a right answer.
  std::vector<std::pair<std::uint64_t, std::optional<Error>>> take_ended() {
    std::vector<std::pair<std::uint64_t, std::optional<Error>>> out;
    for (const auto& [call, fate] : connection.ended()) {
      const Reply reply = fate == LeanConnection::Fate::answered
                              ? call->answer(messages)
                              : Reply{.error = Error::unavailable};
      if (!reply.error) CHECK(reply.reason == "paper covers rock");
      out.emplace_back(call->id(), reply.error);
      fates[call->id()] = fate;
      connection.release(*call);
    }
    connection.clear_ended();
    return out;
  }

  // What one call makes of these bytes.
  std::optional<Error> answer_to(const std::string& bytes) {
    begin(1);
    send();
    CHECK(hear(bytes));
    send();
    const auto ended = take_ended();
    REQUIRE(ended.size() == 1);
    return ended[0].second;
  }

  LeanHeaders names{"127.0.0.1:1"};
  LeanMessages messages;
  LeanConnection connection;
  bool is_well = true;
  std::map<std::uint64_t, LeanConnection::Fate> fates;  // By id, as take_ended() found them.
};

using Fate = LeanConnection::Fate;

using Ended = std::vector<std::pair<std::uint64_t, std::optional<Error>>>;

TEST_CASE("a right answer may come cut at every byte") {
  const std::string bytes = head(1) + body(1) + trailers(1);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    Bench bench;
    bench.begin(7);
    bench.send();
    CHECK(bench.hear(std::string_view(bytes).substr(0, cut)));
    CHECK(bench.hear(std::string_view(bytes).substr(cut)));
    CHECK(bench.take_ended() == Ended{{7, std::nullopt}});
    CHECK(bench.connection.open_calls() == 0);
    CHECK(bench.is_well);
  }
}

TEST_CASE("the headers of all calls but the first are few bytes") {
  Bench bench;
  bench.begin(1);
  const std::size_t first = bench.send().size();
  bench.begin(2);
  const std::size_t second = bench.send().size();
  CHECK(second < first - 40);
  bench.begin(3);
  CHECK(bench.send().size() == second);
}

TEST_CASE("answers belong to their streams, in whatever order they come") {
  Bench bench;
  for (std::uint64_t id = 10; id < 14; ++id) bench.begin(id);
  CHECK_FALSE(bench.connection.has_room());
  bench.send();
  CHECK(bench.hear(head(5) + head(1) + body(1) + body(5) + trailers(5) + trailers(1)));
  CHECK(bench.take_ended() == Ended{{12, std::nullopt}, {10, std::nullopt}});
  CHECK(bench.connection.open_calls() == 2);
  CHECK(bench.connection.has_room());
}

TEST_CASE("only one whole message with status 0 is an answer") {
  const auto with = [](const Headers& begin, const std::string& bytes, const Headers& end) {
    return head(1, begin) + body(1, bytes) + trailers(1, end);
  };
  const std::string good = round_bytes();
  const auto answer = [](const std::string& bytes) { return Bench().answer_to(bytes); };
  CHECK_FALSE(answer(with(good_head, good, good_end)));

  // What the message is.
  CHECK(answer(with(good_head, good + good, good_end)) == Error::internal);
  CHECK(answer(with(good_head, good.substr(0, good.size() - 1), good_end)) == Error::internal);
  CHECK(answer(with(good_head, good + "x", good_end)) == Error::internal);
  CHECK(answer(with(good_head, "\0\0\0"s, good_end)) == Error::internal);
  CHECK(answer(with(good_head, "\1"s + good.substr(1), good_end)) == Error::internal);
  CHECK(answer(with(good_head, "\0\0\0\0\2\x0a\x7f"s, good_end)) == Error::internal);
  CHECK(answer(with(good_head, message(v1::PlayResponse()), good_end)) == Error::internal);
  CHECK(answer(head(1) + trailers(1)) == Error::internal);
  std::string endless = head(1);
  for (int i = 0; i < 5; ++i) endless += body(1, std::string(15'000, 'x'));
  CHECK(answer(endless + trailers(1)) == Error::internal);

  // How it ends.
  CHECK(answer(with(good_head, good, {{"grpc-status", "13"}})) == Error::internal);
  CHECK(answer(with(good_head, good, {{"grpc-status", "zero"}})) == Error::internal);
  CHECK(answer(with(good_head, good, {{"grpc-status", "99"}})) == Error::internal);
  CHECK(answer(with(good_head, good, {{"other", "0"}})) == Error::internal);
  CHECK(answer(with(good_head, good, {{"grpc-status", "14"}})) == Error::unavailable);
  CHECK(answer(with(good_head, good, {{"grpc-status", "4"}})) == Error::deadline_exceeded);
  CHECK(answer(with(good_head, good,
                    {{"grpc-status", "3"}, {"grpc-message", "invalid_move: no such move"}})) ==
        Error::invalid_move);

  // Who answers.
  CHECK(answer(with({{":status", "200"}, {"content-type", "text/html"}}, good, good_end)) ==
        Error::internal);
  CHECK(answer(with({{":status", "503"}, {"content-type", "application/grpc"}}, good, good_end)) ==
        Error::unavailable);
  CHECK(answer(with({{":status", "404"}, {"content-type", "text/html"}}, "gone", {{"a", "b"}})) ==
        Error::unknown_operation);
}

TEST_CASE("a refusal without a message is told, and when to come again") {
  Bench bench;
  bench.begin(1);
  bench.send();
  CHECK(bench.hear(header_frame(1,
                                {{":status", "200"},
                                 {"content-type", "application/grpc"},
                                 {"grpc-status", "8"},
                                 {"grpc-message", "overloaded: come again"},
                                 {"retry-after-ms", "25"}},
                                end_stream)));
  REQUIRE(bench.connection.ended().size() == 1);
  const Reply reply = bench.connection.ended()[0].call->answer(bench.messages);
  CHECK(reply.error == Error::overloaded);
  CHECK(reply.retry_after_ms == 25);
}

TEST_CASE("a call forgets the one before it") {
  Bench bench(1);
  CHECK(bench.answer_to(head(1) + body(1) +
                        trailers(1, {{"grpc-status", "8"}, {"grpc-message", "overloaded: x"}})) ==
        Error::overloaded);
  CHECK_FALSE(bench.answer_to(head(3) + body(3) + trailers(3)));
  CHECK(bench.answer_to(head(5) + body(5) + trailers(5, {{"other", "0"}})) == Error::internal);
  CHECK(bench.answer_to(head(7) + trailers(7)) == Error::internal);
}

TEST_CASE("RST_STREAM breaks its call and no other") {
  const std::uint32_t code = GENERATE(1U, 7U, 8U, 11U);
  Bench bench;
  bench.begin(1);
  bench.begin(2);
  bench.send();
  CHECK(bench.hear(head(1) + body(1) + frame(rst_stream, none, 1, number(code, 4)) + head(3) +
                   body(3) + trailers(3)));
  CHECK(bench.take_ended() == Ended{{1, Error::unavailable}, {2, std::nullopt}});
  CHECK(bench.fates[1] == (code == NGHTTP2_REFUSED_STREAM ? Fate::refused : Fate::broken));
  CHECK(bench.connection.has_room());
}

TEST_CASE("GOAWAY leaves calls out, which were not processed; the others are answered") {
  Bench bench;
  bench.begin(1);
  bench.begin(2);
  bench.send();
  bench.begin(3);  // Not sent yet.
  CHECK(bench.hear(frame(goaway, none, 0, number(1, 4) + number(0, 4))));
  CHECK_FALSE(bench.connection.has_room());
  bench.send();
  Ended ended = bench.take_ended();
  std::ranges::sort(ended, {}, [](const auto& one) { return one.first; });
  CHECK(ended == Ended{{2, Error::unavailable}, {3, Error::unavailable}});
  CHECK(bench.fates[2] == Fate::not_processed);
  CHECK(bench.fates[3] == Fate::not_processed);
  CHECK(bench.hear(head(1) + body(1) + trailers(1)));
  CHECK(bench.take_ended() == Ended{{1, std::nullopt}});
  bench.send();
  CHECK(bench.connection.is_over());
}

TEST_CASE("the end of a connection breaks what is open, once") {
  Bench bench;
  bench.begin(1);
  bench.send();
  bench.begin(2);
  const Clock::time_point now = Clock::now();
  bench.connection.abandon(now);
  CHECK(bench.connection.ended()[0].call->sent_at < now);
  CHECK(bench.connection.ended()[1].call->sent_at == now);
  CHECK(bench.take_ended() == Ended{{1, Error::unavailable}, {2, Error::unavailable}});
  CHECK(bench.fates[1] == Fate::broken);
  CHECK(bench.fates[2] == Fate::not_processed);
  bench.connection.abandon(now);
  CHECK(bench.take_ended().empty());
}

TEST_CASE("a call that was not processed begins again elsewhere, as it was") {
  Bench bench;
  Bench fresh;
  Bench other;
  fresh.begin(2);
  const std::string request = fresh.send();
  bench.begin(1);
  bench.begin(2);
  bench.send();
  CHECK(bench.hear(frame(goaway, none, 0, number(1, 4) + number(0, 4))));
  REQUIRE(bench.connection.ended().size() == 1);
  LeanCall& call = *bench.connection.ended()[0].call;
  const Clock::time_point sent_at = call.sent_at;
  other.connection.begin_again(call);
  bench.take_ended();
  CHECK(other.send() == request);
  CHECK(other.hear(head(1) + body(1) + trailers(1)));
  REQUIRE(other.connection.ended().size() == 1);
  CHECK(other.connection.ended()[0].call->sent_at == sent_at);
  CHECK(other.take_ended() == Ended{{2, std::nullopt}});
}

TEST_CASE("bytes that are no HTTP/2 end the connection") {
  Bench bench;
  bench.begin(1);
  bench.send();
  const bool goes_on = bench.hear("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  bench.send();
  CHECK((!goes_on || bench.connection.is_over()));
}

}  // namespace
}  // namespace rps::rpc
