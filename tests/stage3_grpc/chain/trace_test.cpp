#include "stage3_grpc/chain/trace.hpp"

#include <set>
#include <string>

#include "tests/catch.hpp"
#include "tests/stage3_grpc/chain/fake_transport.hpp"

namespace rps::rpc::chain {
namespace {

constexpr const char* theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

// A new call with the header, or without one.
struct Traced {
  explicit Traced(Trace& link, const std::string& header = "") {
    if (!header.empty()) transport.headers.emplace("traceparent", header);
    CHECK_FALSE(link.begin(call));
  }

  std::string sent() const {
    const auto found = transport.trailers.find("traceparent");
    return found == transport.trailers.end() ? "" : found->second;
  }

  FakeTransport transport;
  CallInfo call = transport.call();
};

TEST_CASE("A call that is traced continues its trace under an id of the server's own") {
  Trace link(1);
  REQUIRE(link.configure({}));
  const Traced traced(link, theirs);
  REQUIRE(traced.call.trace);
  CHECK(traced.sent().substr(0, 36) == std::string(theirs).substr(0, 36));
  CHECK(traced.sent().ends_with("-01"));
  CHECK(traced.sent() != theirs);
  CHECK(traced.sent() == to_traceparent(*traced.call.trace));

  std::string unsampled = theirs;
  unsampled.back() = '0';
  CHECK(Traced(link, unsampled).sent().ends_with("-00"));
}

TEST_CASE("What is no traceparent is ignored, and so are two") {
  Trace link(1);
  link.configure({});
  CHECK_FALSE(Traced(link).call.trace);
  const Traced wrong(link, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0");
  CHECK_FALSE(wrong.call.trace);
  CHECK(wrong.sent().empty());
  FakeTransport twice;
  for (int i = 0; i < 2; ++i) twice.headers.emplace("traceparent", theirs);
  CallInfo call = twice.call();
  link.begin(call);
  CHECK_FALSE(call.trace);
}

TEST_CASE("Calls without a trace begin one as often as the sampling says") {
  Trace link(7);
  link.configure({.trace_sampling = 1});
  const Traced all(link);
  REQUIRE(all.call.trace);
  CHECK(all.call.trace->sampled);
  CHECK(parse_traceparent(all.sent()) == all.call.trace);

  link.configure({.trace_sampling = 0.25});
  int sampled = 0;
  std::set<std::string> ids;
  for (int i = 0; i < 4'000; ++i) {
    const Traced traced(link);
    if (!traced.call.trace) continue;
    ++sampled;
    ids.insert(traced.sent());
  }
  CHECK(sampled > 800);
  CHECK(sampled < 1'200);
  CHECK(ids.size() == static_cast<std::size_t>(sampled));
  link.configure({.trace_sampling = 0});
  CHECK_FALSE(Traced(link).call.trace);
}

TEST_CASE("A stream's first message decides for all of them") {
  Trace link(1);
  link.configure({});
  Traced traced(link, theirs);
  const auto first = traced.call.trace;
  link.begin(traced.call);
  CHECK(traced.call.trace == first);
  CHECK(traced.transport.headers_asked == 1);
  CHECK(traced.transport.trailers.size() == 1);

  Traced untraced(link);
  link.configure({.trace_sampling = 1});
  link.begin(untraced.call);
  CHECK_FALSE(untraced.call.trace);
}

TEST_CASE("The link is on unless it is switched off") {
  Trace link(1);
  CHECK(link.configure({}));
  CHECK_FALSE(link.configure({.has_trace = false}));
}

}  // namespace
}  // namespace rps::rpc::chain
