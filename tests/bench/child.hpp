// A process of the test's own, a copy of it, whose doings the test knows exactly.
#pragma once

#include <array>
#include <csignal>
#include <cstddef>
#include <functional>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rps::machine {

// Two pipes between parent and child, over which they take turns.
class Turns {
 public:
  Turns() {
    for (auto& pipe : pipes_) {
      if (::pipe(pipe.data()) != 0) ::_exit(1);
    }
  }
  ~Turns() {
    for (const auto& pipe : pipes_) {
      for (const int fd : pipe) ::close(fd);
    }
  }
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // Each is one system call. tell() lets the other side's await() return what was told.
  void tell(double value) const { (void)!::write(pipes_[other()][1], &value, sizeof value); }
  double await() const {
    double value = 0;
    if (::read(pipes_[own()][0], &value, sizeof value) != sizeof value) ::_exit(1);
    return value;
  }

  void become_child() { is_child_ = true; }

 private:
  std::size_t own() const { return is_child_ ? 1 : 0; }
  std::size_t other() const { return is_child_ ? 0 : 1; }

  std::array<std::array<int, 2>, 2> pipes_{};
  bool is_child_ = false;
};

// Runs `body` in a child; when it returns, the child waits until it is killed, as it is at the
// latest when this goes.
class Child {
 public:
  using Body = std::function<void(const Turns& parent)>;

  explicit Child(const Body& body) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    turns_.become_child();
    body(turns_);
    while (true) ::pause();
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  void tell(double value = 0) const { turns_.tell(value); }
  double await() const { return turns_.await(); }
  pid_t pid() const { return pid_; }

 private:
  Turns turns_;
  pid_t pid_;
};

}  // namespace rps::machine
