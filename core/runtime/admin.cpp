#include "core/runtime/admin.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "core/runtime/limits.hpp"

namespace rps::runtime {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

using Request = http::request<http::string_body>;
using Parser = http::request_parser<http::string_body>;
using Response = http::response<http::string_body>;

// Errors come back as values: nothing on this thread throws for what a client does.
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

constexpr const char* plain_text = "text/plain; charset=utf-8";
constexpr const char* prometheus_text = "text/plain; version=0.0.4; charset=utf-8";

Response answer(http::status status, std::string body, const char* type = plain_text) {
  Response response(status, 11);
  response.set(http::field::content_type, type);
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(body);
  return response;
}

Response refusal(http::status status) {
  Response response = answer(status, std::string(http::obsolete_reason(status)) + "\n");
  response.keep_alive(false);
  return response;
}

// What to say to bytes that are no request; a client that has gone is told nothing.
std::optional<http::status> status_of(const error_code& error) {
  if (error == http::error::header_limit) return http::status::request_header_fields_too_large;
  if (error == http::error::body_limit) return http::status::payload_too_large;
  if (error.category() == make_error_code(http::error::bad_method).category()) {
    return http::status::bad_request;
  }
  return {};
}

tcp::acceptor listen(asio::io_context& io, const HostPort& address) {
  const auto found = tcp::resolver(io).resolve(address.host, std::to_string(address.port));
  return {io, *found.begin()};  // Sets SO_REUSEADDR.
}

// Feeds what has arrived to the parser: need_more, nothing when the request is complete, or what is
// wrong with it. The header is counted here because Beast bounds only what it parses at once, and
// takes any number of fields that come in small pieces.
error_code parse(beast::flat_buffer& buffer, Parser& parser, std::size_t& header_bytes) {
  error_code error;
  while (!error && !parser.is_done()) {
    if (buffer.size() == 0) return http::error::need_more;
    const bool in_header = !parser.is_header_done();
    const std::size_t used = parser.put(buffer.data(), error);
    buffer.consume(used);
    if (!in_header || (error && error != http::error::need_more)) continue;
    header_bytes += used;
    const std::size_t unparsed = parser.is_header_done() ? 0 : buffer.size();
    if (header_bytes + unparsed > limits::admin_header_bytes_max) {
      error = http::error::header_limit;
    }
  }
  return error;
}

// Reads one request; `buffer` may hold its beginning and keeps what comes after it.
asio::awaitable<error_code> read(beast::tcp_stream& stream, beast::flat_buffer& buffer,
                                 Parser& parser) {
  bool begun = buffer.size() > 0;
  stream.expires_after(begun ? limits::admin_request_max : limits::admin_idle_max);
  std::size_t header_bytes = 0;
  for (;;) {
    const error_code parsed = parse(buffer, parser, header_bytes);
    if (parsed != http::error::need_more) co_return parsed;
    const std::size_t room = buffer.max_size() - buffer.size();
    if (room == 0) co_return http::error::buffer_overflow;
    const auto [error, size] = co_await stream.async_read_some(buffer.prepare(room), as_values);
    if (error) co_return error;
    buffer.commit(size);
    if (!std::exchange(begun, true)) stream.expires_after(limits::admin_request_max);
  }
}

// Sends the answer, for HEAD without its body. False when the connection cannot go on.
asio::awaitable<bool> send(beast::tcp_stream& stream, Response& response, bool head_only) {
  response.prepare_payload();
  const bool keep_open = response.keep_alive();
  error_code error;
  if (head_only) {
    http::response<http::empty_body> head(std::move(response.base()));
    std::tie(error, std::ignore) = co_await http::async_write(stream, head, as_values);
  } else {
    std::tie(error, std::ignore) = co_await http::async_write(stream, response, as_values);
  }
  co_return keep_open && !error;
}

// Says that no more will come and reads what is still on its way, see limits.hpp.
asio::awaitable<void> linger(beast::tcp_stream& stream) {
  error_code ignored;
  std::ignore = stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream.expires_after(limits::admin_linger_max);
  std::array<char, 4096> scrap;
  for (std::size_t total = 0; total < limits::admin_linger_bytes_max;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(scrap), as_values);
    if (error) break;
    total += size;
  }
}

}  // namespace

