#include "stage4_ebpf/libbpf_log.hpp"

#include <array>
#include <cassert>
#include <cstdio>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

namespace rps::observe {
namespace {

// libbpf hands its callback no context, so the thread that loads has to remember who listens.
thread_local LibbpfLog* current = nullptr;

constexpr std::size_t message_bytes_max = 4096;  // Longer ones (verifier logs) are cut.

}  // namespace

LibbpfLog::LibbpfLog(spdlog::logger& log) : log_(log), before_(libbpf_set_print(&print)) {
  assert(current == nullptr);
  current = this;
}

LibbpfLog::~LibbpfLog() {
  current = nullptr;
  libbpf_set_print(before_);
}

int LibbpfLog::print(libbpf_print_level level, const char* format, std::va_list arguments) {
  if (current == nullptr) return 0;
  std::array<char, message_bytes_max> text{};
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  current->take(level, text.data());
  return length;
}

void LibbpfLog::take(libbpf_print_level level, std::string message) {
  constexpr std::string_view prefix = "libbpf: ";
  if (message.starts_with(prefix)) message.erase(0, prefix.size());
  while (message.ends_with('\n')) message.pop_back();
  log_.debug("libbpf: {}", message);
  if (level == LIBBPF_WARN && first_warning_.empty()) {
    first_warning_ = message.substr(0, message.find('\n'));
  }
}

}  // namespace rps::observe
