#include "core/server/admin.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <sys/socket.h>

#include "core/clock.hpp"
#include "core/net/fd.hpp"
#include "core/net/http.hpp"
#include "core/net/listen.hpp"
#include "core/net/reserve.hpp"
#include "core/net/thread.hpp"
#include "core/server/limits.hpp"

namespace rps::server {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

// Errors come back as values: nothing on this thread throws for what a client does.
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

// One for each address of the host.
std::vector<tcp::acceptor> listen(asio::io_context& io, const HostPort& address) {
  std::vector<tcp::acceptor> acceptors;
  for (net::Fd& socket : net::listen_on(address, net::PortSharing::no)) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size);
    const tcp protocol = name.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    acceptors.emplace_back(io).assign(protocol, socket.release());
    acceptors.back().non_blocking(true);
  }
  return acceptors;
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

enum class Arrival { bytes, nothing_in_time, end };

// Waits for more bytes, until `deadline` at most.
asio::awaitable<Arrival> read_some(tcp::socket& socket, beast::flat_buffer& buffer,
                                   Clock::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(socket.get_executor(), deadline);
  const auto room = buffer.prepare(buffer.max_size() - buffer.size());
  const auto first =
      co_await (socket.async_read_some(room, as_values) || timer.async_wait(as_values));
  if (first.index() == 1) co_return Arrival::nothing_in_time;
  const auto [error, size] = std::get<0>(first);
  if (error) co_return Arrival::end;
  buffer.commit(size);
  co_return Arrival::bytes;
}

// Until when the rest of a request may come of which so many bytes have come. Empty lines before it
// are among them, so that no more bytes count than a request may have.
Clock::time_point request_deadline(Clock::time_point begun_at, std::size_t bytes) {
  const std::size_t counted =
      std::min(bytes, limits::admin_header_bytes_max + limits::admin_body_bytes_max);
  return begun_at + limits::admin_request_max +
         std::chrono::seconds(counted / limits::admin_request_bytes_per_second_min);
}

struct Answer {
  net::HttpForm form;
  net::HttpPage page;
};

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

// The open connections, by how long ago they were answered. Used by one thread.
class Seats {
 public:
  // The seat of one connection, for as long as it lives. REQUIRES: `stream` outlives it.
  class Seat {
   public:
    Seat(Seats& seats, beast::tcp_stream& stream) : seats_(seats), stream_(stream) { sit(); }
    ~Seat() { seats_.by_ticket_.erase(ticket_); }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    // It was answered just now.
    void renew() {
      if (seats_.by_ticket_.erase(ticket_) > 0) sit();
    }

   private:
    void sit() {
      ticket_ = seats_.next_ticket_++;
      seats_.by_ticket_.emplace(ticket_, &stream_);
    }

    Seats& seats_;
    beast::tcp_stream& stream_;
    std::uint64_t ticket_ = 0;
  };

  std::size_t taken() const { return by_ticket_.size(); }

  // Closes the connection that was answered the longest time ago. False when there is none.
  bool free_one() {
    if (by_ticket_.empty()) return false;
    by_ticket_.begin()->second->close();
    by_ticket_.erase(by_ticket_.begin());
    return true;
  }

 private:
  std::map<std::uint64_t, beast::tcp_stream*> by_ticket_;
  std::uint64_t next_ticket_ = 0;
};

}  // namespace

struct Admin::Impl {
  Impl(const HostPort& address, net::HostNames host_names,
       std::function<std::string()> metrics_text);
  ~Impl();

  void run();
  void start_accepting(tcp::acceptor& acceptor);
  asio::awaitable<void> accept(tcp::acceptor& acceptor);
  void admit(tcp::socket socket);
  bool admit_without_descriptors(tcp::acceptor& acceptor);
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<std::optional<Answer>> next_answer(tcp::socket& socket,
                                                     beast::flat_buffer& buffer,
                                                     net::HttpReader& reader) const;
  net::HttpPage handle(const net::HttpReader& reader) const;

  const net::HostNames names;
  const std::function<std::string()> metrics;
  std::atomic<bool> ready{false};
  // Used by `thread` only. Outlive `io`, whose end destroys the connections that are open.
  Seats seats;
  net::Reserve reserve;
  asio::io_context io{1};
  std::vector<tcp::acceptor> acceptors;
  const std::string url;
  std::thread thread;  // Runs `io`.
};

