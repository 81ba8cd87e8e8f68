#include "stage3_grpc/rest/documents.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "stage3_grpc/rest/negotiation.hpp"

namespace rps::rpc::rest {

// The files of the folder page, embedded while building.
std::string_view page_html();
std::string_view page_css();
std::string_view page_js();
std::string_view page_icon();

namespace {

constexpr std::string_view methods = "GET, HEAD, OPTIONS";

// The page may be shown in no frame, and loads and calls only where it came from.
constexpr std::string_view security =
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n";

}  // namespace

Documents::Documents(std::string_view openapi) {
  add("/", "text/html; charset=utf-8", page_html());
  add("/page.css", "text/css; charset=utf-8", page_css());
  add("/page.js", "text/javascript; charset=utf-8", page_js());
  add("/icon.svg", "image/svg+xml", page_icon());
  add("/openapi.json", media::json, openapi);
}

void Documents::add(std::string_view path, std::string_view type, std::string_view body) {
  std::string etag = '"' + std::to_string(std::hash<std::string_view>()(body)) + '"';
  net::HttpPage page{.type = type,
                     .body = std::string(body),
                     .fields = "ETag: " + etag + "\r\n" + std::string(security),
                     .cache_control = "no-cache"};
  documents_.push_back({.path = path, .etag = std::move(etag), .page = std::move(page)});
}

std::optional<net::HttpPage> Documents::answer(const net::HttpReader& reader) const {
  using boost::beast::http::verb;
  const auto found = std::ranges::find(documents_, reader.path(), &Document::path);
  if (found == documents_.end()) return std::nullopt;
  const verb method = reader.request().method();
  if (method == verb::options) return net::allow_page(net::HttpStatus::no_content, methods);
  if (method != verb::get && method != verb::head) {
    return net::allow_page(net::HttpStatus::method_not_allowed, methods);
  }
  const auto field = reader.request()["If-None-Match"];
  const std::string_view known(field.data(), field.size());
  if (known != "*" && !known.contains(found->etag)) return found->page;
  return net::HttpPage{.status = net::HttpStatus::not_modified,
                       .fields = found->page.fields,
                       .cache_control = found->page.cache_control};
}

}  // namespace rps::rpc::rest
