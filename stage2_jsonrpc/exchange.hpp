// The protocol of a connection without the connection: bytes that came in, bytes to go out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/command.hpp"
#include "stage2_jsonrpc/call.hpp"
#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

// Who carries the calls out.
class Service {
 public:
  virtual Reply call(const Command& command) = 0;

  // A call, or what should have been one, was refused before it could be carried out.
  virtual void refused(Error error) = 0;

 protected:
  ~Service() = default;
};

// Reads frames, has their calls carried out in order and writes the replies, in the same order.
// Keeps nothing between two turns but its memory, so one serves all connections of a thread.
//
//   what comes in                               what goes out
//   a request frame of JSON                     a response frame, or nothing for notifications
//   a request frame of a codec not offered      an error frame (JSON, -32600); the stream goes on
//   no magic, or a type that is not request     an error frame (-32700, -32600); the stream ends
//   a length above frame_bytes_max              an error frame (-32003); the stream ends
class Exchange {
 public:
  explicit Exchange(const Limits& limits) : limits_(limits) {}

  struct Progress {
    std::size_t consumed = 0;  // Bytes from the front that are done with.
    std::size_t frames = 0;    // Whole frames among them.
    bool more = false;         // The turn ended early: whole frames may still be left.
    bool end = false;          // The stream ends here: what follows cannot be understood.
  };

  // One turn: all whole frames at the front of `bytes`, until the turn's share of calls is used up
  // or `out` holds more than may wait unsent.
  Progress turn(std::string_view bytes, Service& service, std::string& out);

 private:
  std::size_t answer(std::string_view payload, Service& service, std::string& out);

  const Limits& limits_;
  Calls calls_;
};

}  // namespace rps::jsonrpc
