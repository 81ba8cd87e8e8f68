#include "bench/scenarios/stages.hpp"

#include <string>

namespace rps::load {

namespace {

// Escapes what would end or change the path inside a URL.
std::string percent_encode(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '%') {
      out += "%25";
    } else if (c == '?') {
      out += "%3F";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Target target_of(const Stage& stage, const std::filesystem::path& directory, std::uint64_t seed) {
  const std::string house = "fair";
  const std::string seed_text = std::to_string(seed);
  const std::string query = "?house=" + house + "&seed=" + seed_text;
  if (stage.binary.empty()) return {.server = {}, .url = std::string(stage.scheme) + ":" + query};

  const std::string path = (directory / stage.binary).string();
  if (stage.scheme == "cli") return {.server = {}, .url = "cli:" + percent_encode(path) + query};
  return {.server = {path, "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--house=" + house,
                     "--seed=" + seed_text, "--log-level=warn"},
          .url = {},
          .has_observer = stage.has_observer};
}

}  // namespace rps::load
