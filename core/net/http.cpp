#include "core/net/http.hpp"

#include <exception>
#include <limits>

#include <boost/asio/buffer.hpp>

namespace rps::net {

namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::string_view prometheus_text = "text/plain; version=0.0.4; charset=utf-8";

// What is neither the body's bytes nor the header's: the lengths and trailers of a chunked body. A
// trailer is stored like a header field, so it has to be bounded.
constexpr std::size_t chunk_overhead_bytes_max = std::size_t{64} << 10;

// The shortest end of a chunked body: "0\r\n\r\n". So at least these bytes have not been parsed
// until the body ends, and Beast's parser asserts that it is given at least as many at once.
constexpr std::size_t last_chunk_bytes = 5;

HttpStatus status_of(const error_code& error) {
  if (error == http::error::header_limit) return HttpStatus::request_header_fields_too_large;
  if (error == http::error::body_limit) return HttpStatus::payload_too_large;
  return HttpStatus::bad_request;
}

// Of all fields, each with ": " and the end of its line.
std::size_t field_bytes(const HttpRequest& request) {
  std::size_t bytes = 0;
  for (const auto& field : request) bytes += field.name_string().size() + field.value().size() + 4;
  return bytes;
}

}  // namespace

HttpReader::HttpReader(const Limits& limits) : limits_(limits) {
  reset();
}

void HttpReader::reset() {
  parser_.emplace();
  parser_->header_limit(std::numeric_limits<std::uint32_t>::max());  // Counted by read().
  parser_->body_limit(limits_.body_bytes_max);
  bytes_ = 0;
  continued_ = false;
  is_checked_ = false;
}

// The header is counted here because Beast bounds only what it parses at once, and takes any number
// of fields that come in small pieces.
HttpReader::Outcome HttpReader::read(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  error_code error;
  while (!parser_->is_done()) {
    const std::string_view rest = bytes.substr(consumed);
    const bool in_chunks = is_checked_ && parser_->chunked();
    if (rest.empty() || (in_chunks && rest.size() < last_chunk_bytes)) return Outcome::need_more;
    const std::size_t used = parser_->put(boost::asio::buffer(rest.data(), rest.size()), error);
    consumed += used;
    bytes_ += used;
    if (error && error != http::error::need_more) return refuse(status_of(error));

    // Whatever cannot be parsed yet is a line of the header or of a chunk.
    const std::size_t unparsed = error ? bytes.size() - consumed : 0;
    const std::size_t header_bytes = is_checked_ ? unparsed : bytes_ + unparsed;
    if (header_bytes > limits_.header_bytes_max) {
      return refuse(HttpStatus::request_header_fields_too_large);
    }
    if (bytes_ > limits_.header_bytes_max + limits_.body_bytes_max + chunk_overhead_bytes_max) {
      return refuse(HttpStatus::payload_too_large);
    }
    if (parser_->is_header_done() && !is_checked_ && check_header() == Outcome::refused) {
      return Outcome::refused;
    }
    if (error) return Outcome::need_more;
  }
  if (parser_->chunked() && trailer_bytes() > limits_.header_bytes_max) {
    return refuse(HttpStatus::request_header_fields_too_large);
  }
  return Outcome::request;
}

// What Beast leaves to its user (RFC 9112, sections 3.2 and 6.1; RFC 9110, section 10.1.1).
HttpReader::Outcome HttpReader::check_header() {
  is_checked_ = true;
  const HttpRequest& request = parser_->get();
  header_field_bytes_ = field_bytes(request);
  const auto hosts = request.equal_range(http::field::host);
  const auto host_count = std::distance(hosts.first, hosts.second);
  if (host_count > 1 || (host_count == 0 && request.version() >= 11)) {
    return refuse(HttpStatus::bad_request);
  }
  // With another coding, a proxy and this server could disagree on where the body ends.
  const auto codings = request.equal_range(http::field::transfer_encoding);
  const auto coding_count = std::distance(codings.first, codings.second);
  if (coding_count > 1 ||
      (coding_count == 1 && !boost::beast::iequals(codings.first->value(), "chunked"))) {
    return refuse(HttpStatus::not_implemented);
  }
  const auto expectation = request[http::field::expect];
  continued_ = expectation.empty() || request.version() < 11;
  if (!continued_ && !boost::beast::iequals(expectation, "100-continue")) {
    return refuse(HttpStatus::expectation_failed);
  }
  return Outcome::need_more;
}

// The last chunk and the trailer fields behind it, as long as they are when spelled without extra
// space. Beast parses them at once and puts the trailer fields behind those of the header; so
// read() counts them while their end is missing, and this when they came whole.
std::size_t HttpReader::trailer_bytes() const {
  return last_chunk_bytes + field_bytes(parser_->get()) - header_field_bytes_;
}

HttpReader::Outcome HttpReader::refuse(HttpStatus status) {
  refusal_ = status;
  return Outcome::refused;
}

bool HttpReader::wants_continue() {
  if (!is_checked_ || continued_ || parser_->is_done()) return false;
  continued_ = true;
  return true;
}

HttpPage status_page(HttpStatus status) {
  HttpPage page{.status = status, .body = std::string(http::obsolete_reason(status))};
  page.body.push_back('\n');
  return page;
}

std::optional<HttpPage> operations_page(http::verb method, std::string_view path, bool is_ready,
                                        const std::function<std::string()>& metrics_text) {
  const bool is_known = path == "/healthz" || path == "/readyz" || path == "/metrics";
  if (!is_known) return std::nullopt;
  if (method != http::verb::get && method != http::verb::head) {
    HttpPage page = status_page(HttpStatus::method_not_allowed);
    page.allow = "GET, HEAD";
    return page;
  }
  if (path == "/healthz") return HttpPage{.body = "ok\n"};
  if (path == "/readyz") {
    if (is_ready) return HttpPage{.body = "ready\n"};
    return HttpPage{.status = HttpStatus::service_unavailable, .body = "not ready\n"};
  }
  try {
    return HttpPage{.type = prometheus_text, .body = metrics_text()};
  } catch (const std::exception&) {
    return HttpPage{.status = HttpStatus::internal_server_error,
                    .body = "the metrics cannot be read\n"};
  }
}

HttpForm form_of(const HttpRequest& request) {
  return {.version = request.version(),
          .keep_open = request.keep_alive(),
          .head_only = request.method() == http::verb::head};
}

void append_http(const HttpForm& form, const HttpPage& page, std::string& out) {
  out.append(form.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ");
  out.append(std::to_string(static_cast<unsigned>(page.status))).push_back(' ');
  out.append(http::obsolete_reason(page.status));
  if (!form.keep_open) out.append("\r\nConnection: close");
  if (form.keep_open && form.version == 10) out.append("\r\nConnection: keep-alive");
  if (!page.allow.empty()) out.append("\r\nAllow: ").append(page.allow);
  if (page.status == HttpStatus::no_content) {
    out.append("\r\n\r\n");
    return;
  }
  out.append("\r\nCache-Control: no-store\r\nContent-Type: ").append(page.type);
  out.append("\r\nContent-Length: ").append(std::to_string(page.body.size())).append("\r\n\r\n");
  if (!form.head_only) out.append(page.body);
}

}  // namespace rps::net
