// HTTP/1.1 for servers, without I/O: HttpReader reads requests with Beast's parser under limits of
// our own, and append_http() writes answers. The admin port and stage 2 use it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http.hpp>

namespace rps::net {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpStatus = boost::beast::http::status;

// Reads one request after another from a stream.
class HttpReader {
 public:
  struct Limits {
    std::size_t header_bytes_max;  // Request line and fields.
    std::size_t body_bytes_max;
  };

  explicit HttpReader(const Limits& limits);

  enum class Outcome {
    need_more,  // The beginning of a request, or nothing.
    request,    // request() is whole.
    refused,    // refusal() says with which status; the stream cannot be read any further.
  };

  // Reads from the front of `bytes`, not beyond the end of a request, and says how many bytes are
  // done with. What is left must stand at the front of the next call's bytes.
  Outcome read(std::string_view bytes, std::size_t& consumed);

  const HttpRequest& request() const { return parser_->get(); }
  HttpStatus refusal() const { return refusal_; }

  // True once for a request whose header is whole and that waits for "100 Continue" before it sends
  // its body.
  bool wants_continue();

  // Some of a request has been read.
  bool has_begun() const { return bytes_ > 0; }

  // Forgets the request; the next one may be read.
  void reset();

 private:
  Outcome refuse(HttpStatus status);
  Outcome check_header();
  std::size_t trailer_bytes() const;

  Limits limits_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  HttpStatus refusal_ = HttpStatus::bad_request;
  std::size_t header_field_bytes_ = 0;  // Of the header's fields, without the trailer's.
  std::size_t bytes_ = 0;               // Of this request, read so far.
  bool continued_ = false;              // It was told to go on, or asked for no such thing.
  bool is_checked_ = false;             // Its header was whole and in order.
};

// An answer with a body; `type` is its media type.
struct HttpPage {
  HttpStatus status = HttpStatus::ok;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view allow;  // For 405: the methods that are.
};

// A page whose text is the name of its status.
HttpPage status_page(HttpStatus status);

// The pages for the server's operator, in answer to a request for `path`: /healthz, /readyz
// and /metrics, for GET and HEAD. Nothing for another path.
std::optional<HttpPage> operations_page(boost::beast::http::verb method, std::string_view path,
                                        bool is_ready,
                                        const std::function<std::string()>& metrics_text);

// The properties of a request that decide the form of its answer.
struct HttpForm {
  unsigned version = 11;   // 10 or 11.
  bool keep_open = false;  // Not closed after this answer.
  bool head_only = false;  // The request was HEAD: no body, but its length.
};

HttpForm form_of(const HttpRequest& request);

// Appends a whole answer. A status that has no body by definition (204) gets none.
void append_http(const HttpForm& form, const HttpPage& page, std::string& out);

}  // namespace rps::net
