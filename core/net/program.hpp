// The frame of every main(): what the program printed has reached stdout, or its exit code and a
// line on stderr say that it has not.
#pragma once

#include <functional>
#include <string_view>

namespace rps::net {

// Runs `body`, whose result is the program's exit code. The exit code is another one, after one
// line on stderr that begins with `name`, when
//   2  body threw std::invalid_argument: what the caller asked for makes no sense;
//   1  body threw another std::exception; or body returned 0, but something that it wrote to
//      std::cout did not reach stdout.
//
// While body runs, std::cout is a buffer that keeps the first failure to write it; whoever waits
// for a line must still flush it. A standard descriptor that was closed is occupied beforehand:
// no file or socket of the program gets its number, and to read or write it is an error. A file
// that grows past the limit of the process (RLIMIT_FSIZE) is an error, too, not a signal.
// Call it once, from main(). Only one thread at a time may write to std::cout.
int run_program(std::string_view name, const std::function<int()>& body);

// Whether the process ignores the signal, as when nohup or a shell's background job started it.
bool is_ignored(int signal);

}  // namespace rps::net
