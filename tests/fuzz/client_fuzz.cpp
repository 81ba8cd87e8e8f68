// Any bytes as what a server says to our client, in each of its codecs and framings: a hostile
// server can break its own stream and nothing else, and what comes in pieces means what it means at
// once.
//
// The first byte of an input chooses the codec or framing; the rest is the stream.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "stage2_jsonrpc/client_codec.hpp"
#include "stage2_jsonrpc/client_http.hpp"
#include "stage2_jsonrpc/client_line.hpp"
#include "tests/fuzz/require.hpp"

namespace rps::jsonrpc {
namespace {

using net::WireCodec;
using Outcome = WireCodec::Outcome;

constexpr std::size_t prefixes_max = 100;  // All of them are tried, which takes the square of it.

std::unique_ptr<WireCodec> make_codec(std::uint8_t choice) {
  switch (choice % 5) {
    case 0: return std::make_unique<ClientCodec>(Codec::json);
    case 1: return std::make_unique<ClientCodec>(Codec::message_pack);
    case 2: return std::make_unique<ClientCodec>(Codec::fixed_layout);
    case 3: return std::make_unique<LineClientCodec>();
    default: return std::make_unique<HttpClientCodec>("localhost:7000");
  }
}

struct Decoded {
  Outcome outcome = Outcome::need_more;
  std::size_t consumed = 0;
};

Decoded decode(WireCodec& codec, std::string_view bytes, const WireCodec::Expected& expected) {
  // A copy of the very size, so that a sanitizer sees who reads beyond it.
  const auto copy = std::make_unique<char[]>(bytes.size());
  bytes.copy(copy.get(), bytes.size());
  Decoded decoded;
  Reply reply{.operation = expected.operation};
  Event event;
  decoded.outcome =
      codec.decode({copy.get(), bytes.size()}, &expected, decoded.consumed, reply, event);
  require(decoded.consumed <= bytes.size(), "no more is consumed than there is");
  const bool is_message = decoded.outcome == Outcome::reply || decoded.outcome == Outcome::event;
  require(!is_message || decoded.consumed > 0, "a message has bytes");
  const std::string touched(reply.reason);  // Which must still be there.
  return decoded;
}

// Until the end of the message has come, more is asked for, or the stream is seen to be broken.
void check_prefixes(WireCodec& codec, std::string_view bytes, const WireCodec::Expected& expected,
                    const Decoded& whole) {
  for (std::size_t size = 1; size < whole.consumed && size < prefixes_max; ++size) {
    const Decoded part = decode(codec, bytes.substr(0, size), expected);
    require(part.outcome == Outcome::need_more, "a part of a message is not a message");
  }
}

}  // namespace
}  // namespace rps::jsonrpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rps;
  using namespace rps::jsonrpc;
  if (size < 2) return 0;
  const auto codec = make_codec(data[0]);
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::array operations{Operation::play, Operation::score, Operation::join,
                                  Operation::throw_move, Operation::leave};
  WireCodec::Expected expected{.operation = operations[data[0] / 5 % operations.size()],
                               .sequence = 1};
  while (!bytes.empty()) {
    const Decoded decoded = decode(*codec, bytes, expected);
    if (decoded.outcome == Outcome::need_more || decoded.outcome == Outcome::broken) return 0;
    check_prefixes(*codec, bytes, expected, decoded);
    if (decoded.outcome == Outcome::reply) ++expected.sequence;
    bytes.remove_prefix(decoded.consumed);
  }
  return 0;
}
