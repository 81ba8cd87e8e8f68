#include "core/net/followed.hpp"

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>

#include <poll.h>

#include "core/net/file.hpp"
#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::net {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr Clock::time_point start{1h};
constexpr FollowRule rule{.look_period = 10s};

// The text of the files "one" and "two" of a folder, one behind the other.
struct Folder : TemporaryFolder {
  Folder() {
    write("one", "1");
    write("two", "2");
  }

  Followed<std::string> follow(FollowRule with = rule,
                               std::optional<std::string> known = std::nullopt) const {
    return {{path / "one", path / "two"}, [this] { return text(); }, with, start, std::move(known)};
  }

  std::string text() const {
    return read_file(path / "one").value_or("-") + read_file(path / "two").value_or("-");
  }

  // Puts another folder with the same name and files in this one's place, of which no event tells.
  void replace() const {
    fs::rename(path, away());
    fs::copy(away(), path);
  }
  fs::path away() const { return path.string() + "-moved"; }

  ~Folder() { fs::remove_all(away()); }
};

bool is_readable(const Followed<std::string>& followed) {
  pollfd readable{.fd = followed.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&readable, 1, 0) == 1;
}

}  // namespace

TEST_CASE("What is reported is taken at once, and is a change only if it is another text") {
  const Folder folder;
  auto followed = folder.follow();
  CHECK(followed.content() == "12");
  CHECK_FALSE(followed.poll(start));
  folder.write("two", "3");
  CHECK(is_readable(followed));
  CHECK(followed.poll(start));
  CHECK(followed.content() == "13");
  folder.write("two", "3");
  CHECK_FALSE(followed.poll(start));
  fs::remove(folder.path / "one");
  CHECK(followed.poll(start));
  CHECK(followed.content() == "-3");
}

TEST_CASE("Of several files what is reported is taken when it stays so for a second") {
  const Folder folder;
  auto followed = folder.follow({.look_period = 10s, .is_of_several_files = true});
  folder.write("one", "5");
  CHECK_FALSE(followed.poll(start));
  CHECK(followed.due() == start + 1s);
  folder.write("two", "6");
  CHECK_FALSE(followed.poll(start + 1s));
  CHECK_FALSE(followed.poll(start + 1999ms));
  CHECK(followed.content() == "12");
  CHECK(followed.poll(start + 2s));
  CHECK(followed.content() == "56");
  CHECK(followed.due() == start + 12s);
}

TEST_CASE("What a look finds is taken when a second one finds the same") {
  const Folder folder;
  auto followed = folder.follow();
  folder.replace();
  folder.write("one", "half");
  CHECK_FALSE(is_readable(followed));
  CHECK(followed.due() == start + 10s);
  CHECK_FALSE(followed.poll(start + 9s));
  CHECK_FALSE(followed.poll(start + 10s));
  folder.write("one", "whole");
  CHECK_FALSE(followed.poll(start + 11s));
  CHECK(followed.poll(start + 12s));
  CHECK(followed.content() == "whole2");
  folder.write("one", "7");  // The other folder is watched now.
  CHECK(is_readable(followed));
  CHECK(followed.poll(start + 12s));
}

TEST_CASE("What a look finds and the next one does not is no change") {
  const Folder folder;
  auto followed = folder.follow();
  folder.replace();
  folder.write("one", "3");
  CHECK_FALSE(followed.poll(start + 10s));
  folder.write("one", "1");
  CHECK_FALSE(followed.poll(start + 11s));
  CHECK(followed.due() == start + 21s);
  folder.write("one", "3");
  CHECK_FALSE(followed.poll(start + 21s));
}

TEST_CASE("Looks come no later than their period, also the second one") {
  const Folder folder;
  auto followed = folder.follow({.look_period = 1ms});
  folder.replace();
  folder.write("one", "3");
  CHECK_FALSE(followed.poll(start + 1ms));
  CHECK(followed.due() == start + 2ms);
  CHECK(followed.poll(start + 2ms));
}

TEST_CASE("A reading that is asked for is taken, and tells again of what was rejected") {
  const Folder folder;
  auto followed = folder.follow({.look_period = 10s, .is_of_several_files = true});
  CHECK_FALSE(followed.reread());
  folder.write("one", "3");
  CHECK(followed.reread());
  CHECK_FALSE(followed.reread());
  CHECK_FALSE(followed.poll(start + 1s));
  followed.reject();
  CHECK_FALSE(followed.poll(start + 20s));
  CHECK(followed.reread());
  CHECK_FALSE(followed.reread());
  followed.reject();
  folder.write("one", "4");
  CHECK(followed.reread());
  CHECK_FALSE(followed.reread());
}

TEST_CASE("A content that was read before is compared with the files by the first poll") {
  const Folder folder;
  auto followed = folder.follow(rule, "old");
  CHECK(followed.content() == "old");
  CHECK_FALSE(followed.poll(start));
  CHECK(followed.poll(start + 1s));
  CHECK(followed.content() == "12");
}

}  // namespace rps::net
