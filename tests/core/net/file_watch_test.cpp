#include "core/net/file_watch.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <poll.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::net {
namespace {

namespace fs = std::filesystem;

// The kernel reports before the writer's call returns.
struct Folder : TemporaryFolder {
  void write(const fs::path& name) const { TemporaryFolder::write(name, "x"); }

  // Makes `name` a link to `target`, in one step.
  void link(const fs::path& target, const fs::path& name) const {
    fs::create_symlink(target, path / "fresh");
    fs::rename(path / "fresh", path / name);
  }
};

bool is_readable(const FileWatch& watch) {
  pollfd readable{.fd = watch.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&readable, 1, 0) == 1;
}

TEST_CASE("A file that is written, replaced or removed is reported, once") {
  const Folder folder;
  folder.write("file");
  FileWatch watch({folder.path / "file"});
  CHECK_FALSE(watch.poll());
  folder.write("file");
  CHECK(is_readable(watch));
  CHECK(watch.poll());
  CHECK_FALSE(is_readable(watch));
  CHECK_FALSE(watch.poll());
  folder.write("other");
  CHECK_FALSE(watch.poll());
  fs::rename(folder.path / "other", folder.path / "file");
  CHECK(watch.poll());
  fs::remove(folder.path / "file");
  CHECK(watch.poll());
}

TEST_CASE("A file that is created is reported when it is written, not before") {
  const Folder folder;
  FileWatch watch({folder.path / "file"});
  std::ofstream file(folder.path / "file");
  CHECK_FALSE(watch.poll());
  file << "x";
  file.close();
  CHECK(watch.poll());
}

TEST_CASE("Every link of a path is watched, and so is what a new link leads to") {
  const Folder folder;
  for (const char* name : {"a", "b"}) {
    fs::create_directories(folder.path / name / "deep");
    folder.write(fs::path(name) / "deep" / "file");
  }
  folder.link("a", "current");
  folder.link("current/deep/../deep/file", "file");
  FileWatch watch({folder.path / "file"});
  folder.write("a/deep/file");
  CHECK(watch.poll());
  folder.write("b/deep/file");
  CHECK_FALSE(watch.poll());
  folder.link(folder.path / "b", "current");  // An absolute one.
  CHECK(watch.poll());
  folder.write("a/deep/file");
  CHECK_FALSE(watch.poll());
  folder.write("b/deep/file");
  CHECK(watch.poll());
  fs::remove(folder.path / "current");
  CHECK(watch.poll());
  fs::create_symlink("a", folder.path / "current");
  CHECK(watch.poll());
  folder.write("a/deep/file");
  CHECK(watch.poll());
}

TEST_CASE("A missing folder of the path is reported when it comes") {
  const Folder folder;
  FileWatch watch({folder.path / "late" / "file"});
  CHECK_FALSE(watch.poll());
  fs::create_directory(folder.path / "late");
  CHECK(watch.poll());
  folder.write("late/file");
  CHECK(watch.poll());
}

TEST_CASE("Each of several files is reported, also when they share a folder") {
  const Folder folder;
  fs::create_directory(folder.path / "deep");
  FileWatch watch({folder.path / "one", folder.path / "two", folder.path / "deep" / "three"});
  for (const char* const name : {"one", "two", "deep/three"}) {
    folder.write(name);
    CHECK(watch.poll());
  }
  folder.write("deep/one");
  CHECK_FALSE(watch.poll());
}

TEST_CASE("Links in a circle are followed no further than the kernel does") {
  const Folder folder;
  folder.link("b", "a");
  folder.link("a", "b");
  FileWatch watch({folder.path / "a"});
  folder.write("file");
  folder.link("file", "b");
  CHECK(watch.poll());
  folder.write("file");
  CHECK(watch.poll());
}

}  // namespace
}  // namespace rps::net
