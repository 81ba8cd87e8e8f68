#include "stage2_jsonrpc/client_http.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

#include "stage2_jsonrpc/client_format.hpp"

namespace rps::jsonrpc {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

// What the head of a response says about its body.
struct Head {
  int status = 0;
  std::optional<std::size_t> body_bytes;
};

bool is_interim(int status) {
  return status < 200;
}

bool has_no_body(int status) {
  return is_interim(status) || status == 204 || status == 304;
}

// Whether `name` is `expected`, whose letters are small. Names of headers ignore case.
bool is_named(std::string_view name, std::string_view expected) {
  return std::ranges::equal(name, expected, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The whole text as a decimal number.
template <class Integer>
std::optional<Integer> number_of(std::string_view text) {
  Integer number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (text.empty() || text.front() == '-' || error != std::errc{} || stop != end) return {};
  return number;
}

// "HTTP/1.1 200 OK": the status, if it is one.
std::optional<int> status_of(std::string_view line) {
  constexpr std::string_view version = "HTTP/1.";
  if (line.size() < 12 || !line.starts_with(version) || line[8] != ' ') return std::nullopt;
  if (line.size() > 12 && line[12] != ' ') return std::nullopt;
  const auto status = number_of<int>(line.substr(9, 3));
  return status && *status >= 100 ? status : std::nullopt;
}

// Takes what one header says. False when the response cannot be understood with it.
bool read_header(std::string_view line, Head& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  if (is_named(name, "transfer-encoding")) return false;
  if (!is_named(name, "content-length")) return true;
  const auto bytes = number_of<std::size_t>(trim(line.substr(colon + 1)));
  if (!bytes || (head.body_bytes && head.body_bytes != bytes)) return false;
  head.body_bytes = bytes;
  return true;
}

// `text` is the head without the empty line that ends it.
std::optional<Head> read_head(std::string_view text) {
  std::size_t end = std::min(text.find(line_end), text.size());
  const auto status = status_of(text.substr(0, end));
  if (!status) return std::nullopt;
  Head head{.status = *status, .body_bytes = {}};
  while (end < text.size()) {
    text.remove_prefix(end + line_end.size());
    end = std::min(text.find(line_end), text.size());
    if (!read_header(text.substr(0, end), head)) return std::nullopt;
  }
  if (has_no_body(*status)) head.body_bytes = 0;
  if (!head.body_bytes) return std::nullopt;
  return head;
}

// What a status means whose body tells nothing.
Error error_of_status(int status) {
  switch (status) {
    case 404:
    case 405: return Error::unknown_operation;
    case 408:
    case 504: return Error::deadline_exceeded;
    case 409: return Error::not_your_turn;
    case 413:
    case 431: return Error::too_large;
    case 429: return Error::overloaded;
    case 503: return Error::unavailable;
    default: return status >= 400 && status < 500 ? Error::malformed_request : Error::internal;
  }
}

}  // namespace

HttpClientCodec::HttpClientCodec(std::string_view authority) {
  head_.append("POST /rpc HTTP/1.1\r\nHost: ").append(authority);
  head_.append("\r\nContent-Type: application/json\r\nContent-Length: ");
}

void HttpClientCodec::encode(std::uint64_t sequence, const Command& command, std::string& out) {
  body_.clear();
  json_client_format.append_request(sequence, command, body_);
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.begin(), digits.end(), body_.size()).ptr;
  out.append(head_).append(digits.begin(), end).append(head_end).append(body_);
}

HttpClientCodec::Outcome HttpClientCodec::decode(std::string_view bytes, const Expected* expected,
                                                 std::size_t& consumed, Reply& reply,
                                                 Event& /*event*/) {
  std::optional<Head> head;
  std::string_view rest = bytes;
  do {
    const std::size_t end = rest.find(head_end);
    if (end == std::string_view::npos) return Outcome::need_more;
    head = read_head(rest.substr(0, end));
    if (!head) return Outcome::broken;
    rest.remove_prefix(end + head_end.size());
  } while (is_interim(head->status));
  if (rest.size() < *head->body_bytes) return Outcome::need_more;
  const std::string_view body = rest.substr(0, *head->body_bytes);
  consumed = bytes.size() - rest.size() + body.size();

  if (expected == nullptr) return Outcome::broken;
  reply.operation = expected->operation;
  if (json_client_format.read_reply(body, expected->sequence, reply)) return Outcome::reply;
  if (head->status == 200) return Outcome::broken;
  reply = Reply{.operation = expected->operation, .error = error_of_status(head->status)};
  return Outcome::reply;
}

}  // namespace rps::jsonrpc
