#include "core/net/http.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <limits>
#include <utility>

#include <boost/asio/buffer.hpp>

#include "core/net/http_target.hpp"

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

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

HttpStatus status_of(const error_code& error) {
  if (error == http::error::header_limit) return HttpStatus::request_header_fields_too_large;
  if (error == http::error::body_limit) return HttpStatus::payload_too_large;
  return HttpStatus::bad_request;
}

// Of all fields, each with ": " and the end of its line.
std::size_t field_bytes(const http::fields& fields) {
  std::size_t bytes = 0;
  for (const auto& field : fields) bytes += field.name_string().size() + field.value().size() + 4;
  return bytes;
}

// What the fields of a header say about the message itself. They are read in one pass, because each
// look-up of a field by its name takes as long as the whole pass.
struct Facts {
  std::string_view host;  // The last.
  std::size_t hosts = 0;
  std::size_t content_types = 0;
  std::size_t codings = 0;    // Fields Transfer-Encoding.
  bool is_chunked = false;    // The last of them is "chunked" alone.
  bool closes = false;        // Connection: close
  bool keeps = false;         // Connection: keep-alive
  bool asks = false;          // Expect: 100-continue
  bool expects_more = false;  // Another expectation.
};

// Several fields Connection, or Expect, are one list (RFC 9110, section 5.3).
void take_field(const http::fields::value_type& field, Facts& facts) {
  const http::field name = field.name();
  if (name == http::field::host) {
    ++facts.hosts;
    facts.host = view(field.value());
  } else if (name == http::field::content_type) {
    ++facts.content_types;
  } else if (name == http::field::transfer_encoding) {
    ++facts.codings;
    facts.is_chunked = boost::beast::iequals(field.value(), "chunked");
  } else if (name == http::field::connection) {
    http::token_list options(field.value());
    facts.closes |= options.exists("close");
    facts.keeps |= options.exists("keep-alive");
  } else if (name == http::field::expect && !field.value().empty()) {
    const bool is_known = boost::beast::iequals(field.value(), "100-continue");
    facts.asks |= is_known;
    facts.expects_more |= !is_known;
  }
}

Facts facts_of(const HttpRequest& request) {
  Facts facts;
  for (const auto& field : request) take_field(field, facts);
  return facts;
}

// What Beast leaves to its user (RFC 9110, sections 5.3 and 10.1.1; RFC 9112, sections 3.2
// and 6.1).
std::optional<HttpStatus> refuse_fields(const Facts& facts, bool is_current) {
  if (facts.hosts > 1 || (facts.hosts == 0 && is_current) || facts.content_types > 1) {
    return HttpStatus::bad_request;
  }
  if (facts.codings > 0 && !is_current) return HttpStatus::bad_request;
  // With another coding, a proxy and this server could disagree on where the body ends.
  if (facts.codings > 1 || (facts.codings == 1 && !facts.is_chunked)) {
    return HttpStatus::not_implemented;
  }
  if (facts.expects_more && is_current) return HttpStatus::expectation_failed;
  return std::nullopt;
}

// The status line and the fields that every answer has, without the end of the last line.
void append_head(const HttpForm& form, const HttpPage& page, std::string_view date,
                 std::string& out) {
  out.append(form.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ");
  out.append(std::to_string(static_cast<unsigned>(page.status))).push_back(' ');
  out.append(http::obsolete_reason(page.status));
  out.append("\r\n").append(page.fields).append("Date: ").append(date);
  if (!form.keep_open) out.append("\r\nConnection: close");
  if (form.keep_open && form.version == 10) out.append("\r\nConnection: keep-alive");
  if (!page.allow.empty()) out.append("\r\nAllow: ").append(page.allow);
}

}  // namespace

bool has_media_type(const HttpRequest& request, std::string_view type) {
  constexpr std::string_view space = " \t";
  const std::string_view field = view(request[http::field::content_type]);
  std::string_view named = field.substr(0, field.find(';'));
  named.remove_suffix(named.size() - (named.find_last_not_of(space) + 1));
  return boost::beast::iequals({named.data(), named.size()}, {type.data(), type.size()});
}

bool has_no_coding(const HttpRequest& request) {
  const auto [first, last] = request.equal_range(http::field::content_encoding);
  return std::all_of(first, last, [](const auto& field) {
    return field.value().empty() || boost::beast::iequals(field.value(), "identity");
  });
}

HttpReader::HttpReader(const Limits& limits) : limits_(limits) {
  reset();
}

