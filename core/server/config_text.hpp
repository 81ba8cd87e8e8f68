// The text of a file of --config: a flag on each line, by its name without the dashes. It is a part
// of TOML, but that a value needs no quotes.
//
//   # A comment.
//   drain = 5s                            # A value ends at '#' …
//   tls-cert = "/etc/rps/#1.pem"          # … but not in quotes, "…" or '…', which have no escapes.
//   host = ["a.example", "b.example"]     # For a flag that may be given several times.
//
// Refused are a section ("[name]"), a line without '=', a value or array that is empty, an array
// that does not end on its line, and what stands behind a closing quote or bracket but is no
// comment.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace rps::server {

struct ConfigEntry {
  std::string key;
  std::vector<std::string> values;  // One, or those of an array.
};

// The entries in the order of their lines; in time that grows with the length of the text. The
// error is the first mistake: "line 3: …".
std::expected<std::vector<ConfigEntry>, std::string> parse_config(std::string_view text);

}  // namespace rps::server
