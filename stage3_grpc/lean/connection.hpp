// One HTTP/2 connection that carries unary calls, without a socket: bytes in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "stage3_grpc/lean/call.hpp"

namespace rps::rpc {

// The headers of every call, by its path. They are the same each time, so that all of them that
// HPACK keeps are one byte long from the second call on.
class LeanHeaders {
 public:
  // `authority` is host and port, as in the URL. Calls carry `token` unless it is empty (RFC 6750,
  // section 2.1).
  explicit LeanHeaders(std::string authority, bool is_over_tls = false,
                       const std::string& token = {})
      : authority_(std::move(authority)),
        scheme_(is_over_tls ? "https" : "http"),
        authorization_(token.empty() ? "" : "Bearer " + token) {}
  LeanHeaders(const LeanHeaders&) = delete;  // The views below point into it.
  LeanHeaders& operator=(const LeanHeaders&) = delete;

  // REQUIRES: the operation is play or score.
  const std::vector<nghttp2_nv>& of(Operation operation) const {
    return operation == Operation::play ? play_ : score_;
  }

 private:
  std::vector<nghttp2_nv> make(std::string_view path) const;

  std::string authority_;
  std::string_view scheme_;
  std::string authorization_;  // Empty: none.
  std::vector<nghttp2_nv> play_ = make("/rps.v1.RockPaperScissorsService/Play");
  std::vector<nghttp2_nv> score_ = make("/rps.v1.RockPaperScissorsService/Score");
};

class LeanConnection {
 public:
  // Carries `depth` calls at most. Throws std::bad_alloc. REQUIRES: both references outlive it.
  LeanConnection(const LeanHeaders& headers, LeanMessages& messages, std::size_t depth);
  LeanConnection(const LeanConnection&) = delete;
  LeanConnection& operator=(const LeanConnection&) = delete;

  // Whether a call may begin.
  bool has_room() const { return !idle_.empty() && !is_leaving_; }

  // It begins no more calls: by GOAWAY, or as it is out of stream numbers. Its open calls end.
  bool is_leaving() const { return is_leaving_; }
  std::size_t open_calls() const { return calls_.size() - idle_.size(); }

  // The call counts as sent at `sent_at`, or, without that, when it is. Returns a handle for
  // cancel(). REQUIRES: has_room().
  std::size_t begin(std::uint64_t id, const Command& command, Clock::time_point sent_at = {});

  // Begins a call that ended elsewhere and was not processed. REQUIRES: has_room().
  void begin_again(LeanCall& call);

  // Ends an open call with RST_STREAM (CANCEL), and releases it: it is not in ended().
  // REQUIRES: write() was called since the call began.
  void cancel(std::size_t handle);

  // How many calls the peer allows to be open; before its SETTINGS have arrived, 100. Further ones
  // wait here until it allows them.
  std::size_t streams_max() const {
    return nghttp2_session_get_remote_settings(session_.get(),
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  }

  // Whether write() would append anything.
  bool wants_to_write() const { return nghttp2_session_want_write(session_.get()) != 0; }

  // Appends all that is to be sent to `out`; the calls that leave with it are sent `now`. False
  // when the connection cannot be trusted any longer.
  bool write(std::string& out, Clock::time_point now);

  // Takes what was read. False when the connection cannot be trusted any longer.
  bool read(std::string_view bytes);

  enum class Fate : std::uint8_t {
    answered,
    broken,         // The server may have processed it or not.
    not_processed,  // Certainly: its request never left, or GOAWAY leaves it out (RFC 9113, 6.8).
    refused,        // The server refused its stream alone (REFUSED_STREAM).
  };

  // Calls that ended, in the order in which they did. The owner gives each of them back with
  // release(), and then clears the list.
  struct Ended {
    LeanCall* call = nullptr;
    Fate fate = Fate::answered;
  };
  const std::vector<Ended>& ended() const { return ended_; }
  void clear_ended() { ended_.clear(); }
  void release(LeanCall& call);

  // Ends all open calls, broken or not processed: the connection is over. Those not sent yet count
  // as sent `now`.
  void abandon(Clock::time_point now);

  // The peer's SETTINGS have arrived, with which every HTTP/2 connection begins.
  bool has_settings() const { return has_settings_; }

  // HTTP/2 has nothing left to read or write here: the connection can be closed.
  bool is_over() const {
    return nghttp2_session_want_read(session_.get()) == 0 &&
           nghttp2_session_want_write(session_.get()) == 0;
  }

 private:
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  struct Callbacks;

  void submit(LeanCall& call);
  void stamp_unsent(Clock::time_point now);
  Fate fate_of(const LeanCall& call, std::uint32_t error) const;
  void end(LeanCall& call, Fate fate);

  const LeanHeaders& headers_;
  LeanMessages& messages_;
  std::vector<LeanCall> calls_;
  std::vector<LeanCall*> idle_;
  std::vector<LeanCall*> unsent_;  // Begun since the last write.
  std::vector<Ended> ended_;
  bool has_settings_ = false;
  bool is_leaving_ = false;
  std::unique_ptr<nghttp2_session, Delete> session_;
};

}  // namespace rps::rpc
