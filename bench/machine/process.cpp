#include "bench/machine/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rps::machine {

namespace {

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

// What the child does between fork and exec. Other threads of the parent may hold any lock, so
// only calls that are safe in a signal handler may stand here; everything they need is prepared.
[[noreturn]] void become(char* const* argv, int stdout_fd, int stderr_fd, const cpu_set_t* cpus,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // It died before the line above.
  ::setpgid(0, 0);
  if (cpus != nullptr && ::sched_setaffinity(0, sizeof *cpus, cpus) != 0) ::_exit(127);

  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);

  const int stdin_fd = ::open("/dev/null", O_RDONLY);
  if (::dup2(stdin_fd, STDIN_FILENO) < 0 || ::dup2(stdout_fd, STDOUT_FILENO) < 0 ||
      ::dup2(stderr_fd, STDERR_FILENO) < 0) {
    ::_exit(127);
  }
  ::execvp(argv[0], argv);
  ::_exit(127);
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

  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) fail("pipe");
  stdout_ = net::Fd(pipe[0]);
  const net::Fd child_stdout(pipe[1]);
  const net::Fd child_stderr = open_log(options.stderr_file);

  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    become(argv.data(), child_stdout.get(), child_stderr.get(),
           options.cpus.empty() ? nullptr : &cpus, parent);
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

// Without a pidfd (an old kernel) nobody waits: then SIGKILL follows at once.
bool Process::wait_until(Clock::time_point deadline) {
  return pidfd_ && readable_until(pidfd_.get(), deadline);
}

}  // namespace rps::machine
