#include "core/server/reload.hpp"

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "core/server/config_file.hpp"
#include "core/server/limits.hpp"
#include "tests/catch.hpp"
#include "tests/core/server/capture.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::server {

namespace {

namespace fs = std::filesystem;

// A process with the flags --size, which is reloadable, and --depth, which is not; both are read
// from the file `config` of a folder.
class House {
 public:
  explicit House(const std::string& text) {
    write(text);
    const auto start = read(text);
    Settings in_force;
    in_force.values = start->values;
    in_force.config = ConfigText{.name = path().string(), .text = text};
    reload_.emplace(
        in_force, std::make_unique<ConfigFile>(path(), text),
        [this](const std::string& fresh) { return read(fresh); }, metrics_, log_.logger());
  }

  fs::path path() const { return folder_.path / "config"; }
  void write(const std::string& text) const { folder_.write("config", text); }

  // What is logged by reload(), poll(), or poll() at another time.
  std::string reload() {
    return capture(stderr, [&] { reload_->reload(); });
  }
  std::string poll() {
    return capture(stderr, [&] { reload_->poll(now_); });
  }
  std::string poll_later() {
    now_ += limits::config_look_period;
    return poll();
  }

  bool has_metric(const std::string& sample) const {
    return metrics_.text().contains(sample + "\n");
  }

  int size = 1;                    // In force.
  std::vector<std::string> texts;  // That were parsed.

 private:
  // The text is "SIZE DEPTH".
  std::expected<Reload::Candidate, std::string> read(const std::string& text) {
    texts.push_back(text);
    const std::size_t space = text.find(' ');
    if (space == std::string::npos) return std::unexpected("--size: must be a number");
    const int fresh = std::stoi(text);
    return Reload::Candidate{
        .values = {{.name = "--size", .value = std::to_string(fresh), .is_reloadable = true},
                   {.name = "--depth", .value = text.substr(space + 1)}},
        .apply = [this, fresh] {
          if (fresh == 13) throw std::runtime_error("no server has this size");
          size = fresh;
        }};
  }

  const TemporaryFolder folder_;
  const Game game_{{}};
  Metrics metrics_{game_};
  Log log_{"test", {.level = LogLevel::debug}};
  Clock::time_point now_ = Clock::now();
  std::optional<Reload> reload_;
};

}  // namespace

TEST_CASE("a text that is in force changes nothing and is not parsed") {
  House house("1 1");
  house.texts.clear();
  CHECK(house.reload().contains("debug"));
  CHECK(house.texts.empty());
  CHECK(house.has_metric("rps_config_reloads_total{result=\"accepted\"} 0"));
  CHECK(house.has_metric("rps_config_last_reload_successful 1"));
}

TEST_CASE("another text is put in force, and the log says what has changed") {
  House house("1 1");
  house.write("2 1");
  CHECK(house.reload().contains("in force; changed: --size from 1 to 2"));
  CHECK(house.size == 2);
  CHECK(house.has_metric("rps_config_reloads_total{result=\"accepted\"} 1"));
  CHECK(house.reload().contains("has not changed"));
}

TEST_CASE("another text with the same values is accepted, and nothing has to be put in force") {
  House house("1 1");
  house.size = 77;
  house.write("01 1");
  CHECK(house.reload().contains("in force; changed: nothing"));
  CHECK(house.size == 77);
  CHECK(house.has_metric("rps_config_reloads_total{result=\"accepted\"} 1"));
}

TEST_CASE("a flag that is not reloadable rejects all of the text") {
  House house("1 1");
  house.write("2 5");
  const std::string log = house.reload();
  CHECK(log.contains("error"));
  CHECK(log.contains("only a restart of the server can change --depth from 1 to 5"));
  CHECK(house.size == 1);
  CHECK(house.has_metric("rps_config_reloads_total{result=\"rejected\"} 1"));
  CHECK(house.has_metric("rps_config_last_reload_successful 0"));
}

TEST_CASE("what was rejected is rejected again when asked, and the old text is accepted again") {
  House house("1 1");
  house.write("many");
  CHECK(house.reload().contains("all flags stay as they were: --size: must be a number"));
  CHECK(house.reload().contains("--size: must be a number"));
  CHECK(house.has_metric("rps_config_reloads_total{result=\"rejected\"} 2"));
  house.write("1 1");
  CHECK(house.reload().contains("changed: nothing"));
  CHECK(house.has_metric("rps_config_last_reload_successful 1"));
}

TEST_CASE("a text is rejected that cannot be parsed or put in force, whatever is thrown") {
  House house("1 1");
  house.write("x 1");  // std::stoi throws.
  CHECK(house.reload().contains("all flags stay as they were: stoi"));
  house.write("13 1");
  CHECK(house.reload().contains("all flags stay as they were: no server has this size"));
  CHECK(house.size == 1);
}

TEST_CASE("a file that is gone, no file or too large is rejected, and the next good one accepted") {
  House house("1 1");
  fs::remove(house.path());
  CHECK(house.reload().contains("it cannot be read: No such file or directory"));
  fs::create_directory(house.path());
  CHECK(house.reload().contains("it cannot be read: Is a directory"));
  fs::remove(house.path());
  REQUIRE(::mkfifo(house.path().c_str(), 0600) == 0);
  CHECK(house.reload().contains("it is no regular file"));
  fs::remove(house.path());
  house.write(std::string(limits::config_bytes_max + 1, '#'));
  CHECK(house.reload().contains("it is larger than 1MiB"));
  CHECK(house.size == 1);
  house.write("3 1");
  CHECK(house.reload().contains("in force"));
  CHECK(house.size == 3);
}

TEST_CASE("a change is noticed when the kernel reports it") {
  House house("1 1");
  CHECK(house.poll().empty());
  house.write("2 1");
  CHECK(house.poll().contains("--size from 1 to 2"));
  CHECK(house.poll().empty());
}

TEST_CASE("a change that the kernel does not report is noticed by the second look at it") {
  House house("1 1");
  CHECK(house.poll().empty());
  // A text of which no event tells: the folder has another name meanwhile.
  const fs::path folder = house.path().parent_path();
  fs::rename(folder, folder.string() + "-moved");
  fs::create_directory(folder);
  house.write("2 1");
  CHECK(house.poll().empty());
  CHECK(house.poll_later().empty());
  house.write("3 1");  // Not complete before: looked at once more.
  CHECK(house.poll_later().empty());
  CHECK(house.poll_later().contains("--size from 1 to 3"));
  CHECK(house.poll_later().empty());
  house.write("4 1");  // The kernel reports it again.
  CHECK(house.poll().contains("--size from 3 to 4"));
  fs::remove_all(folder.string() + "-moved");
}

}  // namespace rps::server
