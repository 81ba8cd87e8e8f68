// What may be written to a descriptor besides plain text.
#pragma once

namespace rps::net {

// Whether `fd` is a terminal that obeys control sequences (ECMA-48): not one whose TERM is unset,
// empty or "dumb".
bool obeys_control_sequences(int fd);

// The same, and nobody asked for text without colour: by the rule of no-color.org, NO_COLOR counts
// when it is set and not empty.
bool shows_color(int fd);

}  // namespace rps::net
