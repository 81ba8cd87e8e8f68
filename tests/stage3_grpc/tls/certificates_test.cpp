#include "stage3_grpc/tls/certificates.hpp"

#include <ctime>
#include <string>

#include "stage3_grpc/tls/identity.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/tls/made_certificates.hpp"
#include "tests/temporary_folder.hpp"

using namespace rps;
using namespace rps::rpc::tls;

namespace {

std::string refusal(const Pems& pems) {
  const auto checked = check(pems, std::time(nullptr));
  return checked ? "" : checked.error();
}

std::string identity(const Wish& wish) {
  const Made authority = make_certificate({.name = "authority"});
  return identity_of(*make_certificate(wish, &authority).certificate);
}

}  // namespace

TEST_CASE("The identity is the SPIFFE ID, else the first DNS name, else the common name") {
  CHECK(identity({.name = "alice", .other_names = "DNS:a.example,URI:spiffe://rps/alice"}) ==
        "spiffe://rps/alice");
  CHECK(identity({.name = "alice",
                  .other_names = "URI:https://a.example,DNS:a.example,DNS:b.example"}) ==
        "a.example");
  CHECK(identity({.name = "alice", .other_names = "IP:127.0.0.1"}) == "alice");
  CHECK(identity({.name = "alice"}) == "alice");
}

TEST_CASE("There is no identity where it would be ambiguous or would not print") {
  CHECK(identity({.other_names = "URI:spiffe://rps/alice,URI:spiffe://rps/bob"}).empty());
  CHECK(identity({.name = "alice\nbob"}).empty());
}

TEST_CASE("A certificate, its key and an authority are accepted") {
  const Made authority = make_certificate({.name = "authority", .end = 100});
  const Made server = make_certificate({.usage = "serverAuth", .end = 50}, &authority);
  Pems pems{.certificate = server.certificate_pem() + authority.certificate_pem(),
            .key = server.key_pem(),
            .ca = authority.certificate_pem()};
  const auto checked = check(pems, std::time(nullptr));
  REQUIRE(checked);
  CHECK(checked->expires_at > std::time(nullptr));
  CHECK(checked->expires_at <= std::time(nullptr) + 50);
  pems.ca = make_certificate({.name = "old authority", .end = -1}).certificate_pem() + pems.ca;
  CHECK(refusal(pems).empty());
  pems.ca.clear();
  CHECK(refusal(pems).empty());
}

TEST_CASE("What does not fit is refused with its reason") {
  const Made authority = make_certificate({.name = "authority"});
  const Made server = make_certificate({}, &authority);
  const Made other = make_certificate({}, &authority);
  const Pems good{.certificate = server.certificate_pem(),
                  .key = server.key_pem(),
                  .ca = authority.certificate_pem()};
  const auto of_certificate = [&](const Wish& wish) {
    const Made made = make_certificate(wish, &authority);
    return refusal({.certificate = made.certificate_pem(), .key = made.key_pem(), .ca = good.ca});
  };

  CHECK(refusal({.certificate = good.certificate, .key = other.key_pem(), .ca = good.ca}) ==
        "--tls-key is not the key of the first certificate of --tls-cert");
  CHECK(refusal({.certificate = good.certificate, .key = server.key_pem("secret")}) ==
        "--tls-key is encrypted");
  CHECK(refusal({.certificate = good.certificate, .key = "nonsense"}) ==
        "--tls-key holds no private key in PEM");
  CHECK(refusal({.certificate = good.key, .key = good.key}) ==
        "--tls-cert holds no certificate in PEM");
  CHECK(refusal({.certificate = good.certificate, .key = good.key, .ca = "nonsense"}) ==
        "--tls-ca holds no certificate in PEM");
  std::string torn = good.certificate;
  torn.erase(torn.size() / 2, 8);
  CHECK(refusal({.certificate = torn, .key = good.key})
            .starts_with("--tls-cert: a certificate in it: "));
  CHECK(of_certificate({.begin = -20, .end = -10})
            .starts_with("the certificate of --tls-cert has expired on "));
  CHECK(of_certificate({.begin = 1'000})
            .starts_with("the certificate of --tls-cert is not valid before "));
  CHECK(of_certificate({.usage = "clientAuth"}) ==
        "the certificate of --tls-cert is not one for servers");
  CHECK(refusal({.certificate = good.certificate,
                 .key = good.key,
                 .ca = make_certificate({.name = "old authority", .end = -1}).certificate_pem()})
            .starts_with("--tls-ca: the certificate has expired on "));
}

TEST_CASE("Files that cannot be read are named") {
  const TemporaryFolder folder;
  const std::string there = folder.path / "there";
  const std::string empty = folder.path / "empty";
  folder.write("there", "something");
  folder.write("empty", "");
  CHECK(read({.certificate = there, .key = there}) ==
        Pems{.certificate = "something", .key = "something"});
  CHECK(read({.certificate = there, .key = "/no/such/file"}).error() ==
        "the file of --tls-key, '/no/such/file', cannot be read: No such file or directory");
  CHECK(read({.certificate = "/no/such/file", .key = there}).error().contains("--tls-cert"));
  CHECK(read({.certificate = there, .key = there, .ca = empty}).error() ==
        "the file of --tls-ca, '" + empty + "', is empty");
}
