// Places to log to, and what became of lines.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "core/server/log.hpp"

namespace rps::server {

// A file in memory.
class LogFile {
 public:
  LogFile() {
    if (!file_) throw std::system_error(errno, std::generic_category(), "memfd_create");
  }

  int descriptor() const { return file_.get(); }

  std::size_t size() const { return static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_CUR)); }

  // What was written since the last call.
  std::string take() {
    const std::size_t end = size();
    std::string text(end - taken_, '\0');
    const ssize_t read = ::pread(file_.get(), text.data(), text.size(), taken_);
    text.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
    taken_ = end;
    return text;
  }

 private:
  net::Fd file_{::memfd_create("log", MFD_CLOEXEC)};
  std::size_t taken_ = 0;
};

// A pipe whose reader reads when it is asked to.
class LogPipe {
 public:
  LogPipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    reader_ = net::Fd(ends[0]);
    writer_ = net::Fd(ends[1]);
    ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
  }

  int descriptor() const { return writer_.get(); }
  void close_reader() { reader_ = net::Fd(); }

  // All that is in the pipe.
  std::string read() {
    std::string text(std::size_t{1} << 20, '\0');
    const ssize_t size = ::read(reader_.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  net::Fd reader_;
  net::Fd writer_;
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// How many lines the metric says are lost.
inline std::size_t lost_of(const Log& log) {
  return static_cast<std::size_t>(log.metrics()->Collect().at(0).metric.at(0).counter.value);
}

}  // namespace rps::server
