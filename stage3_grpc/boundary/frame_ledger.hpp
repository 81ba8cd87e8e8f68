// The account of one HTTP/2 connection: what its peer has asked for, and what it was answered, told
// from the headers of the frames in both directions. It finds peers that flood the server with
// frames. No sockets, no gRPC, no clock of its own.
//
//   budget           charged by what the peer sends                    paid back
//   unanswered_calls HEADERS: 1                                        an answer's end: 2
//   cancelled_calls  RST_STREAM: 1                                     each HEADERS or DATA sent: 1
//   control_frames   PING, SETTINGS: 2; another frame that carries     each HEADERS or DATA sent: 4
//                    neither a call nor a message: 1. Two
//                    WINDOW_UPDATEs for each HEADERS or DATA
//                    sent before are free
//   header_bytes     HEADERS and CONTINUATION: their bytes,            the next HEADERS begin anew
//                    1 KiB more for each CONTINUATION
//   too_many_calls   HEADERS, CONTINUATION, DATA: the call's weight    the call's end: its weight
//                    in the pool that all connections share (call_pool.hpp)
//
// A second forgives as much of the first three budgets as Budgets says. Calls that are cancelled
// may not be more than a connection's share of the pool either. A connection that exceeds a budget
// is to be closed; the Breach names the frame that exceeded it. README.md gives the reasons for the
// numbers.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/clock.hpp"
#include "stage3_grpc/boundary/call_pool.hpp"
#include "stage3_grpc/boundary/frame_cutter.hpp"

