#include "core/net/child.hpp"

#include <array>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "core/clock.hpp"

namespace rps::net {

namespace {

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  return {.read_end = Fd(ends[0]), .write_end = Fd(ends[1])};
}

void make_non_blocking(const Fd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("fcntl");
}

void keep_sigpipe_from_killing() {
  struct sigaction action{};
  ::sigaction(SIGPIPE, nullptr, &action);
  if (action.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
}

struct Terminal {
  Fd ours;
  Fd theirs;
};

Terminal make_terminal() {
  Terminal terminal{.ours = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), .theirs = Fd()};
  std::array<char, 64> name{};
  if (!terminal.ours || ::grantpt(terminal.ours.get()) != 0 ||
      ::unlockpt(terminal.ours.get()) != 0 ||
      ::ptsname_r(terminal.ours.get(), name.data(), name.size()) != 0) {
    throw_errno("cannot make a pseudo-terminal");
  }
  terminal.theirs = Fd(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios discipline{};
  if (!terminal.theirs || ::tcgetattr(terminal.theirs.get(), &discipline) != 0) {
    throw_errno("cannot open a pseudo-terminal");
  }
  discipline.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
  discipline.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  if (::tcsetattr(terminal.theirs.get(), TCSANOW, &discipline) != 0) throw_errno("tcsetattr");
  return terminal;
}

bool is_used_up(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC;
}

// Starts a child with these as its stdin and stdout.
pid_t start_child(const std::vector<std::string>& argv, const Fd& input, const Fd& output) {
  assert(!argv.empty());
  keep_sigpipe_from_killing();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  sigset_t reset;
  sigemptyset(&reset);
  sigaddset(&reset, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &reset);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // exec's signature lacks a const.
  }
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, argv.front().c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    throw std::system_error(error, std::system_category(), "cannot start " + argv.front());
  }
  return child;
}

}  // namespace

Stream spawn_child(const std::vector<std::string>& argv) {
  Pipe to_child = make_pipe();
  Pipe from_child = make_pipe();
  make_non_blocking(to_child.write_end);
  make_non_blocking(from_child.read_end);
  const pid_t child = start_child(argv, to_child.read_end, from_child.write_end);
  return {
      .in = std::move(from_child.read_end), .out = std::move(to_child.write_end), .child = child};
}

Stream spawn_child_on_terminal(const std::vector<std::string>& argv) {
  Terminal terminal = make_terminal();
  make_non_blocking(terminal.ours);
  Fd out(::fcntl(terminal.ours.get(), F_DUPFD_CLOEXEC, 0));
  if (!out) throw_errno("fcntl");
  const pid_t child = start_child(argv, terminal.theirs, terminal.theirs);
  return {.in = std::move(terminal.ours), .out = std::move(out), .child = child};
}

std::string why_no_terminal() {
  try {
    make_terminal();
    return {};
  } catch (const std::system_error& error) {
    return is_used_up(error.code().value()) ? std::string() : error.what();
  }
}

void end_children(std::span<const pid_t> children, std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  for (const pid_t child : children) {
    while (::waitpid(child, nullptr, WNOHANG) == 0) {
      if (Clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      break;
    }
  }
}

}  // namespace rps::net
