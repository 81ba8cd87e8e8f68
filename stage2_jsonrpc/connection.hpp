// One connection: a socket, what came in, what goes out, and the times by which it must move.
//
// All of it runs on the thread of its worker, except on_event(), which any thread may call. It
// lives as long as its worker lists it, or somebody is just telling it an event.
//
//   open ───▶ ending ───────▶ lingering ───────────────────▶ closed
//    │  the peer or the     all is sent; our side is shut     ▲
//    │  server ends it      and what comes is thrown away,    │
//    │                      so that no reset eats the last    │
//    │                      reply                             │
//    └──────────── an error, or a time limit passed ──────────┘
//
// It owns no buffer while it waits: what a read brings lies in a buffer of the worker's, and so do
// the replies. Only the beginning of a message that has not come whole, and replies that the peer
// does not take, are kept here.
#pragma once

#include <atomic>
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
#include "stage2_jsonrpc/counters.hpp"
#include "stage2_jsonrpc/protocol.hpp"
#include "stage2_jsonrpc/token_bucket.hpp"

namespace rps::jsonrpc {

class Worker;

class Connection final : public EventSink,
                         public std::enable_shared_from_this<Connection>,
                         private Service {
 public:
  // REQUIRES: `socket` is connected and non-blocking; the worker outlives the connection.
  // `bucket` bounds its peer's calls; null: nothing does.
  Connection(Worker& worker, net::Fd socket, std::shared_ptr<TokenBucket> bucket,
             Clock::time_point now);

  // Waits for bytes from now on.
  void start();

  // The socket can be read or written, as epoll says in `events`.
  void on_ready(std::uint32_t events);

  // Goes on with the messages that the last turn left.
  void take_turn();

  // Sends the events that wait.
  void take_mail();

  // Answers what was read, reads nothing further, sends what is unsent and closes gently.
  void end();

  // The same, after what the peer has sent so far has been read.
  void drain();

  // At once, whatever is unsent.
  void close();

  // The same, for a reason that is counted.
  void cut(Cut reason);

  // Ends the connection if it is past one of its time limits.
  void check(Clock::time_point now);

  bool has_unsent() const { return sent_ < out_.size(); }

  // Queues the event, to be sent after the reply that is being made, if one is.
  void on_event(const Event& event) override;

 private:
  friend class Worker;  // Keeps index_.

  Reply call(const Call& call) override;
  void refused(Error error) override;

  void on_readable();
  void turn(std::string_view bytes);
  void keep(std::string_view bytes, std::size_t consumed);
  std::string& outgoing();
  void append_mail(std::string& out);
  void advance(std::string& out);
  bool flush(std::string& out);
  void wait_for(std::uint32_t events);
  void linger();
  std::optional<Cut> overdue(Clock::time_point now) const;
  std::optional<Reply> shed(const Command& command);
  std::size_t unsent() const { return out_.size() - sent_; }

  enum class State : std::uint8_t { open, ending, lingering, closed };

  Worker& worker_;
  net::Fd socket_;
  std::shared_ptr<TokenBucket> bucket_;
  std::optional<Caller> caller_;        // Made by start(): it needs a pointer to this.
  std::unique_ptr<Protocol> protocol_;  // Chosen by the first byte.
  std::size_t index_ = 0;               // In the worker's list.

  State state_ = State::open;
  bool partial_ = false;           // A message has begun whose end has not come.
  bool more_ = false;              // Whole messages may be left in `in_`; its turn will come.
  bool is_last_turn_ = false;      // Nothing further is to be read.
  bool turn_pending_ = false;      // The worker knows that.
  bool paused_ = false;            // Not read, because it does not read.
  bool message_seen_ = false;      // A whole one, ever.
  std::uint32_t waits_for_ = 0;    // What epoll was asked for.
  std::size_t calls_in_turn_ = 0;  // Those that the turn that runs has had so far.

  std::string in_;        // Bytes that were read and are not done with.
  std::string out_;       // Bytes to send …
  std::size_t sent_ = 0;  // … of which this many, from the front, are sent.

  Clock::time_point turn_at_;  // When the turn that runs began.
  Clock::time_point opened_at_;
  Clock::time_point active_at_;         // The last message in either direction.
  Clock::time_point message_begun_at_;  // The first byte of the one that is partial.
  Clock::time_point stalled_at_;        // When the peer last took a byte, while some are unsent.
  Clock::time_point lingering_at_;

  std::mutex mail_mutex_;
  std::vector<Event> mail_;            // Guarded by mail_mutex_.
  std::atomic<bool> has_mail_{false};  // So that a play never takes the lock.
};

}  // namespace rps::jsonrpc
