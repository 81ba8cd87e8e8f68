#include "core/server/server.hpp"

#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spdlog/logger.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::server {

namespace {

// The flags of the servers below.
struct FakeSettings {
  int size = 1;   // --size, reloadable; a server refuses 13.
  int depth = 1;  // --depth, not reloadable.
};

void add_fake_flags(CLI::App& app, FakeSettings& settings) {
  flags::Group group(app, "Fake");
  group.reloadable().add_count("--size", settings.size, {.min = 1, .max = 99}, "A size");
  group.add_count("--depth", settings.depth, {.min = 1, .max = 99}, "A depth");
}

class TestServer : public Server {
 public:
  std::string url() const override { return "fake://here"; }
  bool answers() override { return true; }
  void stop_accepting() override { say("stop_accepting"); }
  void reload_files() override { say("reload_files"); }
  void reconfigure(const FakeSettings& fresh) {
    if (fresh.size == 13) throw std::runtime_error("no server has this size");
    say("size " + std::to_string(fresh.size) + ", depth " + std::to_string(fresh.depth));
  }

 protected:
  static void say(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }
};

using MakeServer = std::function<std::unique_ptr<TestServer>(const Context&)>;

// A server without a socket. It says on stderr what it is told to do.
class FakeServer final : public TestServer {
 public:
  enum class Drain { at_once, cut_off, hang, fail };

  explicit FakeServer(Drain drain) : drain_(drain) {}
  ~FakeServer() override { say("destroyed"); }

  bool drain(Clock::time_point deadline) override {
    say("drain");
    switch (drain_) {
      case Drain::at_once: return true;
      case Drain::cut_off: std::this_thread::sleep_until(deadline); return false;
      case Drain::hang: std::this_thread::sleep_for(std::chrono::hours(1)); return true;
      case Drain::fail: throw std::runtime_error("drain failed");
    }
    return true;
  }

 private:
  Drain drain_;
};

MakeServer fake(FakeServer::Drain drain = FakeServer::Drain::at_once) {
  return [drain](const Context&) { return std::make_unique<FakeServer>(drain); };
}

// run_server() in a child, its stdout and stderr in pipes.
class Child {
 public:
  Child(
      std::vector<const char*> flags, const MakeServer& make,
      const std::function<void()>& prepare = [] {}) {
    std::array<int, 2> out;
    std::array<int, 2> err;
    REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err.data(), O_CLOEXEC) == 0);
    std::fflush(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      for (const int fd : {out[0], out[1], err[0], err[1]}) ::close(fd);
      for (const int number : {SIGTERM, SIGINT}) std::signal(number, SIG_DFL);  // Not Catch2's.
      prepare();
      flags.insert(flags.begin(), "rps-fake");
      const Stage<TestServer, FakeSettings> stage{
          .program = {.name = "rps-fake", .description = "A server for tests"},
          .add_flags = add_fake_flags,
          .make = [&make](const Context& context, const auto&) { return make(context); }};
      const int code = run_server(static_cast<int>(flags.size()), flags.data(), stage);
      std::fflush(nullptr);
      ::_exit(code);
    }
    ::close(out[1]);
    ::close(err[1]);
    out_ = net::Fd(out[0]);
    err_ = net::Fd(err[0]);
  }
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) { ::kill(pid_, number); }

  // Reads until `end` has come, or all there is.
  std::string out(std::string_view end = {}) { return read(out_, end); }
  std::string err(std::string_view end = {}) { return read(err_, end); }

  // The exit code, or minus the signal that ended the child.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  static std::string read(const net::Fd& fd, std::string_view end) {
    std::string text;
    char byte = 0;
    while ((end.empty() || !text.ends_with(end)) && ::read(fd.get(), &byte, 1) == 1) text += byte;
    return text;
  }

  pid_t pid_ = -1;
  net::Fd out_;
  net::Fd err_;
};

}  // namespace

TEST_CASE("a server prints its URL, and the admin port's when there is one") {
  Child plain({}, fake());
  CHECK(plain.out("\n") == "fake://here\n");
  Child with_admin({"--admin=127.0.0.1:0"}, fake());
  CHECK(with_admin.out("\n") == "fake://here\n");
  CHECK(with_admin.out("\n").starts_with("admin http://127.0.0.1:"));
}

