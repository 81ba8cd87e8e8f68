// One connection to an instance: its socket, its bytes, and the calls that wait to be sent over it
// or that it owes an answer to. It knows calls by number only; what becomes of them is decided by
// its owner, FleetClient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/client.hpp"
#include "core/fleet/dial.hpp"
#include "core/fleet/ring.hpp"
#include "core/net/fd.hpp"
#include "core/net/input_buffer.hpp"
#include "core/net/stream_client.hpp"

namespace rps::fleet {

// In place of the number of a call, an instance or a connection.
inline constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();

class Connection {
 public:
  enum class State : std::uint8_t { closed, dialling, open };

  // A call whose answer is due. The call may have been given up since: then it is `nobody`, and the
  // answer, which still takes its turn, is dropped.
  struct Owed {
    std::uint32_t call = nobody;
    Operation operation = Operation::play;
  };

  // Begins to connect. When that fails at once, there is no descriptor and `error` says why.
  // REQUIRES: state is closed.
  void dial(const Address& address, std::uint32_t to_instance, Clock::time_point now,
            Clock::time_point until);

  // The outcome of connecting is known. True when the connection is open now; else `error` is set.
  bool finish_dialling();

  // Closes the socket and forgets all calls.
  void close();

  // Takes back a call that waits. REQUIRES: it does.
  void withdraw(std::uint32_t call);

  // Encodes a call as the newest of the stream; its answer is due from now on. Returns its number
  // in the stream.
  std::uint64_t encode(net::WireCodec& codec, std::uint32_t call, const Command& command,
                       Clock::time_point now);

  // Writes what is encoded, as far as the socket takes it. False when it takes no more for good.
  bool write_out();
  bool has_output() const { return written_ < output_.size(); }

  // The oldest answer that is due. REQUIRES: owes().
  Owed oldest() { return owed_[0]; }
  std::uint64_t oldest_sequence() const { return sequence_ - owed_.size() + 1; }
  void pop_oldest(Clock::time_point now);

  // Nobody waits for the answer to this call of the stream any longer.
  void give_up(std::uint64_t sequence) { owed_[sequence - oldest_sequence()].call = nobody; }

  bool owes() const { return !owed_.empty(); }
  bool is_idle() const { return owed_.empty() && waiting.empty(); }
  std::size_t load() const { return owed_.size() + waiting.size(); }

  // Moves all its calls to the end of these: those that were sent, and those that were not.
  void hand_over(std::vector<std::uint32_t>& sent, std::vector<std::uint32_t>& not_sent);

  // Since when the oldest answer has been the next to come. REQUIRES: owes().
  Clock::time_point owing_since() const { return owing_since_; }

  State state = State::closed;
  std::uint32_t instance = nobody;
  std::uint32_t generation =
      0;          // Counts sockets, so that an event of a former one is not taken in.
  int error = 0;  // Why connecting failed, as errno says it.
  net::Fd socket;
  net::InputBuffer input;
  Clock::time_point dial_until;
  bool is_dirty = false;    // Has something new to send.
  bool is_blocked = false;  // Waits for room to write.
  bool keeps_seat = false;  // Somebody sits at a duel over it: it must not be closed for idleness.

  // Calls to be sent. They are encoded only when the socket takes bytes: so what still waits here
  // was certainly not sent.
  std::vector<std::uint32_t> waiting;

 private:
  Ring<Owed> owed_;
  std::uint64_t sequence_ = 0;  // Of the newest encoded call.
  std::string output_;
  std::size_t written_ = 0;  // Bytes of `output_`.
  Clock::time_point owing_since_;
};

}  // namespace rps::fleet
