// What libbpf prints while a program is loaded.
#pragma once

#include <cstdarg>
#include <string>

#include <bpf/libbpf.h>

namespace spdlog {
class logger;
}

namespace rps::observe {

// Sends the messages that libbpf prints on this thread to `log` (level debug: what matters of them
// is put into an error by whoever called libbpf) and keeps the first warning. One at a time.
class LibbpfLog {
 public:
  explicit LibbpfLog(spdlog::logger& log);
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // One line without "libbpf: "; empty when there was none.
  const std::string& first_warning() const { return first_warning_; }

 private:
  static int print(libbpf_print_level level, const char* format, std::va_list arguments);
  void take(libbpf_print_level level, std::string message);

  spdlog::logger& log_;
  libbpf_print_fn_t before_;
  std::string first_warning_;
};

}  // namespace rps::observe