void HttpReader::reset() {
  parser_.emplace();
  parser_->header_limit(std::numeric_limits<std::uint32_t>::max());  // Counted by read().
  parser_->body_limit(limits_.body_bytes_max);
  form_ = {};
  bytes_ = 0;
  has_begun_ = false;
  asks_ = false;
  has_header_ = false;
}

// The header is counted here because Beast bounds only what it parses at once, and takes any number
// of fields that come in small pieces. Empty lines before a request are skipped (RFC 9112, section
// 2.2).
HttpReader::Outcome HttpReader::read(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  if (bytes_ == 0) {
    while (bytes.substr(consumed).starts_with("\r\n")) consumed += 2;
    if (bytes.substr(consumed) == "\r") return Outcome::need_more;
  }
  has_begun_ = bytes_ > 0 || bytes.size() > consumed;
  error_code error;
  while (!parser_->is_done()) {
    const std::string_view rest = bytes.substr(consumed);
    const bool in_chunks = has_header_ && parser_->chunked();
    if (rest.empty() || (in_chunks && rest.size() < last_chunk_bytes)) return Outcome::need_more;
    const std::size_t used = parser_->put(boost::asio::buffer(rest.data(), rest.size()), error);
    consumed += used;
    bytes_ += used;
    if (error && error != http::error::need_more) {
      has_header_ = has_header_ || error == http::error::body_limit;  // By its Content-Length.
      return refuse(status_of(error));
    }

    // Whatever cannot be parsed yet is a line of the header or of a chunk.
    const std::size_t unparsed = error ? bytes.size() - consumed : 0;
    const std::size_t header_bytes = has_header_ ? unparsed : bytes_ + unparsed;
    if (header_bytes > limits_.header_bytes_max) {
      return refuse(HttpStatus::request_header_fields_too_large);
    }
    if (bytes_ > limits_.header_bytes_max + limits_.body_bytes_max + chunk_overhead_bytes_max) {
      return refuse(HttpStatus::payload_too_large);
    }
    if (parser_->is_header_done() && !has_header_) {
      if (check_header() == Outcome::refused) return Outcome::refused;
      if (asks_ && !parser_->is_done()) return Outcome::asks;
    }
    if (error) return Outcome::need_more;
  }
  return finish();
}

HttpReader::Outcome HttpReader::check_header() {
  has_header_ = true;
  const HttpRequest& request = parser_->get();
  const Facts facts = facts_of(request);
  const bool is_current = request.version() >= 11;
  form_ = {.version = request.version(),
           .keep_open = !facts.closes && (is_current || facts.keeps),  // RFC 9112, section 9.3.
           .head_only = request.method() == http::verb::head};
  asks_ = facts.asks && is_current;
  if (const auto status = refuse_fields(facts, is_current)) return refuse(*status);
  if (check_target(facts.hosts > 0, facts.host) == Outcome::refused) return Outcome::refused;
  if (parser_->chunked()) header_ = request.base();
  return Outcome::need_more;
}

// The requests of a connection mostly have the same target and host, which are parsed once then.
HttpReader::Outcome HttpReader::check_target(bool has_host, std::string_view host) {
  const HttpRequest& request = parser_->get();
  const std::string_view text = view(request.target());
  const Names names{request.method(), has_host};
  if (names == names_ && text == target_ && host == host_field_) return Outcome::need_more;
  names_.reset();
  if (has_host && !parse_authority(host)) return refuse(HttpStatus::bad_request);
  auto target = parse_target(request.method(), text);
  if (!target) return refuse(target.error());
  const std::string_view authority = target->authority.empty() ? host : target->authority;
  // A request of HTTP/1.0 may name no host, and then is accepted as one to an address is.
  const HttpAuthority parsed =
      parse_authority(authority).value_or(HttpAuthority{.is_address = true});
  path_ = std::move(target->path);
  host_ = parsed.host;
  is_address_ = parsed.is_address;
  target_ = text;
  host_field_ = host;
  names_ = names;
  return Outcome::need_more;
}

// Beast puts the trailer fields among those of the header, where they would have an effect. It
// parses them at once when they come whole; so read() counts their bytes while their end is
// missing, and this function counts those that have come: the last chunk and the fields, as long as
// they are when spelled without extra space.
HttpReader::Outcome HttpReader::finish() {
  if (!parser_->chunked()) return Outcome::request;
  const std::size_t trailer_bytes = field_bytes(parser_->get()) - field_bytes(header_);
  parser_->get().base() = std::move(header_);
  if (last_chunk_bytes + trailer_bytes > limits_.header_bytes_max) {
    return refuse(HttpStatus::request_header_fields_too_large);
  }
  return Outcome::request;
}

