#include "stage2_jsonrpc/http_protocol.hpp"

#include <cassert>
#include <optional>
#include <utility>

#include "core/trace.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/respond.hpp"

namespace rps::jsonrpc {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using net::HttpPage;
using net::HttpRequest;
using net::HttpStatus;
using Outcome = net::HttpReader::Outcome;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

// Two fields are no trace context: it cannot be told which of them the caller has set.
std::optional<TraceContext> trace_of(const HttpRequest& request) {
  constexpr const char* name = "traceparent";
  if (request.count(name) > 1) return std::nullopt;
  return parse_traceparent(view(request[name]));
}

// Nothing when a payload can be taken from the body.
std::optional<HttpPage> refuse_rpc(const HttpRequest& request, Context& context) {
  if (request.method() != http::verb::post) {
    const bool is_asked = request.method() == http::verb::options;
    return net::allow_page(is_asked ? HttpStatus::no_content : HttpStatus::method_not_allowed,
                           "OPTIONS, POST");
  }
  const bool is_plain = net::has_no_coding(request);
  if (net::has_media_type(request, "application/json") && is_plain) return std::nullopt;
  context.count_refusal(Error::malformed_request);
  return HttpPage{.status = HttpStatus::unsupported_media_type,
                  .body = is_plain ? "the content type must be application/json\n"
                                   : "the content must have no coding\n"};
}

}  // namespace

HttpProtocol::HttpProtocol(const Limits& limits)
    : reader_(
          {.header_bytes_max = limits.header_bytes_max, .body_bytes_max = limits.body_bytes_max}) {}

HttpProtocol::Step HttpProtocol::take_message(std::string_view bytes, Context& context,
                                              std::string& out) {
  Step step;
  Outcome outcome = reader_.read(bytes, step.consumed);
  if (outcome == Outcome::asks) {
    if (const auto page = page_for_request(context)) return end_with(*page, context, out);
    is_for_rpc_ = true;
    const std::string_view body = bytes.substr(step.consumed);
    if (body.empty()) net::append_continue(out);
    std::size_t consumed = 0;
    outcome = reader_.read(body, consumed);
    step.consumed += consumed;
  }
  if (outcome == Outcome::refused) return refuse(context, out);
  if (outcome == Outcome::need_more) {
    step.next = Next::more_bytes;
    return step;
  }
  net::HttpForm form = reader_.form();
  // RFC 9112, section 9.6: the last answer says that no request behind it is carried out.
  if (context.is_last_turn() && step.consumed == bytes.size()) form.keep_open = false;
  const Response response = respond_to_request(context);
  step.calls = response.calls;
  net::append_http(form, response.page, context.http_date(), out);
  if (!form.keep_open) step.next = Next::end;
  reader_.reset();
  return step;
}

// Answers a request whose body has not come and may come all the same.
HttpProtocol::Step HttpProtocol::end_with(const HttpPage& page, Context& context,
                                          std::string& out) {
  net::HttpForm form = reader_.form();
  form.keep_open = false;
  net::append_http(form, page, context.http_date(), out);
  return {.calls = 1, .next = Next::end};
}

HttpProtocol::Step HttpProtocol::refuse(Context& context, std::string& out) {
  const bool too_large = reader_.refusal() == HttpStatus::payload_too_large;
  context.count_refusal(too_large ? Error::too_large : Error::malformed_request);
  net::append_http(reader_.form(), net::status_page(reader_.refusal()), context.http_date(), out);
  return {.next = Next::end};
}

HttpProtocol::Response HttpProtocol::respond_to_request(Context& context) {
  if (!std::exchange(is_for_rpc_, false)) {
    if (auto page = page_for_request(context)) return {.page = *std::move(page)};
  }
  const HttpRequest& request = reader_.request();
  Response response{.page = {.type = "application/json"}};
  response.calls = respond(request.body(),
                           {.format = json_format, .can_push = false, .trace = trace_of(request)},
                           context, response.page.body);
  if (response.page.body.empty()) response.page.status = HttpStatus::no_content;
  return response;
}

// The answer that does not depend on the body. Nothing when the body holds a payload.
std::optional<HttpPage> HttpProtocol::page_for_request(Context& context) const {
  const HttpRequest& request = reader_.request();
  if (auto page = net::general_page(reader_, context.accepts(reader_.host()))) return page;
  if (reader_.path() == "/rpc") return refuse_rpc(request, context);
  auto page = net::operations_page(request.method(), reader_.path(), context.is_ready(),
                                   [&context] { return context.metrics_text(); });
  if (page) return page;
  return HttpPage{.status = HttpStatus::not_found,
                  .body = "there is POST /rpc, and GET /healthz, /readyz and /metrics\n"};
}

void HttpProtocol::encode_timeout(Context& context, std::string& out) {
  if (!reader_.has_begun()) return;
  net::append_http({}, net::status_page(HttpStatus::request_timeout), context.http_date(), out);
}

void HttpProtocol::encode_event(const Event&, std::string&) {
  assert(false && "nobody can have joined a duel over HTTP");
}

}  // namespace rps::jsonrpc
