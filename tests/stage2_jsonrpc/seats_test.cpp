#include "stage2_jsonrpc/seats.hpp"

#include <chrono>
#include <deque>
#include <optional>

#include "tests/catch.hpp"

namespace rps::jsonrpc {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point start{};

// A connection that is idle since a given second, or in use.
struct Guest {
  std::optional<Clock::time_point> idle_since(Clock::time_point) const { return since; }

  std::optional<Clock::time_point> since;
  Seats<Guest>::Seat seat{};
};

class Room {
 public:
  Guest& silent(std::optional<std::chrono::seconds> since) {
    Guest& guest = guests_.emplace_back();
    if (since) guest.since = start + *since;
    guest.seat = seats_.sit(guest);
    return guest;
  }

  Guest& spoken(std::optional<std::chrono::seconds> since) {
    Guest& guest = silent(since);
    seats_.speak(guest.seat);
    return guest;
  }

  // Who gives way, and goes.
  Guest* make_room() {
    Guest* const guest = seats_.choose(start + 1h);
    if (guest != nullptr) seats_.leave(guest->seat);
    return guest;
  }

 private:
  std::deque<Guest> guests_;
  Seats<Guest> seats_;
};

TEST_CASE("nobody gives way where nobody is") {
  CHECK(Room().make_room() == nullptr);
}

TEST_CASE("who has never spoken gives way before who has, and the oldest first") {
  Room room;
  Guest& spoken = room.spoken(1s);
  Guest& first = room.silent(2s);
  Guest& second = room.silent(3s);
  CHECK(room.make_room() == &first);
  CHECK(room.make_room() == &second);
  CHECK(room.make_room() == &spoken);
  CHECK(room.make_room() == nullptr);
}

TEST_CASE("of those who have spoken the one that is idle for the longest time gives way") {
  Room room;
  Guest& middle = room.spoken(20s);
  Guest& last = room.spoken(30s);
  Guest& first = room.spoken(10s);
  CHECK(room.make_room() == &first);
  first.since = start + 5s;  // Has gone, and counts no more.
  CHECK(room.make_room() == &middle);
  CHECK(room.make_room() == &last);
}

TEST_CASE("who is in use is passed over, and gives way once it is idle") {
  Room room;
  Guest& busy_silent = room.silent(std::nullopt);
  Guest& busy = room.spoken(std::nullopt);
  Guest& idle_silent = room.silent(2s);
  Guest& idle = room.spoken(1s);
  CHECK(room.make_room() == &idle_silent);
  CHECK(room.make_room() == &idle);
  CHECK(room.make_room() == nullptr);
  busy.since = start + 3s;
  busy_silent.since = start + 4s;
  CHECK(room.make_room() == &busy_silent);
  CHECK(room.make_room() == &busy);
}

TEST_CASE("one choice looks at a bounded number, and the next one at others") {
  Room room;
  for (std::size_t i = 0; i < Seats<Guest>::looks_max; ++i) {
    room.silent(std::nullopt);
    room.spoken(std::nullopt);
  }
  Guest& silent = room.silent(1s);
  Guest& spoken = room.spoken(1s);
  CHECK(room.make_room() == nullptr);
  CHECK(room.make_room() == &silent);
  CHECK(room.make_room() == &spoken);
}

}  // namespace
}  // namespace rps::jsonrpc
