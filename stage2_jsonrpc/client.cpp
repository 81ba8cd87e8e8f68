#include "stage2_jsonrpc/client.hpp"

#include <optional>
#include <stdexcept>
#include <string>

#include "core/net/stream_client.hpp"
#include "stage2_jsonrpc/client_codec.hpp"
#include "stage2_jsonrpc/client_http.hpp"
#include "stage2_jsonrpc/client_line.hpp"

namespace rps::jsonrpc {

namespace {

enum class Framing : std::uint8_t { frame, line, http };

Codec codec_named(std::string_view name) {
  if (name == "json") return Codec::json;
  if (name == "msgpack") return Codec::message_pack;
  if (name == "binary") return Codec::fixed_layout;
  throw std::invalid_argument("the codec is json, msgpack or binary, not '" + std::string(name) +
                              "'");
}

Framing framing_named(std::string_view name) {
  if (name == "frame") return Framing::frame;
  if (name == "line") return Framing::line;
  if (name == "http") return Framing::http;
  throw std::invalid_argument("the framing is frame, line or http, not '" + std::string(name) +
                              "'");
}

}  // namespace

std::unique_ptr<net::WireCodec> make_codec(const Url& url) {
  if (url.scheme != "jsonrpc") throw std::invalid_argument("not a jsonrpc URL: " + url.scheme);
  if (url.host.empty())
    throw std::invalid_argument("a jsonrpc URL is jsonrpc://HOST:PORT?name=value&…");
  if (!url.path.empty()) throw std::invalid_argument("a jsonrpc URL has no path: " + url.path);
  std::optional<Codec> codec;
  std::optional<Framing> framing;
  for (const auto& [name, value] : url.query) {
    if (name == "codec" && !codec) {
      codec = codec_named(value);
    } else if (name == "framing" && !framing) {
      framing = framing_named(value);
    } else {
      throw std::invalid_argument("a jsonrpc URL takes codec and framing, each once, not '" + name +
                                  "'");
    }
  }
  const Codec chosen = codec.value_or(Codec::json);
  switch (framing.value_or(Framing::frame)) {
    case Framing::frame: return std::make_unique<ClientCodec>(chosen);
    case Framing::line:
    case Framing::http: break;
  }
  if (chosen != Codec::json) {
    throw std::invalid_argument("lines and HTTP carry JSON only; the other codecs need frames");
  }
  if (framing == Framing::line) return std::make_unique<LineClientCodec>();
  return std::make_unique<HttpClientCodec>(to_string(HostPort{.host = url.host, .port = url.port}));
}

std::unique_ptr<Client> connect(const Url& url, const ConnectOptions& options) {
  return net::connect_streams(url, options, make_codec(url));
}

}  // namespace rps::jsonrpc
