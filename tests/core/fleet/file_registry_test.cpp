#include "core/fleet/file_registry.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::fleet {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr Clock::time_point start{std::chrono::hours(1)};

using Urls = std::vector<std::string>;
const std::string one = "jsonrpc://127.0.0.1:7001";
const std::string two = "jsonrpc://127.0.0.1:7002";

struct Folder : TemporaryFolder {
  void write(const std::string& text) const { TemporaryFolder::write(file(), text); }
  void replace(const std::string& text) const {
    std::ofstream(path / "fresh") << text;
    fs::rename(path / "fresh", file());
  }
  fs::path file() const { return path / "services.json"; }
};

std::string listing(const Urls& urls) {
  std::string text = R"({"rps":[)";
  for (const std::string& url : urls) {
    text += (text.back() == '[' ? "\"" : ",\"") + url + "\"";
  }
  return text + "]}";
}

struct Bench {
  explicit Bench(const std::string& text) {
    folder.write(text);
    open();
  }

  void open() {
    registry.emplace(
        FileRegistry::Options{
            .path = folder.file(),
            .service = "rps",
            .reread_period = seconds(5),
            .warn = [&](const std::string& sentence) { warnings.push_back(sentence); }},
        start);
  }

  // Whether the registry's descriptor tells of something. inotify tells before the writer's call
  // returns.
  bool is_told() const {
    pollfd readable{.fd = registry->fd(), .events = POLLIN, .revents = 0};
    return ::poll(&readable, 1, 0) == 1;
  }

  Folder folder;
  std::vector<std::string> warnings;
  std::optional<FileRegistry> registry;
};

