#include "bench/scenarios/trial_files.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

using namespace rps;
using namespace rps::scenarios;

namespace {

std::string first_word_of(const std::filesystem::path& file) {
  std::string word;
  std::ifstream(file) >> word;
  return word;
}

}  // namespace

TEST_CASE("a trial's files are there as long as the trial, and only for their owner") {
  const TemporaryFolder scratch;
  const model::Target wanted{.server = {"server", "--tls-cert={files}/server.crt"},
                             .url = "grpcs+lean:?ca={files}/ca.crt"};
  std::filesystem::path folder;
  {
    const TrialFiles files(scratch.path);
    const model::Target target = files.put_into(wanted);
    REQUIRE(std::filesystem::directory_iterator(scratch.path) !=
            std::filesystem::directory_iterator());
    folder = std::filesystem::directory_iterator(scratch.path)->path();
    CHECK(target.server ==
          std::vector<std::string>{"server", "--tls-cert=" + (folder / "server.crt").string()});
    CHECK(target.url == "grpcs+lean:?ca=" + (folder / "ca.crt").string());
    for (const char* const certificate : {"ca.crt", "server.crt"}) {
      CHECK(first_word_of(folder / certificate) == "-----BEGIN");
    }
    // SHA-256 of "rps-bench".
    CHECK(first_word_of(folder / "callers") ==
          "dcfe57d00975ad8d49fc3c04476ad2a2ce3dd596a118404cd272594ad82c58b0");
    CHECK((std::filesystem::status(folder).permissions() & std::filesystem::perms::others_all) ==
          std::filesystem::perms::none);
  }
  CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("files are made only for a target that names them") {
  CHECK(TrialFiles::are_for({.server = {"server", "--auth-tokens={files}/callers"}}));
  CHECK(TrialFiles::are_for({.url = "grpcs+lean:?ca={files}/ca.crt"}));
  CHECK_FALSE(TrialFiles::are_for({.server = {"server", "--listen=127.0.0.1:0"}, .url = "x:"}));
}
