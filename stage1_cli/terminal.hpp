// The console on POSIX descriptors.
#pragma once

#include <csignal>
#include <system_error>

#include "core/net/fd.hpp"
#include "stage1_cli/console.hpp"

namespace rps::cli {

// While it lives, the signals that would end the process (SIGINT, SIGTERM, SIGHUP, SIGQUIT,
// SIGPIPE) are taken as the person leaving: they end the line being asked for, so every way out of
// the game goes through its ordinary end, and the terminal is left as it was found. REQUIRES: one
// thread in the process; one Terminal at a time.
class Terminal final : public Console {
 public:
  // Throws std::system_error when the signals cannot be taken over.
  Terminal(int input, int output);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void write(std::string_view text) override;

  // A line's bytes past limits::line_bytes_max are dropped.
  std::optional<std::string> ask(std::string_view prompt) override;
  std::optional<std::string> ask_hidden(std::string_view prompt) override;

  // Why something could not be written while a person was there; no error when all was.
  const std::error_code& write_error() const { return write_error_; }

  // Why the input could not be read. That the person has gone is no error.
  const std::error_code& read_error() const { return read_error_; }

 private:
  bool wait_for_input();
  std::optional<std::string> take_line();

  int input_;
  int output_;
  bool is_gone_ = false;
  std::error_code write_error_;
  std::error_code read_error_;
  std::string typed_;  // Read, but not handed over yet.
  sigset_t signals_before_;
  net::Fd signals_;
};

}  // namespace rps::cli
