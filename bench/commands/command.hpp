// What main() knows of a subcommand.
#pragma once

namespace rps::commands {

class Command {
 public:
  virtual ~Command() = default;

  // Whether the command line names it.
  virtual bool chosen() const = 0;

  // The exit code: 0 all is well, 1 a trial was not valid, 2 the flags make no sense, 3 a threshold
  // or a baseline was not met, 130 ended by Ctrl-C (what there was by then is reported). Throws
  // std::exception when something cannot be read, written or started.
  virtual int run() = 0;
};

}  // namespace rps::commands
