#include "stage3_grpc/chain/auth.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/server/log.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/chain/fake_transport.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::rpc::chain {
namespace {

using namespace std::chrono_literals;

// SHA-256 of "secret" and of "other".
constexpr const char* secret_hash =
    "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
constexpr const char* other_hash =
    "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa";

struct Guarded {
  explicit Guarded(const std::string& text = std::string(secret_hash) + " play,score ann\n") {
    folder.write("callers", text);
    link.emplace((folder.path / "callers").string(), metrics, log.logger());
  }

  // What a call of the operation comes to.
  std::optional<Error> call(const FakeTransport& from,
                            std::optional<Operation> operation = Operation::play) {
    FakeTransport transport = from;
    CallInfo call = transport.call();
    call.operation = operation;
    const auto refusal = link->begin(call);
    identity = call.identity ? std::string(call.identity->name) : "";
    return refusal ? std::optional(refusal->error) : std::nullopt;
  }
  std::optional<Error> call(const std::string& authorization,
                            std::optional<Operation> operation = Operation::play) {
    FakeTransport transport;
    transport.headers.emplace("authorization", authorization);
    return call(transport, operation);
  }

  TemporaryFolder folder;
  const Game game{{.seed = 1}};
  server::Metrics metrics{game};
  server::Log log{"test", {.level = server::LogLevel::off}};
  std::optional<Auth> link;
  std::string identity;  // Of the last call.
};

TEST_CASE("A token's holder may do what the file allows") {
  Guarded guarded;
  CHECK(guarded.call("Bearer secret") == std::nullopt);
  CHECK(guarded.identity == "ann");
  CHECK(guarded.call("bearer  secret", Operation::score) == std::nullopt);
  CHECK(guarded.call("Bearer secret", Operation::join) == Error::permission_denied);
  CHECK(guarded.identity == "ann");
  CHECK(guarded.call("Bearer secret", std::nullopt) == std::nullopt);  // Will be malformed.
}

TEST_CASE("Who shows nothing, or a token that nobody holds, is not known") {
  Guarded guarded;
  CHECK(guarded.call(FakeTransport()) == Error::unauthenticated);
  for (const char* const wrong : {"", "Bearer", "Bearer ", "Bearer other", "Bearer secret ",
                                  "Bearer Secret", "Basic secret", "secret", "Bearersecret"}) {
    INFO(wrong);
    CHECK(guarded.call(wrong) == Error::unauthenticated);
    CHECK(guarded.identity.empty());
  }
  FakeTransport twice;
  for (int i = 0; i < 2; ++i) twice.headers.emplace("authorization", "Bearer secret");
  CHECK(guarded.call(twice) == Error::unauthenticated);
}

TEST_CASE("A certificate is an identity that the file may restrict") {
  Guarded guarded("- score limited\n");
  FakeTransport transport;
  transport.certificate = std::make_shared<const std::string>("spiffe://example.org/x");
  CHECK(guarded.call(transport) == std::nullopt);
  CHECK(guarded.identity == "spiffe://example.org/x");
  transport.certificate = std::make_shared<const std::string>("limited");
  CHECK(guarded.call(transport) == Error::permission_denied);
  CHECK(guarded.call(transport, Operation::score) == std::nullopt);
}

TEST_CASE("A token decides although there is a certificate") {
  Guarded guarded;
  FakeTransport transport;
  transport.certificate = std::make_shared<const std::string>("somebody");
  transport.headers.emplace("authorization", "Bearer secret");
  CHECK(guarded.call(transport) == std::nullopt);
  CHECK(guarded.identity == "ann");
  transport.headers = {{"authorization", "Bearer wrong"}};
  CHECK(guarded.call(transport) == Error::unauthenticated);
}

TEST_CASE("A stream is asked once who it is, and for each message whether it may") {
  Guarded guarded;
  FakeTransport transport;
  transport.headers.emplace("authorization", "Bearer secret");
  CallInfo call = transport.call();
  call.operation = Operation::play;
  CHECK_FALSE(guarded.link->begin(call));
  call.operation = Operation::leave;
  CHECK(guarded.link->begin(call)->error == Error::permission_denied);
  CHECK(transport.headers_asked == 1);
}

const std::string accepted = "rps_auth_file_reads_total{outcome=\"accepted\"}";
const std::string rejected = "rps_auth_file_reads_total{outcome=\"rejected\"}";

TEST_CASE("The file is read again when it changes") {
  Guarded guarded;
  guarded.link->tick(Clock::now());
  CHECK(guarded.metrics.text().contains(accepted + " 0\n"));  // The first is no change.
  guarded.folder.write("callers", std::string(other_hash) + " * bob\n");
  guarded.link->tick(Clock::now());
  CHECK(guarded.call("Bearer other", Operation::join) == std::nullopt);
  CHECK(guarded.identity == "bob");
  CHECK(guarded.call("Bearer secret") == Error::unauthenticated);
  CHECK(guarded.metrics.text().contains(accepted + " 1\n"));
}

TEST_CASE("A new file with a mistake, or none, leaves the old one in force") {
  Guarded guarded;
  guarded.folder.write("callers", std::string(other_hash) + " * bob\nmistake\n");
  guarded.link->tick(Clock::now());
  CHECK(guarded.call("Bearer secret") == std::nullopt);
  CHECK(guarded.call("Bearer other") == Error::unauthenticated);
  std::filesystem::remove(guarded.folder.path / "callers");
  guarded.link->tick(Clock::now());
  guarded.link->tick(Clock::now() + 1h);  // The same again is no further change.
  CHECK(guarded.call("Bearer secret") == std::nullopt);
  const std::string text = guarded.metrics.text();
  CHECK(text.contains(rejected + " 2\n"));
  CHECK(text.contains(accepted + " 0\n"));
  CHECK(text.contains("rps_auth_callers 1\n"));
}

TEST_CASE("A look that is asked for tries what was rejected again, and nothing else") {
  Guarded guarded;
  const auto look = [&] {
    guarded.link->look_soon();
    guarded.link->tick(Clock::now());
  };
  look();
  CHECK(guarded.metrics.text().contains(accepted + " 0\n"));
  guarded.folder.write("callers", "mistake\n");
  look();
  look();
  CHECK(guarded.metrics.text().contains(rejected + " 2\n"));
  guarded.folder.write("callers", "");
  look();
  look();
  CHECK(guarded.metrics.text().contains(accepted + " 1\n"));
}

TEST_CASE("A first file with a mistake stops the start") {
  CHECK_THROWS_WITH(Guarded("mistake\n"),
                    Catch::Contains("--auth-tokens: '") && Catch::Contains("line 1: "));
  const Game game({.seed = 1});
  server::Metrics metrics(game);
  server::Log log("test", {.level = server::LogLevel::off});
  CHECK_THROWS_AS(Auth("/nowhere/callers", metrics, log.logger()), std::runtime_error);
}

TEST_CASE("Without a file only certificates are known") {
  Guarded guarded;
  guarded.link.reset();
  guarded.link.emplace("", guarded.metrics, guarded.log.logger());
  CHECK(guarded.call("Bearer secret") == Error::unauthenticated);
  FakeTransport transport;
  transport.certificate = std::make_shared<const std::string>("somebody");
  CHECK(guarded.call(transport) == std::nullopt);
  guarded.link->tick(Clock::now());
}

TEST_CASE("The link is off unless it is switched on") {
  Guarded guarded;
  CHECK_FALSE(guarded.link->configure({}));
  CHECK(guarded.link->configure({.has_auth = true}));
}

}  // namespace
}  // namespace rps::rpc::chain
