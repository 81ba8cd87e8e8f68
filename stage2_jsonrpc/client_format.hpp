// The client's side of a format (format.hpp): how requests are written and answers are read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "stage2_jsonrpc/frame.hpp"

namespace rps::jsonrpc {

struct ClientFormat {
  Codec codec;

  // Appends one request, whose id is `sequence`. The command is not checked, so that a test can
  // send wrong requests to a server.
  void (*append_request)(std::uint64_t sequence, const Command& command, std::string& out);

  // Reads the reply to the call `sequence`, whatever the order of its members. `reply` comes in
  // with nothing but the call's operation. An error without an id is taken for the answer, as the
  // server could not tell whose it was. False when the payload is no such reply; what is in `reply`
  // then means nothing. Views in it point into the payload or to constants.
  bool (*read_reply)(std::string_view payload, std::uint64_t sequence, Reply& reply);

  // Decodes an event of a duel. `event` comes in default-constructed. False when the payload is
  // none.
  bool (*read_event)(std::string_view payload, Event& event);
};

extern const ClientFormat json_client_format;
extern const ClientFormat message_pack_client_format;
extern const ClientFormat fixed_layout_client_format;

const ClientFormat& client_format_of(Codec codec);

// What a server means by a code when it does not give the error's name.
Error meaning_of(std::int64_t code);

}  // namespace rps::jsonrpc
