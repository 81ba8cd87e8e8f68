// Any bytes as a traceparent.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/trace.hpp"
#include "tests/fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using rps::jsonrpc::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto context = rps::parse_traceparent(text);
  if (!context) return 0;
  constexpr std::size_t version_bytes = 2;
  constexpr std::size_t ids_end = 53;  // Other flags than "sampled" are not kept.
  const std::string again = rps::to_traceparent(*context);
  require(again.substr(version_bytes, ids_end - version_bytes) ==
              text.substr(version_bytes, ids_end - version_bytes),
          "the ids are those of the text");
  require(rps::parse_traceparent(again) == context, "what is written is read back");
  return 0;
}
