// What the gateway serves that never changes while it runs: the page at /, with its style, script
// and icon, and the description at /openapi.json.
//
// Each has an ETag, and a client must ask again before it uses its copy (Cache-Control: no-cache),
// so a browser never mixes the script of one version with the page of another for long. The page
// may load from its own server only (Content-Security-Policy).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/http.hpp"

namespace rps::rpc::rest {

class Documents {
 public:
  // `openapi` is the text of /openapi.json.
  explicit Documents(std::string_view openapi);

  // The answer to a request for a document: it, 304 when the client has it already (RFC 9110,
  // section 13.1.2), 204 to OPTIONS, 405 to another method. Nothing for another path.
  std::optional<net::HttpPage> answer(const net::HttpReader& reader) const;

 private:
  struct Document {
    std::string_view path;
    std::string etag;
    net::HttpPage page;
  };

  void add(std::string_view path, std::string_view type, std::string_view body);

  std::vector<Document> documents_;
};

}  // namespace rps::rpc::rest
