#include "stage2_jsonrpc/http_protocol.hpp"

#include <cassert>
#include <utility>

#include "core/trace.hpp"
#include "stage2_jsonrpc/format.hpp"
#include "stage2_jsonrpc/responder.hpp"

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

HttpProtocol::HttpProtocol(const Limits& limits, Responder& responder, Pages& pages)
    : limits_(limits),
      responder_(responder),
      pages_(pages),
      reader_(
          {.header_bytes_max = limits.header_bytes_max, .body_bytes_max = limits.body_bytes_max}) {}

Progress HttpProtocol::turn(std::string_view bytes, Service& service, std::string& out) {
  Progress progress;
  std::size_t calls = 0;
  while (progress.consumed < bytes.size()) {
    if (is_turn_over(limits_, calls, out.size())) {
      progress.more = true;
      return progress;
    }
    std::size_t consumed = 0;
    const Outcome outcome = reader_.read(bytes.substr(progress.consumed), consumed);
    progress.consumed += consumed;
    if (outcome == Outcome::need_more) {
      if (reader_.wants_continue()) out.append("HTTP/1.1 100 Continue\r\n\r\n");
      progress.partial = true;
      return progress;
    }
    if (outcome == Outcome::refused) {
      const bool too_large = reader_.refusal() == HttpStatus::payload_too_large;
      service.refused(too_large ? Error::too_large : Error::malformed_request);
      net::append_http(HttpForm{}, net::status_page(reader_.refusal()), out);
      progress.end = true;
      return progress;
    }
    ++progress.messages;
    const HttpForm form = net::form_of(reader_.request());
    const Answer answered = answer(reader_.request(), service);
    calls += answered.calls;
    net::append_http(form, answered.page, out);
    reader_.reset();
    if (!form.keep_open) {
      progress.end = true;
      return progress;
    }
  }
  return progress;
}

HttpProtocol::Answer HttpProtocol::answer(const HttpRequest& request, Service& service) {
  const std::string_view path = path_of(request);
  if (path == "/rpc") return answer_rpc(request, service);
  auto page = net::operations_page(request.method(), path, pages_.is_ready(),
                                   [this] { return pages_.metrics_text(); });
  if (page) return {.page = std::move(*page)};
  return {.page = {.status = HttpStatus::not_found,
                   .body = "there is POST /rpc, and GET /healthz, /readyz and /metrics\n"}};
}

HttpProtocol::Answer HttpProtocol::answer_rpc(const HttpRequest& request, Service& service) {
  if (request.method() != http::verb::post) {
    Answer refused{.page = net::status_page(HttpStatus::method_not_allowed)};
    refused.page.allow = "POST";
    return refused;
  }
  if (!is_json(request)) {
    service.refused(Error::malformed_request);
    return {.page = {.status = HttpStatus::unsupported_media_type,
                     .body = "the content type must be application/json\n"}};
  }
  Answer answered{.page = {.type = "application/json"}};
  answered.calls = responder_.answer(request.body(),
                                     {.format = json_format,
                                      .can_push = false,
                                      .trace = parse_traceparent(view(request["traceparent"]))},
                                     service, answered.page.body);
  if (answered.page.body.empty()) answered.page.status = HttpStatus::no_content;
  return answered;
}

void HttpProtocol::append_event(const Event&, std::string&) {
  assert(false && "nobody can have joined a duel over HTTP");
}

}  // namespace rps::jsonrpc
