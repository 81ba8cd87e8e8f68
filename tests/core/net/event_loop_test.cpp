#include "core/net/event_loop.hpp"

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "core/net/stream.hpp"
#include "tests/catch.hpp"

namespace rps::net {
namespace {

constexpr Clock::time_point at_once = Clock::time_point::min();

struct SocketPair {
  explicit SocketPair(int buffer_bytes = 0) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    near = Fd(ends[0]);
    far = Fd(ends[1]);
    if (buffer_bytes > 0) {
      ::setsockopt(near.get(), SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    }
  }

  void say(std::string_view bytes) const { ::send(far.get(), bytes.data(), bytes.size(), 0); }

  Fd near;
  Fd far;
};

// Notes what it hears as "i<key>" and "o<key>", and then does what the test wants.
struct Notes final : EventLoop::Handler {
  virtual ~Notes() = default;
  void on_input(std::uint32_t key) override { take("i" + std::to_string(key)); }
  void on_output(std::uint32_t key) override { take("o" + std::to_string(key)); }
  void take(const std::string& note) {
    notes.push_back(note);
    if (then) then(note);
  }
  std::vector<std::string> take_notes() { return std::exchange(notes, {}); }

  std::vector<std::string> notes;
  std::function<void(const std::string& note)> then;
};

using Strings = std::vector<std::string>;

TEST_CASE("an entry is reported as long as there is something to read") {
  EventLoop loop;
  Notes notes;
  const SocketPair pair;
  EventLoop::Entry entry(7);
  REQUIRE(loop.add(entry, pair.near.get(), pair.near.get()));
  loop.wait(at_once, notes);
  CHECK(notes.take_notes().empty());
  pair.say("x");
  loop.wait(at_once, notes);
  loop.wait(at_once, notes);
  CHECK(notes.take_notes() == Strings{"i7", "i7"});
  loop.remove(entry);
  loop.wait(at_once, notes);
  CHECK(notes.take_notes().empty());
}

TEST_CASE(
    "a marked entry is flushed once, however often it was marked, and so is one marked then") {
  EventLoop loop;
  Notes notes;
  EventLoop::Entry one(1);
  EventLoop::Entry two(2);
  loop.mark(one);
  loop.mark(one);
  notes.then = [&](const std::string& note) {
    if (note == "o1") loop.mark(two);
  };
  loop.flush(notes);
  CHECK(notes.take_notes() == Strings{"o1", "o2"});
  loop.flush(notes);
  CHECK(notes.take_notes().empty());
}

TEST_CASE("an entry that waits for room is called when it has some, not when it is marked") {
  EventLoop loop;
  Notes notes;
  const SocketPair pair;
  EventLoop::Entry entry(7);
  REQUIRE(loop.add(entry, pair.near.get(), pair.near.get()));
  loop.wait_for_room(entry, true);
  loop.mark(entry);
  loop.flush(notes);
  CHECK(notes.take_notes().empty());
  loop.wait(at_once, notes);
  CHECK(notes.take_notes() == Strings{"o7"});
  loop.wait_for_room(entry, false);
  loop.wait(at_once, notes);
  CHECK(notes.take_notes().empty());
}

TEST_CASE("what was still to be reported of an entry that is removed is dropped") {
  EventLoop loop;
  Notes notes;
  const std::array<SocketPair, 2> pairs;
  EventLoop::Entry one(1);
  EventLoop::Entry two(2);
  REQUIRE(loop.add(one, pairs[0].near.get(), pairs[0].near.get()));
  REQUIRE(loop.add(two, pairs[1].near.get(), pairs[1].near.get()));
  for (const SocketPair& pair : pairs) pair.say("x");
  notes.then = [&](const std::string&) {
    loop.remove(one);
    loop.remove(two);
    // The same entries, with other descriptors: nothing of the old ones may reach them.
    loop.add(one, pairs[1].near.get(), pairs[1].near.get());
    loop.add(two, pairs[0].near.get(), pairs[0].near.get());
  };
  loop.wait(at_once, notes);
  CHECK(notes.take_notes().size() == 1);
}

TEST_CASE("a stream writes what there is room for, and the rest when there is more") {
  EventLoop loop;
  Notes notes;
  SocketPair pair(4096);
  BufferedStream stream(loop, 7);
  REQUIRE(stream.open({.in = std::move(pair.near)}));
  const std::string sent(1 << 20, 'x');
  stream.output = sent;
  notes.then = [&](const std::string& note) {
    if (note == "o7") CHECK(stream.write());
  };
  stream.request_write();
  loop.flush(notes);
  CHECK_FALSE(stream.output.empty());
  std::string got;
  while (!stream.output.empty()) {
    std::array<char, 65536> bytes;
    const ssize_t count = ::recv(pair.far.get(), bytes.data(), bytes.size(), 0);
    REQUIRE(count > 0);
    got.append(bytes.data(), static_cast<std::size_t>(count));
    loop.wait(at_once, notes);
  }
  for (std::array<char, 65536> bytes;;) {
    const ssize_t count = ::recv(pair.far.get(), bytes.data(), bytes.size(), 0);
    if (count <= 0) break;
    got.append(bytes.data(), static_cast<std::size_t>(count));
  }
  CHECK(got == sent);
  notes.take_notes();
  loop.wait(at_once, notes);
  CHECK(notes.take_notes().empty());  // It waits for room no longer.
}

TEST_CASE("a stream can be closed and opened again, with empty buffers") {
  EventLoop loop;
  Notes notes;
  SocketPair first;
  SocketPair second;
  BufferedStream stream(loop, 7);
  REQUIRE(stream.open({.in = std::move(first.near)}));
  first.say("x");
  loop.wait(at_once, notes);
  CHECK(stream.read() == InputBuffer::Arrival::bytes);
  stream.output = "y";
  stream.close();
  CHECK_FALSE(stream.is_open());
  CHECK(stream.input.empty());
  CHECK(stream.output.empty());
  REQUIRE(stream.open({.in = std::move(second.near)}));
  second.say("z");
  notes.take_notes();
  loop.wait(at_once, notes);
  CHECK(notes.take_notes() == Strings{"i7"});
  CHECK(stream.read() == InputBuffer::Arrival::bytes);
  CHECK(stream.input.bytes() == "z");
}

}  // namespace
}  // namespace rps::net
