#include "core/net/file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::net {
namespace {

TEST_CASE("A file is read whole, up to its limit") {
  const auto path =
      std::filesystem::temp_directory_path() / ("rps_file_test." + std::to_string(::getpid()));
  const std::string text(100'000, '\0');
  std::ofstream(path, std::ios::binary) << text;
  CHECK(read_file(path) == text);
  CHECK(read_file(path, text.size()) == text);
  CHECK(read_file(path, 97 << 10).error() == "is larger than 97KiB");
  std::ofstream(path, std::ios::trunc);
  CHECK(read_file(path) == "");
  std::filesystem::remove(path);
  CHECK(read_file(path).error() == "cannot be read: No such file or directory");
}

TEST_CASE("A file of the kernel is read whole, a directory is not") {
  CHECK(read_file("/proc/self/status")->contains("Pid:"));
  CHECK(read_file("/").error() == "cannot be read: Is a directory");
}

TEST_CASE("What may have no end is refused unread: a pipe, a device") {
  const auto path =
      std::filesystem::temp_directory_path() / ("rps_pipe_test." + std::to_string(::getpid()));
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(read_file(path).error() == "is no regular file");  // Nobody writes to it.
  std::filesystem::remove(path);
  CHECK(read_file("/dev/zero").error() == "is no regular file");
  CHECK(read_file("/dev/null").error() == "is no regular file");
}

namespace fs = std::filesystem;

struct Folder : TemporaryFolder {
  fs::path operator/(const char* name) const { return path / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), {}));
  }
};

TEST_CASE("A file is written anew or in place of an older one, and keeps its permissions") {
  const Folder folder;
  CHECK_FALSE(write_file(folder / "a", "one"));
  CHECK(read_file(folder / "a") == "one");
  fs::permissions(folder / "a", fs::perms::owner_read | fs::perms::owner_write);
  CHECK_FALSE(try_write_file(folder / "a"));
  CHECK(read_file(folder / "a") == "one");
  CHECK_FALSE(write_file(folder / "a", std::string(100'000, 'x')));
  CHECK(read_file(folder / "a")->size() == 100'000);
  CHECK(fs::status(folder / "a").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(folder.files() == 1);
}

TEST_CASE("A link stays a link") {
  const Folder folder;
  CHECK_FALSE(write_file(folder / "target", "old"));
  fs::create_symlink("target", folder / "link");
  CHECK_FALSE(write_file(folder / "link", "new"));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_file(folder / "target") == "new");
}

TEST_CASE("Of two processes that write a file at once neither gets into the other's text") {
  constexpr int times = 200;
  constexpr std::size_t bytes = 50'000;
  const Folder folder;
  const auto write_often = [&](char letter) {
    bool failed = false;
    for (int i = 0; i < times; ++i) {
      failed |= static_cast<bool>(write_file(folder / "a", std::string(bytes, letter)));
    }
    return failed;
  };
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(write_often('x') ? 1 : 0);
  CHECK_FALSE(write_often('y'));
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  const std::string text = *read_file(folder / "a");
  CHECK(text == std::string(bytes, text.front()));
  CHECK(folder.files() == 1);
}

TEST_CASE("What cannot be written is an error, and nothing is left behind") {
  const Folder folder;
  fs::create_directory(folder / "taken");
  CHECK(write_file(folder / "taken", "x") == std::errc::is_a_directory);
  CHECK(try_write_file(folder / "taken") == std::errc::is_a_directory);
  CHECK(write_file(folder / "none/file", "x") == std::errc::no_such_file_or_directory);
  CHECK(try_write_file(folder / "none/file") == std::errc::no_such_file_or_directory);
  CHECK(write_file("/dev/full", "x") == std::errc::no_space_on_device);
  CHECK_FALSE(try_write_file("/dev/full"));
  CHECK_FALSE(write_file("/dev/null", "x"));
  CHECK(folder.files() == 1);
}

}  // namespace
}  // namespace rps::net
