#include "stage2_jsonrpc/http_protocol.hpp"

#include <cassert>
#include <utility>

#include "core/trace.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/respond.hpp"

namespace rps::jsonrpc {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using net::HttpForm;
using net::HttpRequest;
using net::HttpStatus;
using Outcome = net::HttpReader::Outcome;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

std::string_view path_of(const HttpRequest& request) {
  const std::string_view target = view(request.target());
  return target.substr(0, target.find('?'));
}

bool is_json(const HttpRequest& request) {
  std::string_view type = view(request[http::field::content_type]);
  type = type.substr(0, type.find_first_of("; \t"));
  return beast::iequals({type.data(), type.size()}, "application/json");
}

}  // namespace

HttpProtocol::HttpProtocol(const Limits& limits)
    : reader_(
          {.header_bytes_max = limits.header_bytes_max, .body_bytes_max = limits.body_bytes_max}) {}

HttpProtocol::Step HttpProtocol::take_message(std::string_view bytes, Context& context,
                                              std::string& out) {
  Step step;
  switch (reader_.read(bytes, step.consumed)) {
    case Outcome::need_more:
      if (reader_.wants_continue()) out.append("HTTP/1.1 100 Continue\r\n\r\n");
      step.next = Next::more_bytes;
      return step;
    case Outcome::refused: {
      const bool too_large = reader_.refusal() == HttpStatus::payload_too_large;
      context.count_refusal(too_large ? Error::too_large : Error::malformed_request);
      net::append_http(HttpForm{}, net::status_page(reader_.refusal()), out);
      step.next = Next::end;
      return step;
    }
    case Outcome::request: break;
  }
  HttpForm form = net::form_of(reader_.request());
  // RFC 9112, section 9.6: the last answer says that no request behind it is carried out.
  if (context.is_last_turn() && step.consumed == bytes.size()) form.keep_open = false;
  const Response response = respond_to(reader_.request(), context);
  step.calls = response.calls;
  net::append_http(form, response.page, out);
  reader_.reset();
  if (!form.keep_open) step.next = Next::end;
  return step;
}

HttpProtocol::Response HttpProtocol::respond_to(const HttpRequest& request, Context& context) {
  const std::string_view path = path_of(request);
  if (path == "/rpc") return respond_to_rpc(request, context);
  auto page = net::operations_page(request.method(), path, context.is_ready(),
                                   [&context] { return context.metrics_text(); });
  if (page) return {.page = std::move(*page)};
  return {.page = {.status = HttpStatus::not_found,
                   .body = "there is POST /rpc, and GET /healthz, /readyz and /metrics\n"}};
}

HttpProtocol::Response HttpProtocol::respond_to_rpc(const HttpRequest& request, Context& context) {
  if (request.method() != http::verb::post) {
    Response refused{.page = net::status_page(HttpStatus::method_not_allowed)};
    refused.page.allow = "POST";
    return refused;
  }
  if (!is_json(request)) {
    context.count_refusal(Error::malformed_request);
    return {.page = {.status = HttpStatus::unsupported_media_type,
                     .body = "the content type must be application/json\n"}};
  }
  Response response{.page = {.type = "application/json"}};
  response.calls = respond(request.body(),
                           {.format = json_format,
                            .can_push = false,
                            .trace = parse_traceparent(view(request["traceparent"]))},
                           context, response.page.body);
  if (response.page.body.empty()) response.page.status = HttpStatus::no_content;
  return response;
}

void HttpProtocol::encode_event(const Event&, std::string&) {
  assert(false && "nobody can have joined a duel over HTTP");
}

}  // namespace rps::jsonrpc
