// The console's flags, read by hand: this stage needs a compiler and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/limits.hpp"
#include "core/strategy.hpp"

namespace rps::cli {

enum class Mode : std::uint8_t { by_input, batch, interactive };
enum class Color : std::uint8_t { by_output, always, never };
enum class Request : std::uint8_t { run, help, version };

struct Flags {
  Request request = Request::run;
  Mode mode = Mode::by_input;
  Color color = Color::by_output;
  Strategy house = Strategy::fair;
  std::optional<std::uint64_t> seed;
  std::size_t sessions_max = rps::limits::sessions_default;
};

extern const std::string_view help_text;

// Reads the arguments after the program's name: `--name=value` or `--name value`; of two equal
// ones the last wins. The error is a sentence that names the flag.
std::expected<Flags, std::string> parse_flags(std::span<const char* const> arguments);

}  // namespace rps::cli
