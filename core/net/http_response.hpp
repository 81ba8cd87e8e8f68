// The responses of an HTTP/1 server, read with Beast's parser. Of a header only what a client needs
// is kept, so that in steady state reading a response allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

namespace rps::net {

// Reads one response after another from a stream (RFC 9112), of HTTP/1.1 and 1.0. The body may have
// a length, come in chunks, or end with the stream; 204 and 304 have none. Interim responses
// (status 1xx) are skipped. The responses must be to requests that are not HEAD.
class HttpResponseReader {
 public:
  struct Limits {
    // Of status line and fields together, and of the trailer fields behind the last chunk, however
    // the bytes are cut: each field counts with ": " and the end of its line.
    std::size_t header_bytes_max;
    std::size_t body_bytes_max;
  };

  explicit HttpResponseReader(const Limits& limits) : limits_(limits) { reset(); }

  enum class Outcome : std::uint8_t {
    need_more,  // The beginning of a response, or nothing.
    response,   // status() and body() are those of a whole response.
    broken,     // These bytes are no response: the stream cannot be read any further.
  };

  // Reads from the front of `bytes`, not beyond the end of a response, and adds to `consumed` how
  // many bytes are done with. What is left must stand at the front of the next call's bytes.
  Outcome read(std::string_view bytes, std::size_t& consumed);

  // The stream has ended: `response` when that is the end of the body, else `broken`.
  // REQUIRES: the last outcome was need_more.
  Outcome finish();

  int status() const { return parser_->status; }

  // Valid until the next call.
  std::string_view body() const { return body_; }

  // The header is whole, and the end of the stream will be the end of the body.
  bool ends_with_stream() const { return parser_->is_header_done() && parser_->need_eof(); }

  // The server says that it will not close the stream after this response.
  bool keeps_open() const { return parser_->keeps_open; }

  // After how many seconds to ask again, as the header says (Retry-After, RFC 9110,
  // section 10.2.3); 0 when it does not say so. A date is not taken for a number of seconds, as it
  // would mean something only if both clocks agreed.
  std::uint32_t retry_after_seconds() const { return parser_->retry_after_seconds; }

  // Forgets the response; the next one may be read.
  void reset();

 private:
  using ErrorCode = boost::beast::error_code;
  using View = boost::beast::string_view;

  // What Beast calls while it parses.
  class Parser final : public boost::beast::http::basic_parser<false> {
   public:
    Parser(std::string& body_text, std::size_t header_limit)
        : header_bytes_max(header_limit), body(body_text) {}

    int status = 0;
    bool keeps_open = false;                // As the header says; a trailer has no say in it.
    std::uint32_t retry_after_seconds = 0;  // Of the header as well.
    std::size_t header_bytes_max;
    std::size_t header_bytes = 0;  // Parsed so far; of the trailer once the header is whole.
    std::string& body;

   private:
    void on_request_impl(boost::beast::http::verb, View, View, int, ErrorCode&) override {}
    void on_response_impl(int code, View reason, int version, ErrorCode& error) override;
    void on_field_impl(boost::beast::http::field field, View name, View value,
                       ErrorCode& error) override;
    void on_header_impl(ErrorCode& error) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
    std::size_t on_body_impl(View bytes, ErrorCode& error) override;
    void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View bytes, ErrorCode& error) override;
    void on_finish_impl(ErrorCode&) override {}
  };

  std::size_t put(std::string_view bytes, ErrorCode& error);
  std::size_t put_header_without_reason(std::string_view bytes, ErrorCode& error);

  Limits limits_;
  std::string body_;
  std::string header_;  // Only for a status line that has to be completed.
  std::optional<Parser> parser_;
};

}  // namespace rps::net
