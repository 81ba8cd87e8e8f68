// What a piece of code writes to stdout or stderr, caught in memory.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

#include "core/net/fd.hpp"

namespace rps::server {

// Runs `code` with `stream` (stdout or stderr) turned aside and returns what was written to it.
template <class Code>
std::string capture(std::FILE* stream, Code code) {
  const int number = ::fileno(stream);
  std::fflush(stream);
  const net::Fd saved(::dup(number));
  const net::Fd memory(::memfd_create("capture", 0));
  if (!saved || !memory) throw std::system_error(errno, std::generic_category(), "capture");
  ::dup2(memory.get(), number);
  code();
  std::fflush(stream);
  ::dup2(saved.get(), number);
  std::string text(static_cast<std::size_t>(::lseek(memory.get(), 0, SEEK_END)), '\0');
  text.resize(static_cast<std::size_t>(::pread(memory.get(), text.data(), text.size(), 0)));
  return text;
}

}  // namespace rps::server
