#include "stage3_grpc/tls/reloader.hpp"

#include <chrono>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <openssl/x509.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "core/server/log.hpp"
#include "tests/catch.hpp"
#include "tests/stage3_grpc/tls/made_certificates.hpp"
#include "tests/temporary_folder.hpp"

using namespace rps;
using namespace rps::rpc::tls;
using namespace std::chrono_literals;

namespace {

struct Serving {
  Serving() {
    put("first");
    reloader = std::make_unique<Reloader>(files(), registry, log.logger());
  }

  Files files() const {
    return {.certificate = folder.path / "cert", .key = folder.path / "key", .ca = ""};
  }

  void put(const std::string& name, std::time_t begin = -1) const {
    const Made made = make_certificate({.name = name, .begin = begin});
    folder.write("key", made.key_pem());
    folder.write("cert", made.certificate_pem());
  }

  // The common name of what new connections get.
  std::string served() const {
    const auto context = reloader->context();
    const X509_NAME* const name = X509_get_subject_name(SSL_CTX_get0_certificate(context.get()));
    std::string text(64, '\0');
    text.resize(static_cast<std::size_t>(X509_NAME_get_text_by_NID(
        const_cast<X509_NAME*>(name), NID_commonName, text.data(), static_cast<int>(text.size()))));
    return text;
  }

  bool counted(const std::string& result, int count) const {
    return prometheus::TextSerializer()
        .Serialize(registry.Collect())
        .contains("rps_tls_reloads_total{result=\"" + result + "\"} " + std::to_string(count) +
                  "\n");
  }

  TemporaryFolder folder;
  prometheus::Registry registry;
  server::Log log{"test", {.level = server::LogLevel::off}};
  std::unique_ptr<Reloader> reloader;
  Clock::time_point now = Clock::now();
};

}  // namespace

TEST_CASE("Changed certificates are served when they have not changed for a second") {
  const Serving serving;
  serving.reloader->tick(serving.now);
  CHECK(serving.counted("accepted", 0));
  serving.put("second");
  serving.reloader->tick(serving.now + 1s);
  CHECK(serving.served() == "first");
  serving.reloader->tick(serving.now + 2s);
  CHECK(serving.served() == "second");
  serving.reloader->tick(serving.now + 3s);
  CHECK(serving.counted("accepted", 1));
  CHECK(serving.counted("rejected", 0));
}

TEST_CASE("Files that were written and are as before change nothing") {
  const Serving serving;
  serving.folder.write("unrelated", "x");
  const std::string first = read(serving.files())->certificate;
  serving.folder.write("cert", first);
  serving.reloader->tick(serving.now + 1s);
  serving.reloader->tick(serving.now + 2s);
  CHECK(serving.counted("accepted", 0));
  CHECK(serving.counted("rejected", 0));
}

TEST_CASE("Certificates that are wrong change nothing, and are told of once") {
  const Serving serving;
  const auto before = serving.reloader->context();
  serving.folder.write("key", "nonsense");
  for (int tick = 1; tick < 200; ++tick) serving.reloader->tick(serving.now + tick * 1s);
  CHECK(serving.reloader->context() == before);
  CHECK(serving.counted("rejected", 1));
  serving.put("mended");
  serving.reloader->tick(serving.now + 200s);
  serving.reloader->tick(serving.now + 201s);
  CHECK(serving.served() == "mended");
}

TEST_CASE("A certificate that is not valid yet is served when it is") {
  const Serving serving;
  serving.put("later", 2);
  const Clock::time_point deadline = Clock::now() + 60s;
  for (int tick = 1; serving.served() != "later" && Clock::now() < deadline; ++tick) {
    serving.reloader->tick(serving.now + tick * 1s);
    std::this_thread::sleep_for(50ms);
  }
  CHECK(serving.served() == "later");
  CHECK(serving.counted("rejected", 1));
  CHECK(serving.counted("accepted", 1));
}

TEST_CASE("A reload that is asked for reads the files at once") {
  const Serving serving;
  serving.put("second");
  serving.reloader->reload();
  serving.reloader->reload();  // Nothing has changed.
  CHECK(serving.served() == "second");
  CHECK(serving.counted("accepted", 1));
  serving.folder.write("cert", "nonsense");
  serving.reloader->reload();
  serving.reloader->reload();  // What was rejected is tried again.
  CHECK(serving.served() == "second");
  CHECK(serving.counted("accepted", 1));
  CHECK(serving.counted("rejected", 2));
}

TEST_CASE("The first certificates must be right") {
  Serving serving;
  prometheus::Registry registry;
  Files files = serving.files();
  files.key = "/no/such/file";
  CHECK_THROWS_AS(Reloader(files, registry, serving.log.logger()), std::runtime_error);
}
