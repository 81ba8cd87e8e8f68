#include "stage3_grpc/chain/callers.hpp"

#include <string>

#include "tests/catch.hpp"

namespace rps::rpc::chain {
namespace {

std::string hash_text(char digit) {
  return std::string(64, digit);
}

TokenHash hash(std::uint8_t byte) {
  TokenHash bytes;
  bytes.fill(byte);
  return bytes;
}

Operations set_of(std::initializer_list<Operation> operations) {
  Operations set;
  for (const Operation operation : operations) set.add(operation);
  return set;
}

TEST_CASE("A file names callers, their tokens and what they may do") {
  const auto callers = Callers::parse("# Callers\n\n" + hash_text('1') + " play,score  ann \r\n" +
                                      "  " + hash_text('A') + "\t*\tbob the builder\n" +
                                      "- join,throw spiffe://example.org/x");
  REQUIRE(callers);
  CHECK(callers->size() == 3);
  const Callers::TokenHolder* const ann = callers->find(hash(0x11));
  REQUIRE(ann);
  CHECK(ann->name == "ann");
  CHECK(ann->allowed == set_of({Operation::play, Operation::score}));
  const Callers::TokenHolder* const bob = callers->find(hash(0xaa));
  REQUIRE(bob);
  CHECK(bob->name == "bob the builder");
  CHECK(bob->allowed == Operations::all());
  CHECK_FALSE(callers->find(hash(0x22)));
  CHECK(callers->allowed_to("spiffe://example.org/x") ==
        set_of({Operation::join, Operation::throw_move}));
  CHECK(callers->allowed_to("somebody else") == Operations::all());
}

TEST_CASE("A name may have several tokens, one of which will replace the other") {
  const auto callers =
      Callers::parse(hash_text('1') + " play ann\n" + hash_text('2') + " score ann\n");
  REQUIRE(callers);
  CHECK(callers->find(hash(0x11))->allowed == set_of({Operation::play}));
  CHECK(callers->find(hash(0x22))->allowed == set_of({Operation::score}));
}

TEST_CASE("A mistake is told with its line, and nothing is read") {
  const std::string good = hash_text('1') + " play ann\n";
  const auto mistake_of = [](const std::string& text) {
    const auto callers = Callers::parse(text);
    return callers ? "none" : callers.error();
  };
  CHECK(mistake_of("") == "none");
  CHECK(mistake_of(good + hash_text('2').substr(1) + " play bob") ==
        "line 2: the hash is neither 64 hexadecimal digits nor '-'");
  CHECK(mistake_of(hash_text('g') + " play bob").contains("line 1: the hash"));
  CHECK(mistake_of("+1" + hash_text('1').substr(2) + " play bob").contains("line 1: the hash"));
  CHECK(mistake_of(good + "\n" + hash_text('2') + " play,dance bob") ==
        "line 3: 'dance' is no operation");
  CHECK(mistake_of(hash_text('2') + " play, bob") == "none");
  CHECK(mistake_of(hash_text('2') + " ,play bob") == "line 1: '' is no operation");
  CHECK(mistake_of(hash_text('2') + " play").contains("three parts"));
  CHECK(mistake_of("ann").contains("three parts"));
  CHECK(mistake_of(good + good) == "line 2: the hash stands there twice");
  CHECK(mistake_of("- * x\n- play x\n") == "line 2: the name of a certificate stands there twice");
}

TEST_CASE("A file has as many callers as may be, and one more is refused") {
  std::string text;
  for (std::size_t i = 0; i < limits::callers_max; ++i) {
    text += "- * caller " + std::to_string(i) + "\n";
  }
  CHECK(Callers::parse(text)->size() == limits::callers_max);
  const auto callers = Callers::parse(text + "- * one more\n");
  REQUIRE_FALSE(callers);
  CHECK(callers.error() == "line 1001: there are more than 1000 callers");
}

}  // namespace
}  // namespace rps::rpc::chain