Admin::Impl::Impl(const HostPort& address, net::HostNames host_names,
                  std::function<std::string()> metrics_text)
    : names(std::move(host_names)),
      metrics(std::move(metrics_text)),
      acceptors(listen(io, address)),
      url("http://" + to_string(HostPort{.host = address.host,
                                         .port = acceptors.front().local_endpoint().port()})) {
  for (tcp::acceptor& acceptor : acceptors) start_accepting(acceptor);
  thread = start_thread([this] { run(); });
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
void Admin::Impl::start_accepting(tcp::acceptor& acceptor) {
  asio::co_spawn(io, accept(acceptor),
                 [this, &acceptor](const std::exception_ptr&) { start_accepting(acceptor); });
}

// Waits before it accepts: without a free descriptor accept() fails also when nobody waits.
asio::awaitable<void> Admin::Impl::accept(tcp::acceptor& acceptor) {
  asio::steady_timer pause(io);
  for (;;) {
    std::ignore = co_await acceptor.async_wait(tcp::acceptor::wait_read, as_values);
    error_code error;
    tcp::socket socket = acceptor.accept(error);
    if (!error) {
      admit(std::move(socket));
    } else if (error == asio::error::would_block || error == asio::error::connection_aborted) {
      continue;
    } else if (error != asio::error::no_descriptors || !admit_without_descriptors(acceptor)) {
      pause.expires_after(limits::accept_backoff);
      co_await pause.async_wait(as_values);
    }
  }
}

void Admin::Impl::admit(tcp::socket socket) {
  if (seats.taken() >= limits::admin_connections_max) seats.free_one();
  asio::co_spawn(io, serve(std::move(socket)),
                 [this](const std::exception_ptr&) { reserve.refill(); });
}

// Admits the peer that waits, or makes room for it: then the next accept succeeds. False when
// neither was possible.
bool Admin::Impl::admit_without_descriptors(tcp::acceptor& acceptor) {
  net::Fd connection = reserve.accept(acceptor.native_handle());
  if (!connection) return seats.free_one();
  tcp::socket socket(io);
  error_code error;
  std::ignore = socket.assign(acceptor.local_endpoint().protocol(), connection.get(), error);
  if (error) return false;
  std::ignore = connection.release();
  admit(std::move(socket));
  return true;
}

asio::awaitable<void> Admin::Impl::serve(tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  Seats::Seat seat(seats, stream);
  beast::flat_buffer buffer(limits::admin_header_bytes_max + limits::admin_body_bytes_max);
  net::HttpReader reader(reader_limits);
  net::HttpDate date;
  for (bool keep_open = true; keep_open; reader.reset()) {
    const auto answer = co_await next_answer(stream.socket(), buffer, reader);
    if (!answer) co_return;
    std::string out;
    net::append_http(answer->form, answer->page, date.now(), out);
    stream.expires_after(limits::admin_request_max);
    const auto [error, size] = co_await asio::async_write(stream, asio::buffer(out), as_values);
    keep_open = answer->form.keep_open && !error;
    seat.renew();
  }
  co_await linger(stream, buffer);
}

// Reads one request; `buffer` may hold its beginning and keeps what comes after it. Nothing when
// the client has gone, or has begun no request in time.
asio::awaitable<std::optional<Answer>> Admin::Impl::next_answer(tcp::socket& socket,
                                                                beast::flat_buffer& buffer,
                                                                net::HttpReader& reader) const {
  using Outcome = net::HttpReader::Outcome;
  Clock::time_point begun_at = Clock::now();
  std::size_t bytes = buffer.size();  // Of the request.
  for (;;) {
    const Outcome outcome = feed(buffer, reader);
    if (outcome == Outcome::request) co_return Answer{reader.form(), handle(reader)};
    if (outcome == Outcome::refused) {
      co_return Answer{reader.form(), net::status_page(reader.refusal())};
    }
    if (outcome == Outcome::asks) {  // No answer here depends on a body.
      co_return Answer{{.version = reader.form().version, .head_only = reader.form().head_only},
                       handle(reader)};
    }
    const bool has_begun = reader.has_begun();
    const std::size_t size_before = buffer.size();
    const Arrival arrival = co_await read_some(
        socket, buffer,
        has_begun ? request_deadline(begun_at, bytes) : begun_at + limits::admin_idle_max);
    if (arrival == Arrival::nothing_in_time && has_begun) {
      co_return Answer{{}, net::status_page(net::HttpStatus::request_timeout)};
    }
    if (arrival != Arrival::bytes) co_return std::nullopt;
    if (bytes == 0) begun_at = Clock::now();
    bytes += buffer.size() - size_before;
  }
}

net::HttpPage Admin::Impl::handle(const net::HttpReader& reader) const {
  if (auto page = net::general_page(reader, names.accept(reader.host()))) return *std::move(page);
  const bool is_ready = ready.load(std::memory_order_relaxed);
  auto page = net::operations_page(reader.request().method(), reader.path(), is_ready, metrics);
  if (page) return *std::move(page);
  return {.status = net::HttpStatus::not_found,
          .body = "there is /healthz, /readyz and /metrics\n"};
}

Admin::Admin(const HostPort& address, net::HostNames names,
             std::function<std::string()> metrics) try
    : impl_(std::make_unique<Impl>(address, std::move(names), std::move(metrics))) {
} catch (const std::runtime_error& error) {
  throw std::runtime_error(std::string("the admin port: ") + error.what());
}

Admin::~Admin() = default;

void Admin::set_ready(bool ready) {
  impl_->ready.store(ready, std::memory_order_relaxed);
}

std::string Admin::url() const {
  return impl_->url;
}

}  // namespace rps::server
