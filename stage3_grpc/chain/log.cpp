#include "stage3_grpc/chain/log.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>

#include <spdlog/fmt/fmt.h>

#include "core/server/bulk_log.hpp"

namespace rps::rpc::chain {

namespace {

// Of a name; so a line has all fields, however long a name is.
constexpr std::size_t name_bytes_max = 512;

using Line = fmt::basic_memory_buffer<char, 1024>;  // On the stack, unless it is longer.

void append(std::string_view text, Line& line) {
  line.append(text);
}

void append_number(std::int64_t number, Line& line) {
  const fmt::format_int digits(number);
  line.append(digits.data(), digits.data() + digits.size());
}

// A name may contain anything, so it stands in quotation marks.
void append_quoted(std::string_view name, Line& line) {
  line.push_back('"');
  for (const char c : name.substr(0, name_bytes_max)) {
    if (c == '"' || c == '\\') line.push_back('\\');
    line.push_back(c);
  }
  if (name.size() > name_bytes_max) append("…", line);
  line.push_back('"');
}

void append_trace(const TraceContext& trace, Line& line) {
  const auto digits = to_hex(trace.trace_id);
  line.append(digits.data(), digits.data() + digits.size());
}

}  // namespace

void Log::end(const CallInfo& call, const Outcome& outcome) noexcept {
  if (!log_.is_on()) return;
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(outcome.ended_at - call.began_at);
  Line line;
  append("call method=", line);
  append(call.method, line);
  append(" operation=", line);
  append(call.operation ? to_string(*call.operation) : "-", line);
  append(" identity=", line);
  call.identity ? append_quoted(call.identity->name, line) : append("-", line);
  append(" address=", line);
  append(call.transport.peer(), line);
  append(" outcome=", line);
  append(outcome.error ? to_string(*outcome.error) : "ok", line);
  append(" duration_us=", line);
  append_number(took.count(), line);
  append(" trace_id=", line);
  call.trace ? append_trace(*call.trace, line) : append("-", line);
  log_.write(outcome.ended_at, {line.data(), line.size()});
}

}  // namespace rps::rpc::chain
