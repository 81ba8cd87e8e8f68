#include "core/server/admin.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
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
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "core/net/http.hpp"
#include "core/server/limits.hpp"

namespace rps::server {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

// Errors come back as values: nothing on this thread throws for what a client does.
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

tcp::acceptor listen(asio::io_context& io, const HostPort& address) {
  const auto found = tcp::resolver(io).resolve(address.host, std::to_string(address.port));
  return {io, *found.begin()};  // Sets SO_REUSEADDR.
}

constexpr net::HttpReader::Limits reader_limits{.header_bytes_max = limits::admin_header_bytes_max,
                                                .body_bytes_max = limits::admin_body_bytes_max};

// Feeds what has arrived to the reader.
net::HttpReader::Outcome feed(beast::flat_buffer& buffer, net::HttpReader& reader) {
  const std::string_view bytes(static_cast<const char*>(buffer.data().data()), buffer.size());
  std::size_t consumed = 0;
  const net::HttpReader::Outcome outcome = reader.read(bytes, consumed);
  buffer.consume(consumed);
  return outcome;
}

// Reads one request; `buffer` may hold its beginning and keeps what comes after it. Asks for more
// when the client has gone.
asio::awaitable<net::HttpReader::Outcome> read(beast::tcp_stream& stream,
                                               beast::flat_buffer& buffer,
                                               net::HttpReader& reader) {
  bool begun = buffer.size() > 0;
  stream.expires_after(begun ? limits::admin_request_max : limits::admin_idle_max);
  for (;;) {
    const net::HttpReader::Outcome outcome = feed(buffer, reader);
    if (outcome != net::HttpReader::Outcome::need_more) co_return outcome;
    const std::size_t room = buffer.max_size() - buffer.size();
    const auto [error, size] = co_await stream.async_read_some(buffer.prepare(room), as_values);
    if (error) co_return net::HttpReader::Outcome::need_more;
    buffer.commit(size);
    if (!std::exchange(begun, true)) stream.expires_after(limits::admin_request_max);
  }
}

// Shuts down the sending side and reads what the client still sends, see limits.hpp.
asio::awaitable<void> linger(beast::tcp_stream& stream, beast::flat_buffer& scrap) {
  error_code ignored;
  std::ignore = stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream.expires_after(limits::admin_linger_max);
  scrap.clear();
  for (std::size_t total = 0; total < limits::admin_linger_bytes_max;) {
    const auto room = scrap.prepare(scrap.max_size());
    const auto [error, size] = co_await stream.async_read_some(room, as_values);
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
  net::HttpPage handle(const net::HttpRequest& request) const;

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
      pause.expires_after(limits::accept_backoff);
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
  net::HttpReader reader(reader_limits);
  for (bool keep_open = true; keep_open; reader.reset()) {
    const net::HttpReader::Outcome outcome = co_await read(stream, buffer, reader);
    if (outcome == net::HttpReader::Outcome::need_more) co_return;
    const bool refused = outcome == net::HttpReader::Outcome::refused;
    const net::HttpForm form = refused ? net::HttpForm{} : net::form_of(reader.request());
    std::string out;
    net::append_http(form, refused ? net::status_page(reader.refusal()) : handle(reader.request()),
                     out);
    const auto [error, size] = co_await asio::async_write(stream, asio::buffer(out), as_values);
    keep_open = form.keep_open && !error;
  }
  co_await linger(stream, buffer);
}

net::HttpPage Admin::Impl::handle(const net::HttpRequest& request) const {
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  const bool is_ready = ready.load(std::memory_order_relaxed);
  if (auto page = net::operations_page(request.method(), path, is_ready, metrics)) return *page;
  return {.status = net::HttpStatus::not_found,
          .body = "there is /healthz, /readyz and /metrics\n"};
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

}  // namespace rps::server
