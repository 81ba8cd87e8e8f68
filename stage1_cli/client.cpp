#include "stage1_cli/client.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "stage1_cli/line_protocol.hpp"

namespace rps::cli {

namespace {

class LineCodec final : public net::WireCodec {
 public:
  void encode(std::uint64_t /*sequence*/, const Command& command, std::string& out) override {
    append_command(command, out);
  }

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) override {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return Outcome::need_more;
    const std::string_view line = bytes.substr(0, end);
    consumed = end + 1;
    if (is_event(line)) {
      const auto told = parse_event(line);
      if (!told) return Outcome::broken;
      event = *told;
      return Outcome::event;
    }
    if (expected == nullptr) return Outcome::broken;
    const auto answer = parse_reply(line, expected->operation);
    if (!answer) return Outcome::broken;
    reply = *answer;
    return Outcome::reply;
  }
};

}  // namespace

std::unique_ptr<net::WireCodec> make_codec() {
  return std::make_unique<LineCodec>();
}

std::vector<std::string> arguments_of(const Url& url) {
  if (!url.host.empty() || url.path.empty()) {
    throw std::invalid_argument("a console's URL is " + url.scheme + ":PATH?name=value&…");
  }
  std::vector<std::string> arguments{url.path, "--batch"};
  for (const auto& [name, value] : url.query) {
    arguments.push_back("--" + name + (value.empty() ? "" : "=" + value));
  }
  return arguments;
}

std::unique_ptr<net::StreamClient> connect(const Url& url, const ConnectOptions& options,
                                           Spawn spawn) {
  const std::vector<std::string> arguments = arguments_of(url);
  return std::make_unique<net::StreamClient>(make_codec(), options.connections, options.depth,
                                             [&] { return spawn(arguments); });
}

}  // namespace rps::cli
