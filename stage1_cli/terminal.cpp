#include "stage1_cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "core/net/file.hpp"
#include "stage1_cli/limits.hpp"

namespace rps::cli {

namespace {

// Stops the terminal from showing what is typed, as long as it lives. Does nothing to a pipe.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd), is_terminal_(::tcgetattr(fd, &before_) == 0) {
    if (!is_terminal_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;  // Ctrl-Z would give the shell a terminal without echo.
    ::tcsetattr(fd_, TCSADRAIN, &silent);
  }
  ~EchoOff() {
    if (is_terminal_) ::tcsetattr(fd_, TCSADRAIN, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  termios before_{};
  int fd_;
  bool is_terminal_;
};

}  // namespace

Terminal::Terminal(int input, int output) : input_(input), output_(output) {
  sigset_t leaving;
  ::sigemptyset(&leaving);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
    ::sigaddset(&leaving, signal);
  }
  signals_ = net::Fd(::signalfd(-1, &leaving, SFD_CLOEXEC));
  if (!signals_) throw std::system_error(errno, std::system_category(), "signalfd");
  ::sigprocmask(SIG_BLOCK, &leaving, &signals_before_);
}

Terminal::~Terminal() {
  // A signal that still waits has had its effect; after this it would kill.
  pollfd waiting{.fd = signals_.get(), .events = POLLIN, .revents = 0};
  signalfd_siginfo taken;
  while (::poll(&waiting, 1, 0) > 0 && ::read(signals_.get(), &taken, sizeof taken) > 0) {
  }
  ::sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
}

void Terminal::write(std::string_view text) {
  const std::error_code error = net::write_all(output_, text);
  if (error && !is_gone_) write_error_ = error;
  if (error) is_gone_ = true;  // Nobody sees it: the game is over.
}

std::optional<std::string> Terminal::ask(std::string_view prompt) {
  write(prompt);
  auto line = take_line();
  // Where the end of a line was not typed and shown, what follows begins a new one all the same.
  if (!line || !::isatty(input_)) write("\n");
  return line;
}

std::optional<std::string> Terminal::ask_hidden(std::string_view prompt) {
  const EchoOff silence(input_);
  write(prompt);
  auto line = take_line();
  write("\n");
  return line;
}

// False when the person leaves instead.
bool Terminal::wait_for_input() {
  std::array<pollfd, 2> ready{{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                               {.fd = input_, .events = POLLIN, .revents = 0}}};
  while (::poll(ready.data(), ready.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return ready[0].revents == 0;
}

std::optional<std::string> Terminal::take_line() {
  while (!is_gone_) {
    const std::size_t end = typed_.find('\n');
    if (end != std::string::npos) {
      std::string line = typed_.substr(0, std::min(end, limits::line_bytes_max));
      typed_.erase(0, end + 1);
      return line;
    }
    if (typed_.size() > limits::line_bytes_max) typed_.resize(limits::line_bytes_max);
    std::array<char, 1024> bytes;
    if (!wait_for_input()) break;
    const ssize_t count = ::read(input_, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    // EIO: the terminal has hung up, or is another job's. The person is gone, which is no error.
    if (count < 0 && errno != EIO) read_error_ = {errno, std::system_category()};
    if (count <= 0) is_gone_ = true;  // Remembered: a terminal goes on after its Ctrl-D.
    if (count <= 0 && !typed_.empty()) return std::exchange(typed_, {});
    if (count <= 0) break;
    typed_.append(bytes.data(), static_cast<std::size_t>(count));
  }
  is_gone_ = true;
  return std::nullopt;
}

}  // namespace rps::cli
