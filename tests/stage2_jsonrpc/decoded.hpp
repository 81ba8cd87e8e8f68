// What a client's codec makes of bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "core/net/wire_codec.hpp"

namespace rps::jsonrpc {

struct Decoded {
  std::shared_ptr<const std::string> bytes;  // What views in the reply point into.
  net::WireCodec::Outcome outcome = net::WireCodec::Outcome::broken;
  std::size_t consumed = 0;
  Reply reply;
  Event event;
};

// As the answer to call 42, `operation`; with none, nothing is asked.
inline Decoded decode(net::WireCodec& codec, std::string_view bytes,
                      std::optional<Operation> operation = Operation::play) {
  Decoded decoded{.bytes = std::make_shared<std::string>(bytes)};
  const net::WireCodec::Expected expected{.operation = operation.value_or(Operation::play),
                                          .sequence = 42};
  decoded.outcome = codec.decode(*decoded.bytes, operation ? &expected : nullptr, decoded.consumed,
                                 decoded.reply, decoded.event);
  return decoded;
}

}  // namespace rps::jsonrpc
