// The interface of a subcommand, which main() calls.
#pragma once

namespace rps::commands {

class Command {
 public:
  virtual ~Command() = default;

  // Whether the command line names it.
  virtual bool chosen() const = 0;

  // The exit code: 0 success, 1 a trial was not valid, 2 wrong flags, 3 a threshold or a baseline
  // was not met, 130 ended by Ctrl-C (the trials until then are reported). Throws std::exception
  // when something cannot be read, written or started.
  virtual int run() = 0;
};

}  // namespace rps::commands
