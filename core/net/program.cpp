#include "core/net/program.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <streambuf>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "core/net/file.hpp"
#include "core/utf8.hpp"

namespace rps::net {

namespace {

constexpr int exit_usage = 2;

// Takes over std::cout as long as it lives.
class StandardOutput final : public std::streambuf {
 public:
  StandardOutput() : before_(std::cout.rdbuf(this)) {}
  ~StandardOutput() override { std::cout.rdbuf(before_); }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  // Writes what is left. The first error of all that was written.
  std::error_code finish() {
    sync();
    return error_;
  }

 private:
  static constexpr std::size_t pending_bytes_max = 65'536;

  std::streamsize xsputn(const char* text, std::streamsize size) override {
    pending_.append(text, static_cast<std::size_t>(size));
    if (pending_.size() > pending_bytes_max) sync();
    return error_ ? 0 : size;
  }

  int_type overflow(int_type character) override {
    if (traits_type::eq_int_type(character, traits_type::eof())) return 0;
    const char one = traits_type::to_char_type(character);
    return xsputn(&one, 1) == 1 ? character : traits_type::eof();
  }

  int sync() override {
    if (!error_) error_ = write_all(STDOUT_FILENO, pending_);
    pending_.clear();
    return error_ ? -1 : 0;
  }

  std::streambuf* before_;
  std::string pending_;
  std::error_code error_;
};

// Each is opened for the direction that nobody uses it in, so that its use is an error.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest number that is free: this one, as those below it are occupied.
    (void)!::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int fail(std::string_view name, std::string_view why, int exit_code = EXIT_FAILURE) {
  std::cerr << name << ": " << printable(why) << '\n';
  return exit_code;
}

int run(std::string_view name, const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::invalid_argument& error) {
    return fail(name, error.what(), exit_usage);
  } catch (const std::exception& error) {
    return fail(name, error.what());
  }
}

}  // namespace

int run_program(std::string_view name, const std::function<int()>& body) {
  occupy_standard_descriptors();
  std::signal(SIGXFSZ, SIG_IGN);
  StandardOutput output;
  const int exit_code = run(name, body);
  const std::error_code error = output.finish();
  if (!error) return exit_code;
  fail(name, "cannot write to stdout: " + error.message());
  return exit_code == EXIT_SUCCESS ? EXIT_FAILURE : exit_code;
}

bool is_ignored(int signal) {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace rps::net