namespace rps::rpc::boundary {

// Why a connection is to be closed.
enum class Breach : std::uint8_t {
  too_many_calls,    // It has more calls open than its share of the pool.
  unanswered_calls,  // It opens more calls than it may, or has the server reset them.
  cancelled_calls,   // It opens calls and takes them back (CVE-2023-44487).
  header_bytes,      // A call's headers do not end (CVE-2024-27316 and its like).
  // Control frames, by the type of the one that exceeded the budget.
  ping,
  settings,
  window_update,
  priority,
  empty_data,   // DATA that is too short to begin a message.
  other_frame,  // Of a type that a client does not send, or that nobody knows.
  // No frame of the connection itself, but what is seen of all of them (open_connections.hpp).
  longest_wait,  // Its calls were open for the longest time when the pool was full.
  gave_way,      // It was idle, and a new connection took its place.
  idle,          // It was idle for --idle-timeout, and its peer did not close it when told to.
};

inline constexpr std::array<Breach, 13> all_breaches{Breach::too_many_calls,
                                                     Breach::unanswered_calls,
                                                     Breach::cancelled_calls,
                                                     Breach::header_bytes,
                                                     Breach::ping,
                                                     Breach::settings,
                                                     Breach::window_update,
                                                     Breach::priority,
                                                     Breach::empty_data,
                                                     Breach::other_frame,
                                                     Breach::longest_wait,
                                                     Breach::gave_way,
                                                     Breach::idle};

constexpr std::string_view to_string(Breach breach) {
  switch (breach) {
    case Breach::too_many_calls: return "too_many_calls";
    case Breach::unanswered_calls: return "unanswered_calls";
    case Breach::cancelled_calls: return "cancelled_calls";
    case Breach::header_bytes: return "header_bytes";
    case Breach::ping: return "ping";
    case Breach::settings: return "settings";
    case Breach::window_update: return "window_update";
    case Breach::priority: return "priority";
    case Breach::empty_data: return "empty_data";
    case Breach::other_frame: return "other_frame";
    case Breach::longest_wait: return "longest_wait";
    case Breach::gave_way: return "gave_way";
    case Breach::idle: return "idle";
  }
  return "other_frame";
}

// What may be charged to one budget without an answer, and what a second forgives of it.
struct Allowance {
  int max;
  int per_second;
};

struct Budgets {
  Allowance unanswered_calls{.max = 300, .per_second = 1'000};
  Allowance cancelled_calls{.max = 200, .per_second = 1'000};
  Allowance control_frames{.max = 1'000, .per_second = 1'000};
  std::uint64_t header_bytes =
      std::uint64_t{48} * 1024;  // Of one call; time forgives none of them.
  std::uint32_t message_bytes = std::uint32_t{64} * 1024;  // Of one message (message_limit.hpp).
  std::size_t unfinished_messages = 4'096;                 // The same.
};

// received() and sent() may be called at the same time, each by one thread at a time.
class FrameLedger {
 public:
  // `now`: when the connection was opened.
  FrameLedger(const Budgets& budgets, std::shared_ptr<CallPool> pool, Clock::time_point now);

  // The peer's next bytes. Once a breach was returned, the ledger is of no more use.
  std::optional<Breach> received(std::span<const std::uint8_t> bytes, Clock::time_point now);

  // The server's next bytes. Returns whether a call has ended with them and none is open any more.
  bool sent(std::span<const std::uint8_t> bytes);

  // The end of such a call was sent at `now`.
  void note_served(Clock::time_point now) { served_at_.store(now, std::memory_order_relaxed); }

  // By the thread that calls sent(). Whether a frame of any type may be sent now: the server has
  // greeted, and neither a frame nor the headers of a call (RFC 9113, section 4.3) are incomplete.
  bool may_begin_frame() const;

  // Any thread. The PINGs that the server has sent, and those that the peer has acknowledged. The
  // calls that came before the last of these are in open_weight(), until they are over.
  std::uint32_t pings_sent() const { return answers_.pings.load(std::memory_order_relaxed); }
  std::uint32_t pings_acknowledged() const {
    return pings_acknowledged_.load(std::memory_order_acquire);
  }

  // Any thread. The weight of the calls that are open, and when one of them was answered last or,
  // if none was since, when the first of them was opened. With none open, when the last one ended;
  // nothing before the first call.
  int open_weight() const { return calls_.weight(); }
  std::optional<Clock::time_point> served_at() const;

 private:
  // How much of an allowance is used.
  class Account {
   public:
    explicit Account(const Allowance& allowance) : allowance_(allowance) {}

    void charge(int amount) { used_ += amount; }
    void pay_back(std::uint64_t amount);
    void forgive(double seconds);
    void set_max(int max) { allowance_.max = max; }
    bool is_exceeded() const { return used_ > allowance_.max; }

   private:
    Allowance allowance_;
    int used_ = 0;
  };

  // What sent() has counted: written by it, read by received().
  struct Answers {
    std::atomic<std::uint32_t> ends{0};    // Of calls.
    std::atomic<std::uint32_t> frames{0};  // HEADERS and DATA.
    std::atomic<std::uint32_t> pings{0};   // That are no acknowledgements.
    std::atomic<bool> has_settings{false};
  };

  void pay_back(Clock::time_point now);
  void forgive(Clock::time_point now);
  std::optional<Breach> charge(const Frame& frame, Clock::time_point now);
  std::optional<Breach> charge_headers(const Frame& frame, std::uint64_t bytes,
                                       Clock::time_point now);
  bool has_too_many_calls() const;
  int weight_of_headers() const;
  std::optional<Breach> charge(Account& account, int amount, Breach breach, Clock::time_point now);

  FrameCutter in_{FrameCutter::client_preface_bytes};
  FrameCutter out_{0};
  Account unanswered_calls_;
  Account cancelled_calls_;
  Account control_frames_;
  std::uint64_t free_window_updates_ = 0;  // Which answers have paid in advance.
  const Budgets budgets_;
  ConnectionCalls calls_;
  struct {
    int count = 0;
    int weight = 0;
  } cancelled_;                               // Of the calls, by the bytes received last.
  std::atomic<Clock::time_point> served_at_;  // The clock's epoch before the first call.
  // The peer has acknowledged SETTINGS, and so a limit of its headers, which gRPC enforces then.
  bool has_acknowledged_ = false;
  std::uint64_t header_bytes_ = 0;  // Of the headers that came last.
  Clock::time_point forgiven_at_;
  std::uint32_t ends_seen_ = 0;
  std::uint32_t frames_seen_ = 0;
  Answers answers_;
  bool are_headers_unfinished_ = false;  // Of a call's answer; CONTINUATION is to follow.
  std::atomic<std::uint32_t> pings_acknowledged_{0};
};

}  // namespace rps::rpc::boundary
