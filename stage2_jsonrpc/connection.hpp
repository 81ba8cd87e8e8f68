// One connection: a socket, the bytes that were received, the bytes to send, and the times by which
// they must move.
//
// All functions run on the thread of its worker, except on_event(), which any thread may call. The
// worker's list owns the connection; a thread that calls on_event() holds a shared pointer too.
//
//   open ───▶ ending ───────▶ lingering ───────────────────▶ closed
//    │  the peer or the     everything is sent and our side     ▲
//    │  server ends the     is shut down; what still arrives    │
//    │  connection          is thrown away, so that no reset    │
//    │                      destroys the last reply             │
//    └──────────── an error, or a time limit passed ────────────┘
//
// drain() leaves the connection open until all that has arrived is answered: it reads until the
// socket has no further byte. A message that has begun is waited for.
//
// A connection that waits owns no buffer. Bytes are received into a buffer of the worker and
// replies are written into another. Only the beginning of a message whose rest has not arrived, and
// replies that the peer has not taken, are kept here.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/game.hpp"
#include "core/net/fd.hpp"
#include "core/token_bucket.hpp"
#include "stage2_jsonrpc/counters.hpp"
#include "stage2_jsonrpc/eviction_order.hpp"
#include "stage2_jsonrpc/protocol.hpp"
#include "stage2_jsonrpc/shared.hpp"

namespace rps::jsonrpc {

class Worker;

class Connection final : public EventSink, public std::enable_shared_from_this<Connection> {
 public:
  // REQUIRES: `socket` is connected and non-blocking; the worker outlives the connection.
  // `bucket` bounds the calls of its peer; null when nothing does.
  Connection(Worker& worker, net::Fd socket, std::shared_ptr<TokenBucket> bucket,
             Clock::time_point now);

  // Waits for bytes from now on.
  void start();

  // The socket can be read or written, as epoll reports in `events`.
  void on_ready(std::uint32_t events);

  // Serves the messages that the last turn left.
  void resume();

  // Sends the events that are waiting.
  void send_events();

  // Answers what was read, reads nothing further, sends what is unsent and closes gently.
  void end();

  // The same, but first reads and answers all that has arrived.
  void drain();

  // Closes the connection at once and drops what is unsent.
  void close();

  // The same, and counts the reason.
  void cut(Cut reason);

  // The same, because the time of the drain is over; tells the worker when that leaves a call
  // unanswered or a reply unsent.
  void cut_off();

  // Since when nothing has moved on it and nothing is to be done; nothing while it is in use.
  std::optional<Clock::time_point> idle_since(Clock::time_point now) const;

  // Cuts the connection if it is past one of its time limits. Throws std::bad_alloc when an event
  // was lost for want of memory: its player would wait for it in vain.
  void check(Clock::time_point now);

  // Queues the event. It is sent after the reply that is being made, if one is.
  void on_event(const Event& event) override;

 private:
  friend class Worker;  // Keeps index_, position_ and place_.

  void read();
  void on_socket_empty();
  void discard();
  void serve(std::string_view bytes);
  void keep(std::string_view bytes, std::size_t consumed);
  std::string& output();
  void queue(const Event& event);
  void encode_events(std::string& out);
  void send(std::string& out);
  bool write(std::string& out);
  void wait_for(std::uint32_t events);
  void linger();
  void cut_for_events() { cut(Cut::events); }
  void end_overdue(Cut reason);
  void count_cut(Cut reason);
  std::optional<Cut> overdue(Clock::time_point now) const;
  std::chrono::seconds time_for_bytes() const;
  Clock::time_point moved_at() const;
  bool has_unsent() const { return sent_ < unsent_.size(); }
  bool has_too_much_unsent() const;
  bool has_unread() const;
  bool has_unserved() const;
  void report_unanswered();

  enum class State : std::uint8_t { open, ending, lingering, closed };

  Worker& worker_;
  net::Fd socket_;
  std::shared_ptr<TokenBucket> bucket_;
  std::optional<Caller> caller_;        // Made by start(), as it needs a weak pointer to this.
  std::unique_ptr<Protocol> protocol_;  // Selected by the first byte.
  std::size_t index_ = 0;               // In the worker's list.
  EvictionOrder<Connection>::Position position_;  // Among the worker's.
  Place place_;                                   // Among those of all workers.

  State state_ = State::open;
  bool is_partial_ = false;         // received_ ends in the middle of a message.
  bool has_more_ = false;           // received_ may hold whole messages, for the next turn.
  bool is_resume_pending_ = false;  // The worker will call resume().
  bool is_last_turn_ = false;       // Nothing further is read.
  bool is_draining_ = false;        // Is read until the socket is empty, then ends.
  bool is_reported_ = false;        // The worker has counted what stays unanswered.
  bool is_paused_ = false;          // Not read, because the peer does not read its replies.
  bool has_had_message_ = false;    // A whole one, ever.
  std::uint32_t waits_for_ = 0;     // What epoll was asked to report.

  std::string received_;  // Bytes that were read and are still needed.
  std::string unsent_;    // Bytes to send …
  std::size_t sent_ = 0;  // … of which this many, from the front, are sent.

  std::size_t message_bytes_ = 0;  // That have arrived of the message that is partial.
  Clock::time_point opened_at_;
  Clock::time_point active_at_;         // The last message in either direction.
  Clock::time_point message_begun_at_;  // The first byte of the message that is partial.
  Clock::time_point served_at_;         // The last byte that was served.
  Clock::time_point stalled_at_;        // When the peer last took a byte, while some are unsent.
  Clock::time_point lingering_at_;

  std::mutex events_mutex_;
  std::vector<Event> events_;                // Guarded by events_mutex_.
  std::atomic<bool> has_events_{false};      // Lets a play find out without taking the lock.
  std::atomic<bool> has_lost_event_{false};  // There was no memory for one.
};

}  // namespace rps::jsonrpc
