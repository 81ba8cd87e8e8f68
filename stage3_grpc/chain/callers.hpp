// Who may call and do what: the content of the file of --auth-tokens.
//
//   # SHA-256 of the token   operations   name
//   9f86d081…                play,score   ann
//   -                        *            spiffe://example.org/referee
//
// A line is a caller. Its three parts are separated by spaces or tabs; the name is the rest of the
// line, so it may contain spaces. A hash is 64 hexadecimal digits (`printf %s TOKEN | sha256sum`).
// `-` in its place restricts a caller who has a client certificate instead of a token. Operations
// are separated by commas; `*` is all of them. A name may have several tokens, so that one can
// replace the other. Lines that are empty or begin with '#' mean nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stage3_grpc/chain/call_info.hpp"

namespace rps::rpc::chain {

namespace limits {

// Callers in one file. Every call with a token compares it with all of them, which takes 17 ns
// each.
inline constexpr std::size_t callers_max = 1'000;
inline constexpr std::size_t callers_file_bytes_max = std::size_t{1} << 20;

}  // namespace limits

using TokenHash = std::array<std::uint8_t, 32>;  // SHA-256.

// Immutable, so safe from any thread.
class Callers {
 public:
  struct TokenHolder {
    TokenHash hash;
    std::string name;
    Operations allowed;
  };

  // Reads the whole text, or none of it: then a sentence without its subject, the file, says what
  // is wrong ("line 3: …").
  static std::expected<Callers, std::string> parse(std::string_view text);

  // The holder of the token with this hash; null when there is none. The time does not depend on
  // which entry agrees, nor on how much of one does.
  const TokenHolder* find(const TokenHash& hash) const;

  // What the holder of a certificate may do: what the file says, else everything.
  Operations allowed_to(std::string_view certificate_identity) const;

  std::size_t size() const { return tokens_.size() + certificates_.size(); }

 private:
  std::optional<std::string> add(std::string_view line);

  std::vector<TokenHolder> tokens_;
  std::map<std::string, Operations, std::less<>> certificates_;
};

}  // namespace rps::rpc::chain
