// HTTP/1.1 for servers, without I/O: HttpReader reads requests with Beast's parser under limits of
// our own, and append_http() writes answers. The admin port and stage 2 use it. What is accepted
// and what is refused, section by section of RFC 9110 and RFC 9112: docs/http.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http.hpp>

#include "core/net/http_host.hpp"

namespace rps::net {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpStatus = boost::beast::http::status;

// Whether the content is of this media type, by Content-Type (RFC 9110, section 8.3.1). Parameters,
// such as a charset, change nothing: JSON is UTF-8.
bool has_media_type(const HttpRequest& request, std::string_view type);

// Whether the content is as its sender wrote it: no field names a coding (RFC 9110, section 8.4).
bool has_no_coding(const HttpRequest& request);

// The properties of a request that decide the form of its answer.
struct HttpForm {
  unsigned version = 11;   // 10 or 11.
  bool keep_open = false;  // Not closed after this answer.
  bool head_only = false;  // The request was HEAD: no body, but its length.
};

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
    asks,       // The header is whole, and its client asks whether to send the body: send
                // append_continue() if none of it is there yet, and read on; or send a final answer
                // and end the stream, as the body may come all the same.
    request,    // request() is whole.
    refused,    // refusal() says with which status; the stream cannot be read any further.
  };

  // Reads from the front of `bytes`, not beyond the end of a request, and says how many bytes are
  // done with. What is left must stand at the front of the next call's bytes.
  Outcome read(std::string_view bytes, std::size_t& consumed);

  // Whole when the outcome was `request`; its header is when the outcome was `asks`. Trailer
  // fields are checked and dropped: none of them is among its fields.
  const HttpRequest& request() const { return parser_->get(); }

  // What the request is for: a path without query, or "*", and a host. As known as the header.
  const std::string& path() const { return path_; }
  HttpAuthority host() const { return {.host = host_, .is_address = is_address_}; }

  // Of the answer. After `refused` the answer closes the stream.
  HttpForm form() const { return form_; }
  HttpStatus refusal() const { return refusal_; }

  // Whether the header has come whole, in order or not: then request() has its fields.
  bool has_header() const { return has_header_; }

  // Some of a request has come; empty lines before it do not count.
  bool has_begun() const { return has_begun_; }

  // Forgets the request; the next one may be read.
  void reset();

 private:
  Outcome refuse(HttpStatus status);
  Outcome check_header();
  Outcome check_target(bool has_host, std::string_view host);
  Outcome finish();

  Limits limits_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  HttpStatus refusal_ = HttpStatus::bad_request;
  HttpForm form_;
  std::string path_;
  std::string host_;
  bool is_address_ = false;  // host_ is.

  // What path_ and host_ were parsed from.
  struct Names {
    boost::beast::http::verb method;
    bool has_host;
    bool operator==(const Names&) const = default;
  };
  std::optional<Names> names_;  // Nothing: from nothing yet.
  std::string target_;
  std::string host_field_;

  HttpRequest::header_type header_;  // Of a request in chunks, as it was before the trailer came.
  std::size_t bytes_ = 0;            // Of this request, read so far.
  bool has_begun_ = false;
  bool asks_ = false;        // It was told to go on, or asked for no such thing.
  bool has_header_ = false;  // It has come whole.
};

// An answer with a body; `type` is its media type.
struct HttpPage {
  HttpStatus status = HttpStatus::ok;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view allow;  // For 405 and OPTIONS: the methods that the resource has.
  std::string fields;      // Further fields of the header, each with the end of its line.
  std::string_view cache_control = "no-store";
};

// A page whose text is the name of its status.
HttpPage status_page(HttpStatus status);

// The answer to a request whose path does not matter: 421 when the server has no such name, 501 for
// an unknown method, 204 for `OPTIONS *`. Nothing for all others.
std::optional<HttpPage> general_page(const HttpReader& reader, bool is_host_accepted);

// The answer to OPTIONS, and with 405 to a method that a resource does not have.
HttpPage allow_page(HttpStatus status, std::string_view methods);

// The pages for the server's operator, in answer to a request for `path`: /healthz, /readyz
// and /metrics, for GET, HEAD and OPTIONS. Nothing for another path.
std::optional<HttpPage> operations_page(boost::beast::http::verb method, std::string_view path,
                                        bool is_ready,
                                        const std::function<std::string()>& metrics_text);

// "Sun, 06 Nov 1994 08:49:37 GMT", for the years 1 to 9999 (RFC 9110, section 5.6.7).
std::string http_date(std::chrono::sys_seconds time);

// The present date for many answers: it is made anew once a second. Not for several threads.
class HttpDate {
 public:
  std::string_view now();

 private:
  std::time_t time_ = 0;
  std::string text_;
};

// Appends a whole answer; `date` is the value of its field Date. A status that has no body by
// definition (204, 304) gets none.
void append_http(const HttpForm& form, const HttpPage& page, std::string_view date,
                 std::string& out);

// Appends the header of an answer whose body comes piece by piece: in chunks (append_piece), to a
// client of HTTP/1.0 as it is, up to the end of the stream. `page.body` is not used.
void append_stream_head(const HttpForm& form, const HttpPage& page, std::string_view date,
                        std::string& out);

// Appends a piece of such a body; an empty one is its end.
void append_piece(const HttpForm& form, std::string_view bytes, std::string& out);

// Appends what tells a client to send its body.
void append_continue(std::string& out);

}  // namespace rps::net
