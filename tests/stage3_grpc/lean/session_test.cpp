// gRPC as the session of a fleet, against frames written by hand.
#include "stage3_grpc/lean/session.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "core/net/fd.hpp"
#include "stage3_grpc/lean/base64.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/lean/frames.hpp"

namespace rps::rpc {
namespace {

using namespace frames;
using News = fleet::Session::News;
using Numbers = std::vector<std::uint32_t>;

constexpr std::string_view refused_stream{"\0\0\0\x07", 4};
constexpr std::string_view internal_error{"\0\0\0\x02", 4};

std::string reset(std::uint32_t stream, std::string_view code) {
  return frame(rst_stream, none, stream, std::string(code));
}

// The last stream that is processed.
std::string farewell(std::uint32_t last) {
  return frame(goaway, none, 0, number(last, 4) + number(0, 4));
}

// A session whose peer has sent its SETTINGS.
struct Bench {
  Bench() {
    send();
    CHECK(hear(frame(settings, none, 0, "")).empty());
  }

  std::string send() {
    std::string out;
    CHECK(session->write(out, now));
    return out;
  }

  std::uint64_t begin(std::uint32_t call, Operation operation = Operation::play) {
    std::string out;
    return session->begin(call, {.operation = operation, .move = Move::rock}, out);
  }

