// The calls that are open on all connections together, and how many of them one connection may
// have. No sockets, no gRPC, no clock.
//
// Calls are counted by their weight in memory. A call counts 1, and 1 more for each 128 bytes of
// its headers: a byte of a header that refers to an earlier field (HPACK, RFC 7541, section 6.1)
// makes gRPC store a field again, which costs up to 150 bytes. It counts 1 more for each 16 KiB of
// DATA that it has received, but 4 more at most, which is as much as an unfinished message has by
// default; each frame of DATA that answers takes 256 bytes back, more than a valid request has.
//
//   left  = the limit - the weight of the open calls - that of cancelled calls not yet ended
//   share = left / 4, but 8 at least
//
// One connection alone gets a fifth of the limit. The more connections have calls open, the smaller
// is the share of each, and some of the limit is always left for a connection that opens its first
// call. (Switches divide their buffers in this way: Choudhury and Hahne, "Dynamic queue length
// thresholds for shared-memory packet switches", 1998.)
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace rps::rpc::boundary {

// Every function may be called from any thread.
class CallPool {
 public:
  explicit CallPool(int weight_max) : weight_max_(weight_max) {}

  void open(int weight) { open_.fetch_add(weight, std::memory_order_relaxed); }
  void close(int weight) { open_.fetch_sub(weight, std::memory_order_relaxed); }

  // Peers have cancelled `count` calls of this weight together, which are closed. No frame tells
  // when gRPC has ended them and returned their memory, and a flood of cancelled calls keeps gRPC
  // busy. So they count further until as many calls have ended as are cancelled, or for a second or
  // two. No more than the limit is remembered.
  void cancel(int count, int weight);

  // gRPC has ended a call, any one: it ends them in about the order in which they came.
  void note_end() {
    if (cancelled_weight_.load(std::memory_order_relaxed) != 0) forget_one();
  }

  // To be called about once a second. Forgets the calls that were cancelled before its last call:
  // gRPC refuses some calls itself, whose end note_end() does not tell.
  void note_second();

  // What one connection may have open, as a weight.
  int share() const;

  int weight_max() const { return weight_max_.load(std::memory_order_relaxed); }

  // The limit from now on. When more is open, it stays open, and the pool is full.
  void set_weight_max(int weight_max) { weight_max_.store(weight_max, std::memory_order_relaxed); }

  // Whether the open calls have reached the limit.
  bool is_full() const { return open_.load(std::memory_order_relaxed) >= weight_max(); }

 private:
  void forget_one();
  void forget(int count);  // REQUIRES: the mutex is held.

  std::atomic<int> weight_max_;
  std::atomic<int> open_{0};
  std::atomic<int> cancelled_weight_{0};  // Written while the mutex is held.
  std::mutex mutex_;                      // Guards what follows.
  int cancelled_count_ = 0;
  int old_count_ = 0;  // Of these, those that note_second() has seen before.
};

// The calls that are open on one connection; they leave the pool with it. Every function may be
// called from any thread.
class ConnectionCalls {
 public:
  explicit ConnectionCalls(std::shared_ptr<CallPool> pool) : pool_(std::move(pool)) {}
  ~ConnectionCalls() { pool_->close(weight()); }
  ConnectionCalls(const ConnectionCalls&) = delete;
  ConnectionCalls& operator=(const ConnectionCalls&) = delete;

  // The call on this stream is open and its headers have this weight, if they had less. Does
  // nothing when no call is open on this stream and none can begin there, because its number is
  // even or not above all before (RFC 9113, 5.1.1): gRPC ignores such headers.
  void open(std::uint32_t stream, int weight);

  // The call has received so many bytes of DATA. Returns whether it weighs more now.
  bool receive(std::uint32_t stream, std::uint32_t bytes);

  // The call was answered by a frame of DATA, which matters only while a call weighs more for its
  // DATA.
  void answer(std::uint32_t stream) {
    if (data_weight_.load(std::memory_order_relaxed) != 0) take_back(stream);
  }

  // The server has ended the call, or its peer has cancelled it. Returns its weight; 0 when there
  // is no such call.
  int close(std::uint32_t stream);

  CallPool& pool() const { return *pool_; }

  // Of all calls that are open.
  int weight() const { return weight_.load(std::memory_order_relaxed); }

 private:
  struct Call {
    int data() const { return static_cast<int>(data_bytes / bytes_of_weight); }
    int weight() const { return headers + data(); }

    static constexpr std::uint32_t bytes_of_weight = 16 * 1024;

    std::uint32_t stream;
    int headers;  // Their weight.
    std::uint32_t data_bytes;
  };

  Call* find(std::uint32_t stream);
  void take_back(std::uint32_t stream);
  void set_data(Call& call, std::uint32_t bytes);
  void add(int weight);

  const std::shared_ptr<CallPool> pool_;
  std::atomic<int> weight_{0};
  std::atomic<int> data_weight_{0};  // The part of it that is for DATA.
  std::mutex mutex_;
  std::vector<Call> calls_;   // In the order in which they were opened.
  std::uint32_t newest_ = 0;  // The stream that was opened last.
};

}  // namespace rps::rpc::boundary