struct Admin::Impl {
  Impl(const HostPort& address, std::function<std::string()> metrics_text);
  ~Impl();

  void run();
  void start_accepting();
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(tcp::socket socket);
  Response handle(const Request& request) const;
  Response route(std::string_view path) const;

  const std::function<std::string()> metrics;
  std::atomic<bool> ready{false};
  asio::io_context io{1};
  tcp::acceptor acceptor;
  const std::string url;
  std::size_t open = 0;  // Connections. Used by `thread` only.
  std::thread thread;    // Runs `io`.
};

Admin::Impl::Impl(const HostPort& address, std::function<std::string()> metrics_text)
    : metrics(std::move(metrics_text)),
      acceptor(listen(io, address)),
      url("http://" +
          to_string(HostPort{.host = address.host, .port = acceptor.local_endpoint().port()})) {
  start_accepting();
  thread = std::thread([this] { run(); });
}

Admin::Impl::~Impl() {
  io.stop();
  thread.join();
}

void Admin::Impl::run() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (const std::exception&) {
      continue;  // Out of memory, on behalf of one connection: the others go on.
    }
  }
}

// accept() never returns: should it throw, it starts anew.
void Admin::Impl::start_accepting() {
  asio::co_spawn(io, accept(), [this](const std::exception_ptr&) { start_accepting(); });
}

asio::awaitable<void> Admin::Impl::accept() {
  asio::steady_timer pause(io);
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(as_values);
    if (error) {
      pause.expires_after(limits::admin_accept_backoff);
      co_await pause.async_wait(as_values);
    } else if (open < limits::admin_connections_max) {
      ++open;
      asio::co_spawn(io, serve(std::move(socket)), [this](const std::exception_ptr&) { --open; });
    }
  }
}

asio::awaitable<void> Admin::Impl::serve(tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(limits::admin_header_bytes_max + limits::admin_body_bytes_max);
  for (bool keep_open = true; keep_open;) {
    Parser parser;
    parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // Counted by parse().
    parser.body_limit(limits::admin_body_bytes_max);
    const error_code error = co_await read(stream, buffer, parser);
    const auto refused = error ? status_of(error) : std::nullopt;
    if (error && !refused) co_return;
    Response response = refused ? refusal(*refused) : handle(parser.get());
    const bool head_only = parser.get().method() == http::verb::head;
    keep_open = co_await send(stream, response, head_only);
  }
  co_await linger(stream);
}

Response Admin::Impl::handle(const Request& request) const {
  const std::string_view target(request.target().data(), request.target().size());
  Response response = route(target.substr(0, target.find('?')));
  const http::verb method = request.method();
  if (response.result() != http::status::not_found && method != http::verb::get &&
      method != http::verb::head) {
    response = answer(http::status::method_not_allowed, "only GET and HEAD\n");
    response.set(http::field::allow, "GET, HEAD");
  }
  response.version(request.version());
  response.keep_alive(request.keep_alive());
  return response;
}

Response Admin::Impl::route(std::string_view path) const {
  if (path == "/healthz") return answer(http::status::ok, "ok\n");
  if (path == "/readyz") {
    return ready.load(std::memory_order_relaxed)
               ? answer(http::status::ok, "ready\n")
               : answer(http::status::service_unavailable, "not ready\n");
  }
  if (path == "/metrics") {
    try {
      return answer(http::status::ok, metrics(), prometheus_text);
    } catch (const std::exception&) {
      return answer(http::status::internal_server_error, "the metrics cannot be read\n");
    }
  }
  return answer(http::status::not_found, "there is /healthz, /readyz and /metrics\n");
}

Admin::Admin(const HostPort& address, std::function<std::string()> metrics) try
    : impl_(std::make_unique<Impl>(address, std::move(metrics))) {
} catch (const boost::system::system_error& error) {
  throw std::runtime_error("the admin port cannot listen on " + to_string(address) + ": " +
                           error.code().message());
}

Admin::~Admin() = default;

void Admin::set_ready(bool ready) {
  impl_->ready.store(ready, std::memory_order_relaxed);
}

std::string Admin::url() const {
  return impl_->url;
}

}  // namespace rps::runtime
