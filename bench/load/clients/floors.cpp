#include "bench/load/clients/floors.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include "bench/load/clients/parameters.hpp"
#include "core/net/child.hpp"
#include "core/net/http_response.hpp"

namespace rps::load {

namespace {

class FixedCodec final : public net::WireCodec {
 public:
  FixedCodec(std::size_t request_bytes, std::size_t reply_bytes)
      : request_(request_bytes, 'x'), reply_bytes_(reply_bytes) {}

  void encode(std::uint64_t, const Command&, std::string& out) override { out += request_; }

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed, Reply&,
                 Event&) override {
    if (expected == nullptr) return Outcome::broken;
    if (bytes.size() < reply_bytes_) return Outcome::need_more;
    consumed = reply_bytes_;
    return Outcome::reply;
  }

 private:
  std::string request_;
  std::size_t reply_bytes_;
};

class FixedHttpCodec final : public net::WireCodec {
 public:
  FixedHttpCodec(std::string_view authority, std::size_t body_bytes) {
    request_.append("POST /rpc HTTP/1.1\r\nHost: ").append(authority);
    request_.append("\r\nContent-Type: application/json\r\nContent-Length: ");
    request_.append(std::to_string(body_bytes)).append("\r\n\r\n").append(body_bytes, 'x');
  }

  void encode(std::uint64_t, const Command&, std::string& out) override { out += request_; }

  bool has_last_replies() const override { return true; }

  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed, Reply&,
                 Event&) override {
    using Read = net::HttpResponseReader::Outcome;
    if (expected == nullptr) return Outcome::broken;
    response_.reset();
    const Read read = response_.read(bytes, consumed);
    if (read == Read::need_more) return Outcome::need_more;
    if (read == Read::broken || response_.status() != 200) return Outcome::broken;
    return response_.keeps_open() ? Outcome::reply : Outcome::last_reply;
  }

 private:
  std::string request_;
  net::HttpResponseReader response_{{.header_bytes_max = net::InputBuffer::bytes_max,
                                     .body_bytes_max = net::InputBuffer::bytes_max}};
};

std::unique_ptr<net::WireCodec> read_codec(const Url& url) {
  check_parameters(url, {"request", "reply"});
  return std::make_unique<FixedCodec>(read_bytes(url, "request"), read_bytes(url, "reply"));
}

}  // namespace

void check_echo(const Url& url) {
  check_is_address(url);
  (void)read_codec(url);
}

void check_echo_pipe(const Url& url) {
  check_is_file(url);
  (void)read_codec(url);
}

void check_echo_http(const Url& url) {
  check_is_address(url);
  check_parameters(url, {"request"});
  (void)read_bytes(url, "request");
}

std::unique_ptr<Client> connect_echo(const Url& url, const ConnectOptions& options) {
  check_echo(url);
  return net::connect_streams(url, options, read_codec(url));
}

std::unique_ptr<net::StreamClient> connect_echo_pipe(const Url& url,
                                                     const ConnectOptions& options) {
  check_echo_pipe(url);
  auto codec = read_codec(url);
  const std::vector<std::string> arguments{url.path, std::to_string(read_bytes(url, "request")),
                                           std::to_string(read_bytes(url, "reply"))};
  return std::make_unique<net::StreamClient>(std::move(codec), options.connections, options.depth,
                                             [&] { return net::spawn_child(arguments); });
}

std::unique_ptr<Client> connect_echo_http(const Url& url, const ConnectOptions& options) {
  check_echo_http(url);
  const std::string authority = to_string(HostPort{.host = url.host, .port = url.port});
  return net::connect_streams(
      url, options, std::make_unique<FixedHttpCodec>(authority, read_bytes(url, "request")));
}

}  // namespace rps::load