TEST_CASE("A file of services is read as a whole or not at all") {
  struct Row {
    std::string text;
    std::string error;  // A part of it; empty where the text is good.
  };
  for (const Row& row : std::vector<Row>{
           {R"({"rps":["jsonrpc://127.0.0.1:7001"]})", ""},
           {R"({"rps":[]})", ""},
           {R"({"other":["nonsense"],"rps":[]})", ""},
           {"", "no JSON object"},
           {"{", "no JSON object"},
           {"[]", "no JSON object"},
           {R"({"other":[]})", "no service \"rps\""},
           {R"({"rps":{}})", "no array"},
           {R"({"rps":"jsonrpc://127.0.0.1:7001"})", "no array"},
           {R"({"rps":["jsonrpc://127.0.0.1:7001",7]})", "no URL with host and port: 7"},
           {R"({"rps":["jsonrpc://127.0.0.1:0"]})", "no URL with host and port"},
           {R"({"rps":["inproc:"]})", "no URL with host and port"},
           {R"({"rps":["grpc://a:1,b:2"]})", "no URL with host and port"},
       }) {
    CAPTURE(row.text);
    const auto urls = parse_services(row.text, "rps");
    CHECK(urls.has_value() == row.error.empty());
    if (!urls) CHECK_THAT(urls.error(), Catch::Contains(row.error));
  }
  CHECK(parse_services(listing({one, two, one}), "rps") == Urls{one, two});
}

TEST_CASE("A list has a thousand instances at most") {
  Urls urls;
  for (int i = 0; i < 1000; ++i) urls.push_back("jsonrpc://127.0.0.1:" + std::to_string(7000 + i));
  CHECK(parse_services(listing(urls), "rps")->size() == 1000);
  urls.push_back("jsonrpc://127.0.0.2:1");
  CHECK_FALSE(parse_services(listing(urls), "rps"));
}

TEST_CASE("Without a first list there is no registry") {
  const Folder folder;
  const FileRegistry::Options options{.path = folder.file(), .service = "rps"};
  CHECK_THROWS_WITH(FileRegistry(options, start), Catch::Contains("cannot be read"));
  folder.write("{}");
  CHECK_THROWS_WITH(FileRegistry(options, start), Catch::Contains("no service"));
}

TEST_CASE("A new file in the old one's place is seen at once") {
  Bench bench(listing({one}));
  CHECK(bench.registry->list().urls == Urls{one});
  CHECK_FALSE(bench.is_told());
  const std::uint64_t version = bench.registry->list().version;
  bench.folder.replace(listing({one, two}));
  CHECK(bench.is_told());
  CHECK(bench.registry->poll(start));
  CHECK(bench.registry->list().urls == Urls{one, two});
  CHECK(bench.registry->list().version > version);
  CHECK_FALSE(bench.is_told());
  CHECK_FALSE(bench.registry->poll(start));
}

TEST_CASE("So is a file that is written anew, and one that says the same is no change") {
  Bench bench(listing({one}));
  bench.folder.write(listing({two}));
  CHECK(bench.registry->poll(start));
  CHECK(bench.registry->list().urls == Urls{two});
  bench.folder.write(listing({two}) + "\n");
  CHECK(bench.is_told());
  CHECK_FALSE(bench.registry->poll(start));
  CHECK(bench.warnings.empty());
}

TEST_CASE("Other files of the folder are nobody's business") {
  Bench bench(listing({one}));
  std::ofstream(bench.folder.path / "another.json") << listing({two});
  CHECK(bench.is_told());
  CHECK_FALSE(bench.registry->poll(start));
  CHECK(bench.registry->list().urls == Urls{one});
}

TEST_CASE("A broken or missing file keeps the last good list and says so once") {
  Bench bench(listing({one}));
  bench.folder.replace(R"({"rps":[)");
  CHECK_FALSE(bench.registry->poll(start));
  CHECK(bench.registry->list().urls == Urls{one});
  REQUIRE(bench.warnings.size() == 1);
  CHECK_THAT(bench.warnings[0], Catch::Contains("the last list of \"rps\" stays"));

  fs::remove(bench.folder.file());
  CHECK_FALSE(bench.registry->poll(start));
  CHECK(bench.registry->list().urls == Urls{one});
  CHECK(bench.warnings.size() == 2);
  CHECK_FALSE(bench.registry->poll(start + seconds(5)));  // Still missing: said already.
  CHECK(bench.warnings.size() == 2);

  bench.folder.write(listing({two}));
  CHECK(bench.registry->poll(start + seconds(5)));
  CHECK(bench.registry->list().urls == Urls{two});
  CHECK(bench.warnings.size() == 2);
}

TEST_CASE("An empty list is obeyed, and not in silence") {
  Bench bench(listing({one}));
  bench.folder.replace(listing({}));
  CHECK(bench.registry->poll(start));
  CHECK(bench.registry->list().urls.empty());
  REQUIRE(bench.warnings.size() == 1);
  CHECK_THAT(bench.warnings[0], Catch::Contains("no instance"));
}

TEST_CASE("A file of a mebibyte is read, one byte more is not") {
  Bench bench(listing({one}));
  const std::string text = listing({two});
  bench.folder.write(text + std::string((1 << 20) - text.size(), ' '));
  CHECK(bench.registry->poll(start));
  bench.folder.write(listing({one}) + std::string((1 << 20) - text.size() + 1, ' '));
  CHECK_FALSE(bench.registry->poll(start));
  CHECK(bench.registry->list().urls == Urls{two});
  CHECK_THAT(bench.warnings.back(), Catch::Contains("is larger than 1MiB"));
}

TEST_CASE("A change of the file that a link leads to is seen at once") {
  Bench bench(listing({one}));
  const Folder elsewhere;
  elsewhere.write(listing({one}));
  fs::remove(bench.folder.file());
  fs::create_symlink(elsewhere.file(), bench.folder.file());
  bench.open();
  elsewhere.write(listing({two}));
  CHECK(bench.is_told());
  CHECK(bench.registry->poll(start));
  CHECK(bench.registry->list().urls == Urls{two});
}

TEST_CASE("A mounted ConfigMap that is replaced is seen at once, each time") {
  Folder mount;
  const auto version = [&](const std::string& name, const Urls& urls) {
    fs::create_directory(mount.path / name);
    std::ofstream(mount.path / name / "services.json") << listing(urls);
    fs::create_directory_symlink(name, mount.path / "..data_tmp");
    fs::rename(mount.path / "..data_tmp", mount.path / "..data");
  };
  version("..2026_1", {one});
  fs::create_symlink("..data/services.json", mount.file());
  FileRegistry registry({.path = mount.file(), .service = "rps"}, start);
  CHECK(registry.list().urls == Urls{one});

  version("..2026_2", {one, two});
  CHECK(registry.poll(start));
  CHECK(registry.list().urls == Urls{one, two});
  fs::remove_all(mount.path / "..2026_1");
  CHECK_FALSE(registry.poll(start));

  version("..2026_3", {two});
  CHECK(registry.poll(start));
  CHECK(registry.list().urls == Urls{two});
}

TEST_CASE("A change that nobody tells is found when the file is read again") {
  Bench bench(listing({one}));
  // The folder itself is moved away, and another one put in its place.
  const fs::path away = bench.folder.path.string() + ".away";
  fs::rename(bench.folder.path, away);
  fs::create_directory(bench.folder.path);
  bench.folder.write(listing({two}));
  CHECK_FALSE(bench.is_told());
  CHECK(bench.registry->due() == start + seconds(5));
  CHECK_FALSE(bench.registry->poll(start + seconds(5) - Clock::duration(1)));
  CHECK_FALSE(bench.registry->poll(start + seconds(5)));
  CHECK(bench.registry->due() == start + seconds(6));  // It may have been half written.
  CHECK(bench.registry->poll(start + seconds(6)));
  CHECK(bench.registry->list().urls == Urls{two});
  CHECK(bench.registry->due() == start + seconds(11));
  fs::remove_all(away);
}

TEST_CASE("Instances are added and removed, and other services stay as they are") {
  const Folder folder;
  FileRegistrar registrar(folder.file());
  registrar.add("rps", one);
  registrar.add("rps", two);
  registrar.add("rps", one);
  registrar.add("chess", one);
  FileRegistry registry({.path = folder.file(), .service = "rps"}, start);
  CHECK(registry.list().urls == Urls{one, two});
  registrar.remove("rps", one);
  registrar.remove("rps", one);
  CHECK(registry.poll(start));
  CHECK(registry.list().urls == Urls{two});
  CHECK(FileRegistry({.path = folder.file(), .service = "chess"}, start).list().urls == Urls{one});
  CHECK_THROWS(registrar.add("rps", "nonsense"));
}

TEST_CASE("A registrar leaves a file alone that makes no sense") {
  const Folder folder;
  folder.write("{");
  CHECK_THROWS(FileRegistrar(folder.file()).add("rps", one));
  CHECK(fs::file_size(folder.file()) == 1);
}

TEST_CASE("Registrars that write at the same moment lose nothing") {
  const Folder folder;
  constexpr int writers = 8;
  std::vector<std::jthread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      FileRegistrar registrar(folder.file());
      for (int j = 0; j < 5; ++j) {
        registrar.add("rps", "jsonrpc://127.0.0.1:" + std::to_string(7000 + 10 * i + j));
      }
    });
  }
  threads.clear();
  FileRegistry registry({.path = folder.file(), .service = "rps"}, start);
  CHECK(registry.list().urls.size() == writers * 5);
}

}  // namespace
}  // namespace rps::fleet
