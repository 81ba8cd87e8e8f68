#include "bench/machine/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rps::machine {

namespace {

constexpr int exit_not_started = 127;  // As a shell has it.

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

// Whether `fd` has something to read, or an end to tell, before `deadline`.
bool readable_until(int fd, Clock::time_point deadline) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, milliseconds_until(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// What the child needs, made before the fork.
struct Prepared {
  char* const* argv;
  int stdout_fd;
  int stderr_fd;
  int failure_fd;         // Takes the errno of what failed; the exec closes it.
  const cpu_set_t* cpus;  // Null: all.
  pid_t parent;
};

[[noreturn]] void give_up(const Prepared& child) {
  const int error = errno;
  (void)!::write(child.failure_fd, &error, sizeof error);
  ::_exit(exit_not_started);
}

// What the child does between fork and exec. Other threads of the parent may hold any lock, so
// only calls that are safe in a signal handler may stand here.
[[noreturn]] void become(const Prepared& child) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != child.parent) ::_exit(exit_not_started);  // It died before the line above.
  ::setpgid(0, 0);
  if (child.cpus != nullptr && ::sched_setaffinity(0, sizeof *child.cpus, child.cpus) != 0) {
    give_up(child);
  }

  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);

  const int stdin_fd = ::open("/dev/null", O_RDONLY);
  if (::dup2(stdin_fd, STDIN_FILENO) < 0 || ::dup2(child.stdout_fd, STDOUT_FILENO) < 0 ||
      ::dup2(child.stderr_fd, STDERR_FILENO) < 0) {
    give_up(child);
  }
  ::execvp(child.argv[0], child.argv);
  give_up(child);
}

struct Pipe {
  net::Fd read_end;
  net::Fd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  return {.read_end = net::Fd(ends[0]), .write_end = net::Fd(ends[1])};
}

// The errno that kept the child from its program; 0 when the program runs. REQUIRES: nobody else
// holds the other end.
int read_failure(const net::Fd& from_child) {
  int error = 0;
  ssize_t size = 0;
  do {
    size = ::read(from_child.get(), &error, sizeof error);
  } while (size < 0 && errno == EINTR);
  return size == sizeof error ? error : 0;
}

net::Fd open_log(const std::filesystem::path& file) {
  const char* path = file.empty() ? "/dev/null" : file.c_str();
  net::Fd log(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log) fail(path);
  return log;
}

}  // namespace

Process::Process(const ProcessOptions& options) {
  std::vector<char*> argv;
  for (const std::string& word : options.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const int cpu : options.cpus) CPU_SET(static_cast<std::size_t>(cpu), &cpus);

  Pipe output = make_pipe();
  Pipe failure = make_pipe();
  stdout_ = std::move(output.read_end);
  const net::Fd child_stderr = open_log(options.stderr_file);

  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    become({.argv = argv.data(),
            .stdout_fd = output.write_end.get(),
            .stderr_fd = child_stderr.get(),
            .failure_fd = failure.write_end.get(),
            .cpus = options.cpus.empty() ? nullptr : &cpus,
            .parent = parent});
  }
  failure.write_end = net::Fd();
  if (const int error = read_failure(failure.read_end)) {
    stop();
    throw std::system_error(error, std::system_category(), "cannot start " + options.argv.front());
  }
  pidfd_ = net::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

Process::~Process() {
  stop();
}

std::optional<std::string> Process::read_line(Clock::time_point deadline) {
  while (true) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    if (!readable_until(stdout_.get(), deadline)) return std::nullopt;
    std::array<char, 4096> chunk;
    const ssize_t size = ::read(stdout_.get(), chunk.data(), chunk.size());
    if (size == 0 || (size < 0 && errno != EINTR)) return std::nullopt;
    if (size > 0) unread_.append(chunk.data(), static_cast<std::size_t>(size));
  }
}

int Process::stop() {
  if (status_) return *status_;
  ::kill(pid_, SIGTERM);
  if (!wait_until(Clock::now() + term_to_kill_max)) ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  status_ = status;
  return status;
}

std::string describe_end(int status) {
  if (!WIFSIGNALED(status)) return "ended with exit code " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

// Without a pidfd (an old kernel) nobody waits: then SIGKILL follows at once.
bool Process::wait_until(Clock::time_point deadline) {
  return pidfd_ && readable_until(pidfd_.get(), deadline);
}

}  // namespace rps::machine
