#include "stage3_grpc/chain/callers.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <openssl/crypto.h>

namespace rps::rpc::chain {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Cuts off the front of `text` what stands before one of the `separators`, and that one.
std::string_view take(std::string_view& text, std::string_view separators) {
  const std::size_t end = std::min(text.find_first_of(separators), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<TokenHash> parse_hash(std::string_view digits) {
  TokenHash hash{};
  if (digits.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const char* const at = digits.data() + 2 * i;
    const auto [end, failure] = std::from_chars(at, at + 2, hash[i], 16);
    if (failure != std::errc{} || end != at + 2) return std::nullopt;
  }
  return hash;
}

std::expected<Operations, std::string> parse_operations(std::string_view list) {
  if (list == "*") return Operations::all();
  Operations operations;
  while (!list.empty()) {
    const std::string_view name = take(list, ",");
    const auto operation = parse_operation(name);
    if (!operation) return std::unexpected("'" + std::string(name) + "' is no operation");
    operations.add(*operation);
  }
  return operations;
}

// OpenSSL's comparison takes sixteen bytes at once, and all other lengths byte by byte.
bool is_equal(const TokenHash& a, const TokenHash& b) {
  constexpr std::size_t half = sizeof(TokenHash) / 2;
  const int front = CRYPTO_memcmp(a.data(), b.data(), half);
  const int back = CRYPTO_memcmp(a.data() + half, b.data() + half, half);
  return (front | back) == 0;
}

}  // namespace

std::expected<Callers, std::string> Callers::parse(std::string_view text) {
  Callers callers;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = trim(take(text, "\n"));
    if (line.empty() || line.front() == '#') continue;
    if (const auto mistake = callers.add(line)) {
      return std::unexpected("line " + std::to_string(number) + ": " + *mistake);
    }
  }
  return callers;
}

// Says what is wrong with the line; nothing when it is added.
std::optional<std::string> Callers::add(std::string_view line) {
  const std::string_view hash = take(line, blanks);
  line = trim(line);
  const auto operations = parse_operations(take(line, blanks));
  std::string name(trim(line));
  if (!operations) return operations.error();
  if (name.empty()) return "it has no three parts: hash, operations, name";
  if (size() == limits::callers_max) {
    return "there are more than " + std::to_string(limits::callers_max) + " callers";
  }
  if (hash == "-") {
    const bool is_new = certificates_.emplace(std::move(name), *operations).second;
    return is_new ? std::nullopt : std::optional("the name of a certificate stands there twice");
  }
  const auto parsed = parse_hash(hash);
  if (!parsed) return "the hash is neither 64 hexadecimal digits nor '-'";
  if (find(*parsed) != nullptr) return "the hash stands there twice";
  tokens_.push_back({.hash = *parsed, .name = std::move(name), .allowed = *operations});
  return std::nullopt;
}

const Callers::TokenHolder* Callers::find(const TokenHash& hash) const {
  const TokenHolder* found = nullptr;
  for (const TokenHolder& holder : tokens_) {
    if (is_equal(holder.hash, hash)) found = &holder;
  }
  return found;
}

Operations Callers::allowed_to(std::string_view certificate_identity) const {
  const auto found = certificates_.find(certificate_identity);
  return found == certificates_.end() ? Operations::all() : found->second;
}

}  // namespace rps::rpc::chain