HttpReader::Outcome HttpReader::refuse(HttpStatus status) {
  refusal_ = status;
  form_ = {.head_only = parser_->get().method() == http::verb::head};
  return Outcome::refused;
}

HttpPage status_page(HttpStatus status) {
  HttpPage page{.status = status, .body = std::string(http::obsolete_reason(status))};
  page.body.push_back('\n');
  return page;
}

HttpPage allow_page(HttpStatus status, std::string_view methods) {
  HttpPage page = status_page(status);
  page.allow = methods;
  return page;
}

std::optional<HttpPage> general_page(const HttpReader& reader, bool is_host_accepted) {
  if (!is_host_accepted) {
    return HttpPage{.status = HttpStatus::misdirected_request,
                    .body = "this server has no such name; --host gives it one\n"};
  }
  if (reader.request().method() == http::verb::unknown) {
    return status_page(HttpStatus::not_implemented);
  }
  if (reader.path() == "*") {
    return allow_page(HttpStatus::no_content, "GET, HEAD, OPTIONS, POST");
  }
  return std::nullopt;
}

std::optional<HttpPage> operations_page(http::verb method, std::string_view path, bool is_ready,
                                        const std::function<std::string()>& metrics_text) {
  const bool is_known = path == "/healthz" || path == "/readyz" || path == "/metrics";
  if (!is_known) return std::nullopt;
  if (method != http::verb::get && method != http::verb::head) {
    const bool is_asked = method == http::verb::options;
    return allow_page(is_asked ? HttpStatus::no_content : HttpStatus::method_not_allowed,
                      "GET, HEAD, OPTIONS");
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

std::string http_date(std::chrono::sys_seconds time) {
  constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto padded = [](auto number, std::size_t width) {
    const std::string digits = std::to_string(number);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
  };
  std::string out(weekdays.substr(std::size_t{3} * std::chrono::weekday(day).c_encoding(), 3));
  out.append(", ").append(padded(unsigned{date.day()}, 2)).append(" ");
  out.append(months.substr(std::size_t{3} * (unsigned{date.month()} - 1), 3)).append(" ");
  out.append(padded(int{date.year()}, 4)).append(" ");
  out.append(padded(clock.hours().count(), 2)).append(":");
  out.append(padded(clock.minutes().count(), 2)).append(":");
  return out.append(padded(clock.seconds().count(), 2)).append(" GMT");
}

std::string_view HttpDate::now() {
  const std::time_t time = std::time(nullptr);  // Costs less than a clock that counts more finely.
  if (text_.empty() || time != std::exchange(time_, time)) {
    text_ = http_date(std::chrono::sys_seconds(std::chrono::seconds(time)));
  }
  return text_;
}

void append_continue(std::string& out) {
  out.append("HTTP/1.1 100 Continue\r\n\r\n");
}

void append_piece(const HttpForm& form, std::string_view bytes, std::string& out) {
  if (form.version == 10) {
    out.append(bytes);
    return;
  }
  std::array<char, 2 * sizeof bytes.size()> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), bytes.size(), 16).ptr;
  out.append(digits.begin(), end).append("\r\n").append(bytes).append("\r\n");
}

void append_stream_head(const HttpForm& form, const HttpPage& page, std::string_view date,
                        std::string& out) {
  append_head(form, page, date, out);
  out.append("\r\nCache-Control: no-store\r\nContent-Type: ").append(page.type);
  if (form.version != 10) out.append("\r\nTransfer-Encoding: chunked");
  out.append("\r\n\r\n");
}

void append_http(const HttpForm& form, const HttpPage& page, std::string_view date,
                 std::string& out) {
  append_head(form, page, date, out);
  if (page.status == HttpStatus::no_content) {
    out.append("\r\n\r\n");
    return;
  }
  out.append("\r\nCache-Control: ").append(page.cache_control);
  if (page.status == HttpStatus::not_modified) {
    out.append("\r\n\r\n");
    return;
  }
  out.append("\r\nContent-Type: ").append(page.type);
  out.append("\r\nContent-Length: ").append(std::to_string(page.body.size())).append("\r\n\r\n");
  if (!form.head_only) out.append(page.body);
}

}  // namespace rps::net