TEST_CASE("a signal drains the server, which then returns 0") {
  for (const auto& [number, name] :
       {std::pair(SIGTERM, "SIGTERM"), std::pair(SIGINT, "SIGINT"), std::pair(SIGHUP, "SIGHUP")}) {
    Child child({}, fake());
    child.out("\n");
    child.signal(number);
    const std::string err = child.err();
    CHECK(child.wait() == 0);
    CHECK(child.out().empty());
    INFO(err);
    const std::size_t stopped = err.find("stop_accepting\n");
    const std::size_t drained = err.find("drain\n");
    const std::size_t destroyed = err.find("destroyed\n");
    CHECK(stopped < drained);
    CHECK(drained < destroyed);
    CHECK(destroyed != std::string::npos);
    CHECK(err.contains(std::string(name) + ": draining"));
  }
}

TEST_CASE("with --config SIGHUP reloads: the server's flags, and then its other files") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "config").string();
  folder.write("config", "size = 2\ndepth = 3\n");
  Child child({"--config", file.c_str()}, fake());
  child.out("\n");
  folder.write("config", "size = 5\ndepth = 3\n");
  child.signal(SIGHUP);
  CHECK(child.err("reload_files\n").contains("size 5, depth 3\n"));
  folder.write("config", "size = 13\ndepth = 3\n");
  child.signal(SIGHUP);
  CHECK(child.err("reload_files\n").contains("no server has this size"));
  folder.write("config", "size = 6\ndepth = 4\nlog-level = off\n");
  child.signal(SIGHUP);
  CHECK(child.err("reload_files\n").contains("can change --depth from 3 to 4"));
  child.signal(SIGTERM);
  CHECK_FALSE(child.err("destroyed\n").contains("size"));
  CHECK(child.wait() == 0);
}

TEST_CASE("argv wins over the file at a reload as well") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "config").string();
  folder.write("config", "size = 2\n");
  Child child({"--size=7", "--config", file.c_str(), "--depth=2"}, fake());
  child.out("\n");
  folder.write("config", "size = 5\ndepth = 9\ndrain = 1s\n");
  child.signal(SIGHUP);
  const std::string err = child.err("reload_files\n");
  CHECK(err.contains("changed: --drain from 5s to 1s\n"));
  CHECK(err.contains("size 7, depth 2\n"));
  child.signal(SIGTERM);
  CHECK(child.err().contains("draining for at most 1000 ms"));
  CHECK(child.wait() == 0);
}

TEST_CASE("a SIGHUP that reloads does not end a server that starts or drains") {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "config").string();
  folder.write("config", "");
  Child child({"--config", file.c_str()}, [](const Context&) {
    ::kill(::getpid(), SIGHUP);
    return std::make_unique<FakeServer>(FakeServer::Drain::cut_off);
  });
  CHECK(child.err("reload_files\n").contains("SIGHUP: reloading"));
  child.signal(SIGTERM);
  child.err("drain\n");
  child.signal(SIGHUP);
  CHECK(child.err().ends_with("destroyed\n"));
  CHECK(child.wait() == 0);
}

TEST_CASE("a server that was started with SIGHUP ignored outlives its terminal") {
  Child child({}, fake(), [] { std::signal(SIGHUP, SIG_IGN); });
  child.out("\n");
  child.signal(SIGHUP);
  child.signal(SIGTERM);
  CHECK(child.err().contains("SIGTERM: draining"));
  CHECK(child.wait() == 0);
}

TEST_CASE("a signal ends a server that starts, at once") {
  const MakeServer hang = [](const Context&) -> std::unique_ptr<TestServer> {
    std::fputs("starting\n", stderr);
    std::this_thread::sleep_for(std::chrono::hours(1));
    return nullptr;
  };
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    Child child({"--admin=127.0.0.1:0"}, hang);
    child.err("starting\n");
    child.signal(number);
    CHECK(child.wait() == -number);
    CHECK(child.out() == "");
  }
}

TEST_CASE("calls that had to be cut off are logged, and the exit code stays 0") {
  Child child({"--drain=10"}, fake(FakeServer::Drain::cut_off));
  child.out("\n");
  child.signal(SIGTERM);
  CHECK(child.err().contains("warning"));
  CHECK(child.wait() == 0);
}

// A server on which calls are answered before and while it drains.
class AnsweringServer final : public TestServer {
 public:
  explicit AnsweringServer(Metrics& metrics) : metrics_(metrics) {
    metrics_.answered(Operation::play, {}, {}, 1000);
  }

