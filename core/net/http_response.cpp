#include "core/net/http_response.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace rps::net {

namespace http = boost::beast::http;

namespace {

// The last chunk has at least these bytes, "0\r\n\r\n", so that many are still to come wherever a
// chunked body is read. Beast's parser asserts that it is given as many at once.
constexpr std::size_t last_chunk_bytes = 5;

// "\r\n0\r\n" before a trailer and "\r\n" behind it: bytes around the fields that are none of
// theirs.
constexpr std::size_t framing_bytes = 7;

constexpr std::string_view header_end = "\r\n\r\n";

// "HTTP/1.1 200" without a reason must end with a space (RFC 9112, section 4). Some servers omit
// the space; Beast's parser requires it.
constexpr std::size_t status_end = 12;

constexpr std::size_t line_end_bytes = 2;

bool lacks_space(std::string_view bytes) {
  return bytes.size() > status_end && bytes[status_end] == '\r';
}

// 0 for what is no number, the largest number for one that is larger.
std::uint32_t parse_seconds(std::string_view text) {
  std::uint32_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end != text.data() + text.size()) return 0;
  if (failure == std::errc::result_out_of_range) return std::numeric_limits<std::uint32_t>::max();
  return failure == std::errc{} ? seconds : 0;
}

}  // namespace

void HttpResponseReader::Parser::on_response_impl(int code, View reason, int, ErrorCode& error) {
  if (code < 100) error = http::error::bad_status;
  status = code;
  header_bytes = status_end + 1 + reason.size() + line_end_bytes;
}

// With a coding other than chunks, the end of the body is known only to that coding.
void HttpResponseReader::Parser::on_field_impl(http::field field, View name, View value,
                                               ErrorCode& error) {
  header_bytes += name.size() + 2 + value.size() + line_end_bytes;
  const bool is_coding = field == http::field::transfer_encoding;
  if (is_coding && !boost::beast::iequals(value, "chunked")) {
    error = http::error::bad_transfer_encoding;
  }
  if (field == http::field::retry_after && !is_header_done()) {
    retry_after_seconds = parse_seconds({value.data(), value.size()});
  }
}

void HttpResponseReader::Parser::on_header_impl(ErrorCode& error) {
  if (header_bytes > header_bytes_max) error = http::error::header_limit;
  keeps_open = keep_alive();
  header_bytes = 0;
}

std::size_t HttpResponseReader::Parser::on_body_impl(View bytes, ErrorCode&) {
  body.append(bytes.data(), bytes.size());
  return bytes.size();
}

std::size_t HttpResponseReader::Parser::on_chunk_body_impl(std::uint64_t, View bytes,
                                                           ErrorCode& error) {
  return on_body_impl(bytes, error);
}

void HttpResponseReader::reset() {
  body_.clear();
  parser_.emplace(body_, limits_.header_bytes_max);
  parser_->eager(true);
  parser_->header_limit(std::numeric_limits<std::uint32_t>::max());  // Counted by the Parser.
  parser_->body_limit(limits_.body_bytes_max);
}

HttpResponseReader::Outcome HttpResponseReader::read(std::string_view bytes,
                                                     std::size_t& consumed) {
  for (;;) {
    const bool is_in_header = !parser_->is_header_done();
    const bool is_in_chunks = !is_in_header && parser_->chunked();
    if (bytes.empty() || (is_in_chunks && bytes.size() < last_chunk_bytes)) {
      return Outcome::need_more;
    }
    ErrorCode error;
    const std::size_t used = is_in_header && lacks_space(bytes)
                                 ? put_header_without_reason(bytes, error)
                                 : put(bytes, error);
    bytes.remove_prefix(used);
    consumed += used;
    if (error && error != http::error::need_more) return Outcome::broken;
    // What cannot be parsed yet is of a header or of a trailer, or the line before a chunk.
    const std::size_t unparsed = error ? bytes.size() - std::min(bytes.size(), framing_bytes) : 0;
    if (parser_->header_bytes + unparsed > limits_.header_bytes_max) return Outcome::broken;
    if (error) return Outcome::need_more;
    if (!parser_->is_done()) continue;
    if (parser_->status >= 200) return Outcome::response;
    reset();
  }
}

HttpResponseReader::Outcome HttpResponseReader::finish() {
  if (!ends_with_stream()) return Outcome::broken;
  ErrorCode error;
  parser_->put_eof(error);
  return error ? Outcome::broken : Outcome::response;
}

std::size_t HttpResponseReader::put(std::string_view bytes, ErrorCode& error) {
  return parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
}

// Parses a copy of the header with the space that its status line lacks.
std::size_t HttpResponseReader::put_header_without_reason(std::string_view bytes,
                                                          ErrorCode& error) {
  const std::size_t end = bytes.find(header_end);
  if (end == std::string_view::npos) {
    error = http::error::need_more;
    return 0;
  }
  header_.assign(bytes.substr(0, status_end)).push_back(' ');
  header_.append(bytes.substr(status_end, end + header_end.size() - status_end));
  put(header_, error);
  return end + header_end.size();
}

}  // namespace rps::net
