// The real rps-cli at a real (pseudo) terminal: what it shows, what it hides, and how it leaves the
// terminal behind on every way out.
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "core/net/fd.hpp"
#include "tests/catch.hpp"

namespace {

using rps::net::Fd;

// A person at a terminal where rps-cli runs.
class Person {
 public:
  explicit Person(std::vector<const char*> flags = {}) {
    int terminal = -1;
    int screen = -1;
    REQUIRE(::openpty(&screen, &terminal, nullptr, nullptr, nullptr) == 0);
    screen_ = Fd(screen);
    terminal_ = Fd(terminal);
    flags.insert(flags.begin(), RPS_CLI);
    flags.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::login_tty(terminal);  // Its own session, so that Ctrl-C at this terminal is its alone.
      ::unsetenv("NO_COLOR");
      ::setenv("TERM", "xterm", 1);
      ::execv(RPS_CLI, const_cast<char* const*>(flags.data()));
      ::_exit(127);
    }
  }

  ~Person() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  void type(std::string_view text) {
    REQUIRE(::write(screen_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

  // Reads the screen until `text` stands on it; returns what was shown up to there.
  std::string see(std::string_view text) {
    for (;;) {
      const std::size_t at = shown_.find(text);
      if (at != std::string::npos) {
        std::string before = shown_.substr(0, at + text.size());
        shown_.erase(0, before.size());
        return before;
      }
      pollfd ready{.fd = screen_.get(), .events = POLLIN, .revents = 0};
      INFO("waiting for \"" << text << "\" and saw \"" << shown_ << '"');
      REQUIRE(::poll(&ready, 1, 10'000) == 1);
      char bytes[1024];
      const ssize_t count = ::read(screen_.get(), bytes, sizeof bytes);
      REQUIRE(count > 0);
      shown_.append(bytes, static_cast<std::size_t>(count));
    }
  }

  // A signal by its name, `term` or `hup`, or what is typed.
  void leave_by(std::string_view way_out) {
    if (way_out == "term") {
      ::kill(child_, SIGTERM);
    } else if (way_out == "hup") {
      ::kill(child_, SIGHUP);
    } else {
      type(way_out);
    }
  }

  // Waits for the end of the program; returns its exit code, or -1 when a signal killed it.
  int exit_code() {
    int status = 0;
    REQUIRE(::waitpid(child_, &status, 0) == child_);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  bool echoes() const {
    termios mode{};
    REQUIRE(::tcgetattr(terminal_.get(), &mode) == 0);
    return mode.c_lflag & ECHO;
  }

  void begin_duel() {
    see("your move> ");
    type("duel\n");
    see("Player 1: ");
    type("Ann\n");
    see("Player 2: ");
    type("Bob\n");
    see("throws: ");
  }

 private:
  Fd screen_;
  Fd terminal_;
  pid_t child_ = -1;
  std::string shown_;
};

TEST_CASE("at a terminal a person plays in colour and quits") {
  Person person({"--seed=7"});
  person.see("your move> ");
  person.type("r\n");
  CHECK(person.see("your move> ").find("\x1b[") != std::string::npos);
  person.type("q\n");
  person.see("Final score");
  CHECK(person.exit_code() == 0);
}

TEST_CASE("Ctrl-D, Ctrl-C and a request to terminate end the game with its score") {
  for (const std::string way_out : {"\x04", "\x03", "\x1c", "term", "hup"}) {
    CAPTURE(way_out);
    Person person;
    person.see("your move> ");
    person.type("r\n");
    person.see("your move> ");
    person.leave_by(way_out);
    person.see("Final score");
    CHECK(person.exit_code() == 0);
    CHECK(person.echoes());
  }
}

TEST_CASE("Ctrl-D behind half a line hands the half over, and once more ends the game") {
  Person person({"--seed=7"});
  person.see("your move> ");
  person.type("r\x04");
  person.type("\x04");
  person.see("You win");
  person.see("Final score");
  CHECK(person.exit_code() == 0);
}

TEST_CASE("a throw in a duel is not shown while it is typed") {
  Person person;
  person.begin_duel();
  CHECK_FALSE(person.echoes());
  person.type("scissors\n");
  CHECK(person.see("throws: ").find("scissors") == std::string::npos);
  person.type("rock\n");
  CHECK(person.see("scissors").find("Ann: ") != std::string::npos);
  person.see("throws: ");
  person.type("quit\n");
  person.see("your move> ");
  CHECK(person.echoes());
}

TEST_CASE("a terminal that hides a throw shows again on every way out") {
  for (const std::string way_out : {"\x04", "\x03", "\x1c", "\x1a\x03", "term", "hup"}) {
    CAPTURE(way_out);
    Person person;
    person.begin_duel();
    CHECK_FALSE(person.echoes());
    person.leave_by(way_out);
    person.see("Goodbye");
    CHECK(person.exit_code() == 0);
    CHECK(person.echoes());
  }
}

}  // namespace