  void stop_accepting() override { metrics_.answered(Operation::play, {}, {}, 7); }
  bool drain(Clock::time_point) override {
    metrics_.answered(Operation::join, Error::unavailable, {}, 30);
    metrics_.answered({}, Error::unavailable, {}, 1);
    metrics_.answered(Operation::score, Error::unknown_session, {}, 2);
    return true;
  }

 private:
  Metrics& metrics_;
};

TEST_CASE("the log says how many calls were answered and refused since the signal") {
  Child child({}, [](const Context& context) {
    return std::make_unique<AnsweringServer>(context.metrics);
  });
  child.out("\n");
  child.signal(SIGTERM);
  CHECK(child.err().contains("drained; since the signal: 9 calls answered, 31 refused"));
  CHECK(child.wait() == 0);
}

TEST_CASE("a second signal ends the process at once") {
  for (const int second : {SIGTERM, SIGINT}) {
    Child child({}, fake(FakeServer::Drain::hang));
    child.out("\n");
    child.signal(SIGTERM);
    child.err("drain\n");
    child.signal(second);
    CHECK(child.wait() == -second);
  }
}

TEST_CASE("a start that fails is told on stderr, whatever the log level, with exit code 1") {
  const MakeServer fail = [](const Context&) -> std::unique_ptr<TestServer> {
    throw std::runtime_error("no such wire");
  };
  for (const char* level : {"--log-level=info", "--log-level=off"}) {
    Child child({"--admin=127.0.0.1:0", level}, fail);
    CHECK(child.err().contains("no such wire"));
    CHECK(child.out() == "");
    CHECK(child.wait() == 1);
  }
  Child admin({"--admin=host.invalid:1"}, fake());
  CHECK(admin.err().contains("host.invalid:1"));
  CHECK(admin.wait() == 1);
  Child drain({}, fake(FakeServer::Drain::fail));
  drain.out("\n");
  drain.signal(SIGTERM);
  CHECK(drain.err().contains("drain failed"));
  CHECK(drain.wait() == 1);
}

TEST_CASE("wrong flags are exit code 2, help is 0") {
  Child wrong({"--threads=many"}, fake());
  CHECK(wrong.err().contains("--threads"));
  CHECK(wrong.wait() == 2);
  Child help({"--help"}, fake());
  CHECK(help.out().contains("--listen"));
  CHECK(help.wait() == 0);
}

TEST_CASE("a server serves on without a stdout") {
  const auto survives = [](const std::function<void()>& prepare) {
    Child child({}, fake(), prepare);
    child.err("serving at");
    child.signal(SIGTERM);
    child.err();
    return child.wait();
  };
  CHECK(survives([] { ::close(STDOUT_FILENO); }) == 0);
  CHECK(survives([] {
          const net::Fd full(::open("/dev/full", O_WRONLY));
          ::dup2(full.get(), STDOUT_FILENO);
        }) == 0);
  CHECK(survives([] {
          std::array<int, 2> pipe;  // A pipe that nobody reads: SIGPIPE must not end the server.
          if (::pipe(pipe.data()) != 0) return;
          ::dup2(pipe[1], STDOUT_FILENO);
          ::close(pipe[0]);
          ::close(pipe[1]);
        }) == 0);
}

TEST_CASE("the first descriptor of a server without stdout is not stdout's number") {
  Child child(
      {},
      [](const Context& context) {
        context.log.info("first descriptor {}", ::dup(STDERR_FILENO) > STDERR_FILENO);
        return std::make_unique<FakeServer>(FakeServer::Drain::at_once);
      },
      [] {
        ::close(STDIN_FILENO);
        ::close(STDOUT_FILENO);
      });
  CHECK(child.err("serving").contains("first descriptor true"));
}

TEST_CASE("a stage is handed its flags, game and metrics") {
  Child child({"--seed=7", "--house=cycle", "--threads=3"}, [](const Context& context) {
    const auto round = context.game.play(Move::rock, "s", Clock::now());
    context.metrics.answered(Operation::play, {}, {});
    context.log.info("threads {}, round {}, counted {}", context.flags.threads, round->round,
                     context.metrics.text().contains("operation=\"play\",error_class=\"ok\"} 1"));
    return std::make_unique<FakeServer>(FakeServer::Drain::at_once);
  });
  CHECK(child.err("serving").contains("threads 3, round 1, counted true"));
}

}  // namespace rps::server