  // What it tells when these bytes come: the numbers of the calls, by the kind of the news.
  std::vector<std::pair<News, std::uint32_t>> hear(std::string_view bytes) {
    net::Fd ends[2];
    int pair[2];
    REQUIRE(::pipe(pair) == 0);
    ends[0] = net::Fd(pair[0]);
    ends[1] = net::Fd(pair[1]);
    REQUIRE(::write(pair[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    if (!bytes.empty()) input.read_from(ends[0]);
    std::vector<std::pair<News, std::uint32_t>> all;
    for (;;) {
      fleet::Session::Told told;
      const News news = session->read(input, told);
      if (news == News::nothing) return all;
      all.emplace_back(news, told.call);
      errors.push_back(told.reply.error);
      retry_after_ms = told.reply.retry_after_ms;
      if (news == News::broken) return all;
    }
  }

  std::unique_ptr<fleet::Protocol> protocol =
      make_session_protocol({.host = "127.0.0.1", .port = 1});
  std::unique_ptr<fleet::Session> session = protocol->begin_session();
  net::InputBuffer input;
  Clock::time_point now = Clock::now();
  std::vector<std::optional<Error>> errors;
  std::uint32_t retry_after_ms = 0;
};

using All = std::vector<std::pair<News, std::uint32_t>>;

std::string answer(std::uint32_t stream) {
  return head(stream) + body(stream) + trailers(stream);
}

TEST_CASE("Answers come in any order, each with its call's number") {
  Bench bench;
  bench.begin(7);
  bench.begin(8);
  bench.send();
  CHECK(bench.session->open_calls() == 2);
  CHECK(bench.hear(answer(3) + answer(1)) == All{{News::answered, 8}, {News::answered, 7}});
  CHECK(bench.session->open_calls() == 0);
  CHECK_FALSE(bench.session->owes_since());
}

TEST_CASE("GOAWAY is a farewell: what it leaves out was not processed, the rest ends in its time") {
  Bench bench;
  for (const std::uint32_t call : {1U, 2U, 3U}) bench.begin(call);
  bench.send();
  CHECK(bench.hear(farewell(1)) == All{{News::not_processed, 2}, {News::not_processed, 3}});
  CHECK(bench.session->is_leaving());
  CHECK_FALSE(bench.session->has_room());
  CHECK_FALSE(bench.session->is_over());
  CHECK(bench.hear(answer(1)) == All{{News::answered, 1}});
  CHECK(bench.session->is_over());
}

TEST_CASE("A refused stream was not processed, and the connection goes on") {
  Bench bench;
  bench.begin(1);
  bench.send();
  CHECK(bench.hear(reset(1, refused_stream)) == All{{News::not_processed, 1}});
  CHECK_FALSE(bench.session->is_leaving());
  CHECK(bench.session->has_room());
}

TEST_CASE("A stream that ends with another error is lost") {
  Bench bench;
  bench.begin(1);
  bench.send();
  CHECK(bench.hear(reset(1, internal_error)) == All{{News::lost, 1}});
}

TEST_CASE("A cancelled call is reset, and nothing is told of it any more") {
  Bench bench;
  const std::uint64_t handle = bench.begin(1);
  bench.send();
  bench.session->cancel(handle);
  CHECK(bench.session->open_calls() == 0);
  CHECK(bench.session->wants_to_write());
  CHECK(bench.send() == reset(1, {"\0\0\0\x08", 4}));
  CHECK(bench.session->owes_since() == bench.now);  // A silent peer is noticed all the same.
  CHECK(bench.hear(answer(1)).empty());
  CHECK_FALSE(bench.session->owes_since());
  bench.begin(2);
  bench.send();
  CHECK(bench.hear(answer(3)) == All{{News::answered, 2}});
}

TEST_CASE("There is room for as many calls as the peer allows") {
  Bench bench;
  CHECK(bench.hear(frame(settings, none, 0, number(3, 2) + number(2, 4))).empty());
  bench.begin(1);
  CHECK(bench.session->has_room());
  bench.begin(2);
  CHECK_FALSE(bench.session->has_room());
  bench.send();
  CHECK(bench.hear(answer(1)) == All{{News::answered, 1}});
  CHECK(bench.session->has_room());
}

TEST_CASE("A duel's operation is answered without being sent") {
  Bench bench;
  bench.begin(5, Operation::join);
  CHECK(bench.session->has_news());
  CHECK(bench.hear("") == All{{News::answered, 5}});
  CHECK(bench.errors.back() == Error::unknown_operation);
}

TEST_CASE("A broken connection loses what was sent, and nothing else") {
  Bench bench;
  bench.begin(1);
  bench.send();
  bench.begin(2);
  Numbers lost;
  Numbers not_processed;
  bench.session->abandon(lost, not_processed);
  CHECK(lost == Numbers{1});
  CHECK(not_processed == Numbers{2});
}

TEST_CASE("Bytes that are not HTTP/2 break the connection") {
  Bench bench;
  CHECK(bench.hear(std::string(64, 'x')).empty());
  CHECK(bench.session->wants_to_write());
  std::string farewell;
  CHECK_FALSE(bench.session->write(farewell, bench.now));
}

TEST_CASE("A refusal says when to try again") {
  const auto delay = [](const Headers& more) {
    Bench bench;
    bench.begin(1);
    bench.send();
    Headers fields{{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "8"}};
    fields.insert(fields.end(), more.begin(), more.end());
    CHECK(bench.hear(trailers(1, fields)) == All{{News::answered, 1}});
    CHECK(bench.errors.back() == Error::overloaded);
    return bench.retry_after_ms;
  };
  CHECK(delay({}) == 0);
  CHECK(delay({{"retry-after-ms", "40"}}) == 40);
  CHECK(delay({{"grpc-retry-pushback-ms", "70"}}) == 70);
  CHECK(delay({{"grpc-retry-pushback-ms", "-1"}}) == UINT32_MAX);
  CHECK(delay({{"grpc-retry-pushback-ms", "soon"}}) == UINT32_MAX);
  // A google.rpc.Status with a RetryInfo of 1.5 s, made by protoc.
  const std::string details =
      "CAgaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAyrXuAQ";
  CHECK(delay({{"grpc-status-details-bin", details}}) == 1500);
  CHECK(delay({{"grpc-status-details-bin", details}, {"retry-after-ms", "40"}}) == 40);
  CHECK(delay({{"grpc-status-details-bin", "no base64!"}}) == 0);
  CHECK(delay({{"grpc-status-details-bin", "Zm9v"}}) == 0);
}

TEST_CASE("Base64 is read with padding and without") {
  CHECK(decode_base64("") == "");
  CHECK(decode_base64("Zg==") == "f");
  CHECK(decode_base64("Zg") == "f");
  CHECK(decode_base64("Zm9v") == "foo");
  CHECK(decode_base64("+/+/") == "\xfb\xff\xbf");
  CHECK_FALSE(decode_base64("Z"));
  CHECK_FALSE(decode_base64("Zm 9v"));
}

}  // namespace
}  // namespace rps::rpc
