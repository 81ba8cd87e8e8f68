// The body of the answer to a Watch: what happens in a duel, as it happens. Two forms:
//
//   application/x-ndjson   a WatchResponse on each line; if the stream ends with an error, a last
//                          line {"error": {…}} with a google.rpc.Status
//   text/event-stream      server-sent events (https://html.spec.whatwg.org/#server-sent-events):
//                          `event` names what has happened, `data` is the WatchResponse, and `id`
//                          stands for the duel as it then is. An error is the event "refused".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/game.hpp"
#include "stage3_grpc/rest/call.hpp"
#include "stage3_grpc/rest/feed.hpp"

namespace rps::rpc::rest {

enum class StreamForm : bool { lines, events };

// Names a duel's state: of two observations with the same id, the duel is the same.
std::string state_id(const Observation& seen);

// Appends one observation.
void append_observation(const Observation& seen, StreamForm form, std::string& out);

// Appends the end of a stream with an error. REQUIRES: reply.error.
void append_error(const Reply& reply, StreamForm form, std::string& out);

// A spectator's stream, from the accepted request to its end. Used by one thread.
class Watch {
 public:
  Watch(std::unique_ptr<Call> call, Game& game, std::shared_ptr<Feed> feed, StreamForm form);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  Caller& caller() { return caller_; }
  Call& call() { return *call_; }

  // Takes what the duel has shown at once, which begins with a snapshot. When the client of a
  // stream of events has seen this state, by its Last-Event-ID, it is not shown again. Returns
  // false when that state was the end of the duel: nothing is left to be shown.
  bool begin(std::string_view last_event_id);

  // Appends what has waited. False when the stream ends behind that.
  bool append_waiting(std::string& out);

  // Appends a line without meaning, if the form has one.
  void append_heartbeat(std::string& out) const;

  // Appends the reason why the stream ends although the duel is not over.
  void append_end(Error error, std::string& out) const;

 private:
  bool append(const Feed::Notes& notes, std::string& out) const;

  const std::unique_ptr<Call> call_;
  const std::shared_ptr<Feed> feed_;
  const StreamForm form_;
  Caller caller_;
  Feed::Notes first_;  // Until they are appended.
};

}  // namespace rps::rpc::rest
