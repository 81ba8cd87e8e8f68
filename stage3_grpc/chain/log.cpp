#include "stage3_grpc/chain/log.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include <spdlog/logger.h>

namespace rps::rpc::chain {

namespace {

// A certificate may name anything, so a name stands in quotation marks.
std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  text.push_back('"');
  return text;
}

}  // namespace

void Log::end(const CallInfo& call, const Outcome& outcome) noexcept {
  if (!log_.should_log(spdlog::level::info)) return;
  std::array<char, 32> digits{};
  if (call.trace) digits = to_hex(call.trace->trace_id);
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(outcome.ended_at - call.began_at);
  log_.info(
      "call method={} operation={} identity={} address={} outcome={} duration_us={} trace_id={}",
      call.method, call.operation ? to_string(*call.operation) : "-",
      call.identity ? quoted(call.identity->name) : "-", call.transport.peer(),
      outcome.error ? to_string(*outcome.error) : "ok", took.count(),
      call.trace ? std::string_view(digits.data(), digits.size()) : "-");
}

}  // namespace rps::rpc::chain
