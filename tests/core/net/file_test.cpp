#include "core/net/file.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "tests/catch.hpp"

namespace rps::net {
namespace {

TEST_CASE("A file is read whole, up to its limit") {
  const auto path =
      std::filesystem::temp_directory_path() / ("rps_file_test." + std::to_string(::getpid()));
  const std::string text(100'000, '\0');
  std::ofstream(path, std::ios::binary) << text;
  CHECK(read_file(path) == text);
  CHECK(read_file(path, text.size()) == text);
  CHECK(read_file(path, text.size() - 1).error() == std::errc::file_too_large);
  std::ofstream(path, std::ios::trunc);
  CHECK(read_file(path) == "");
  std::filesystem::remove(path);
  CHECK(read_file(path).error() == std::errc::no_such_file_or_directory);
}

TEST_CASE("A file of the kernel is read whole, a directory is not") {
  CHECK(read_file("/proc/self/status")->contains("Pid:"));
  CHECK(read_file("/").error() == std::errc::is_a_directory);
}

}  // namespace
}  // namespace rps::net
