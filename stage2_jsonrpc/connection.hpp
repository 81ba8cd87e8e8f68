// One connection: a socket, what came in, what goes out, and the times by which it must move.
//
// All of it runs on the thread of its worker, except on_event(), which any thread may call. It
// lives as long as its worker lists it or an operation on its socket is pending.
//
//   open ───▶ ending ───────▶ lingering ───────────────────▶ closed
//    │  the peer or the     all is sent; our side is shut     ▲
//    │  server ends it      and what comes is thrown away,    │
//    │                      so that no reset eats the last    │
//    │                      reply                             │
//    └──────────── an error, or a time limit passed ──────────┘
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/game.hpp"
#include "stage2_jsonrpc/cuts.hpp"
#include "stage2_jsonrpc/exchange.hpp"
#include "stage2_jsonrpc/read_buffer.hpp"

namespace rps::jsonrpc {

class Worker;

// With the executor's own type instead of the type-erased default, which costs an indirect call
// and an allocation here and there.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

class Connection final : public EventSink,
                         public std::enable_shared_from_this<Connection>,
                         private Service {
 public:
  // REQUIRES: `socket` is connected and non-blocking; the worker outlives the connection.
  Connection(Worker& worker, Socket socket, Clock::time_point now);

  void start();

  // Reads no further request, sends what is unsent and closes gently.
  void end();

  // At once, whatever is unsent.
  void close();

  // Ends the connection if it is past one of its time limits.
  void check(Clock::time_point now);

  bool has_unsent() const { return sent_ < out_.size(); }

  // Queues the event, to be sent after the reply that is being made, if one is.
  void on_event(const Event& event) override;

 private:
  friend class Worker;  // Keeps index_.

  Reply call(const Command& command) override;
  void refused(Error error) override;

  // Runs a handler's body: an exception closes this connection and spares all others.
  template <class Body>
  void guard(Body&& body);

  void read();
  void on_read(const boost::system::error_code& error, std::size_t size);
  void turn();
  void turn_later();
  void advance();
  bool flush();
  void wait_writable();
  void take_mail();
  void linger();
  void cut(Cut reason);
  std::optional<Cut> overdue(Clock::time_point now) const;

  enum class State : std::uint8_t { open, ending, lingering, closed };

  Worker& worker_;
  Socket socket_;
  std::optional<Caller> caller_;  // Made by start(): it needs a pointer to this.
  std::size_t index_ = 0;         // In the worker's list.

  State state_ = State::open;
  bool reading_ = false;      // An operation on the socket is pending …
  bool writing_ = false;      // … in the other direction …
  bool turn_posted_ = false;  // … or a turn.
  bool more_ = false;         // Whole frames may be left in `in_`.
  bool frame_seen_ = false;

  ReadBuffer in_;
  std::string out_;
  std::size_t sent_ = 0;  // Of `out_`, from its front.

  Clock::time_point turn_at_;  // When the turn that runs began.
  Clock::time_point opened_at_;
  Clock::time_point active_at_;       // The last frame in either direction.
  Clock::time_point frame_begun_at_;  // The first byte of what `in_` holds.
  Clock::time_point stalled_at_;      // When the peer last took a byte, while some are unsent.
  Clock::time_point lingering_at_;

  std::mutex mail_mutex_;
  std::vector<Event> mail_;            // Guarded by mail_mutex_.
  std::atomic<bool> has_mail_{false};  // So that a play never takes the lock.
};

}  // namespace rps::jsonrpc
