// The game on a pipe: lines in, lines out.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "core/game.hpp"

namespace rps::cli {

// The server on a pipe, without I/O: bytes in, bytes out. The bytes may be split anywhere. One
// thread uses it. REQUIRES: the game outlives it.
class Batch {
 public:
  explicit Batch(Game& game);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Appends to `out` the answers to every whole line, each followed by the events it caused, and
  // keeps a line that is not whole yet. False when a line is longer than limits::line_bytes_max:
  // such a line is answered with too_large, and nothing after it is read.
  bool feed(std::string_view bytes, Clock::time_point now, std::string& out);

  // The input has ended: a last line without "\n" counts as whole. Nothing may follow.
  void finish(Clock::time_point now, std::string& out);

 private:
  class EventLines;

  void answer(std::string_view line, std::string& out);

  Game& game_;
  std::shared_ptr<EventLines> events_;
  Caller caller_;
  std::string begun_;      // The line that is not whole yet.
  Clock::time_point now_;  // As last told.
};

// Reads descriptor `input` to its end and answers on `output`: everything that one read brought
// with one write, before it blocks again. The exit code: 0, or 1 when a line was too long. The
// error is a sentence: which of the two failed, and why.
std::expected<int, std::string> run_batch(Game& game, int input, int output);

}  // namespace rps::cli
