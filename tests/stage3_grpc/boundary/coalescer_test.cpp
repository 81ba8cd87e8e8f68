#include "stage3_grpc/boundary/coalescer.hpp"

#include <array>
#include <cerrno>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>

#include <sys/socket.h>

#include "core/net/fd.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::rpc::boundary;

namespace {

// A socket whose sends are coalesced, and its peer.
struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    peer = net::Fd(ends[0]);
    socket = net::Fd(ends[1]);
    coalescer = std::make_shared<Coalescer>(socket.get(), kernel);
  }
  ~Pair() { coalescer->close(); }

  ssize_t send(std::string_view bytes, int flags = MSG_NOSIGNAL) const {
    const std::size_t half = bytes.size() / 2;
    std::string copy(bytes);
    std::array<iovec, 2> pieces{iovec{copy.data(), half},
                                iovec{copy.data() + half, copy.size() - half}};
    const msghdr message{.msg_iov = pieces.data(), .msg_iovlen = pieces.size()};
    return coalescer->send(message, flags);
  }

  // What has arrived by now.
  std::string arrived() const {
    std::string all(1 << 20, '\0');
    const ssize_t count = ::recv(peer.get(), all.data(), all.size(), 0);
    all.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return all;
  }

  net::Fd peer;
  net::Fd socket;
  SocketFilter kernel;
  std::shared_ptr<Coalescer> coalescer;
};

// Each thread has rounds of its own, so each test runs on a new one.
void on_a_thread(const std::function<void()>& run) {
  std::thread(run).join();
}

// On a polling thread, at the beginning of a round. The last one sent several times to each of
// these sockets, so this one holds from its first byte on.
void on_a_polling_thread(std::initializer_list<const Pair*> busy,
                         const std::function<void()>& run) {
  on_a_thread([&] {
    before_polling();
    for (const Pair* pair : busy) {
      pair->send("a");
      pair->send("b");
    }
    before_polling();
    for (const Pair* pair : busy) REQUIRE(pair->arrived().ends_with("ab"));
    run();
  });
}

}  // namespace

TEST_CASE("A thread that never polls sends at once") {
  on_a_thread([] {
    const Pair pair;
    CHECK(pair.send("one") == 3);
    CHECK(pair.send("two") == 3);
    CHECK(pair.arrived() == "onetwo");
  });
}

TEST_CASE("A polling thread sends the first bytes at once and holds the rest of the round") {
  on_a_thread([] {
    before_polling();
    const Pair pair;
    CHECK(pair.send("one") == 3);
    CHECK(pair.arrived() == "one");
    CHECK(pair.send("two") == 3);
    CHECK(pair.send("three") == 5);
    CHECK(pair.arrived().empty());
    before_blocking();
    CHECK(pair.arrived() == "twothree");
  });
}

TEST_CASE("After a round that sent several times to a socket the next one holds its first bytes") {
  const Pair often;
  const Pair seldom;
  on_a_polling_thread({&often}, [&] {
    often.send("a");
    seldom.send("b");
    CHECK(often.arrived().empty());
    CHECK(seldom.arrived() == "b");
    before_polling();
    CHECK(often.arrived() == "a");
    often.send("c");  // The last round sent to it once.
    CHECK(often.arrived() == "c");
  });
}

TEST_CASE("Bytes keep their order, whatever sends them") {
  const Pair pair;
  on_a_polling_thread({&pair}, [&] {
    pair.send("held, ");
    on_a_thread([&] { pair.send("from a thread that does not poll, "); });
    CHECK(pair.arrived() == "held, from a thread that does not poll, ");
    pair.send("held, ");
    pair.send("with other flags", MSG_NOSIGNAL | MSG_MORE);
    CHECK(pair.arrived() == "held, with other flags");
    pair.send("held, ");
    const std::string long_one(held_bytes_max, 'x');
    pair.send(long_one);
    CHECK(pair.arrived() == std::string("held, ") + long_one);
    pair.send("held, ");
    on_a_thread([&] {
      before_polling();
      pair.send("held by another thread");
      CHECK(pair.arrived().empty());
    });
    CHECK(pair.arrived() == "held, held by another thread");
  });
}

TEST_CASE("A reply waits for a few others at most") {
  const Pair pair;
  on_a_polling_thread({&pair}, [&] {
    for (unsigned i = 1; i < held_sends_max; ++i) pair.send("x");
    CHECK(pair.arrived().empty());
    pair.send("y");
    CHECK(pair.arrived() == std::string(held_sends_max - 1, 'x').append("y"));
  });
}

TEST_CASE("A thread that ends sends what it holds, also one after another") {
  const Pair pair;
  for (const std::string_view bytes : {"the first", "the second"}) {
    on_a_polling_thread({&pair}, [&] {
      pair.send(bytes);
      CHECK(pair.arrived().empty());
    });
    CHECK(pair.arrived() == bytes);
  }
}

TEST_CASE("What is held is sent before the socket is shut down or closed, and not after") {
  for (const bool closes : {false, true}) {
    Pair pair;
    on_a_polling_thread({&pair}, [&] {
      pair.send("before");
      if (closes) {
        pair.coalescer->close();
      } else {
        pair.coalescer->flush();
      }
      CHECK(pair.arrived() == "before");
      pair.socket = net::Fd();
      before_blocking();  // Another descriptor may have the number by now.
      CHECK(pair.arrived().empty());
    });
  }
}

TEST_CASE("What the kernel does not take stays, and is sent when there is room") {
  const Pair pair;
  const int least = 1;
  ::setsockopt(pair.socket.get(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
  std::string sent;
  on_a_polling_thread({&pair}, [&] {
    for (int i = 0; i < 12; ++i) {
      const std::string part(1000, static_cast<char>('a' + i));
      REQUIRE(pair.send(part) == 1000);
      sent += part;
    }
  });
  std::string arrived = pair.arrived();
  REQUIRE(arrived.size() < sent.size());
  on_a_thread([&] {
    CHECK(pair.send("not before what is held") == -1);
    CHECK(errno == EAGAIN);
    for (std::string more = pair.arrived(); !more.empty(); more = pair.arrived()) {
      arrived += more;
      after_polling();  // The peer has read, which ends epoll_wait.
    }
    CHECK(arrived == sent);
    CHECK(pair.send("again") == 5);
    CHECK(pair.arrived() == "again");
  });
}

TEST_CASE("A socket whose peer reads slowly is not held for") {
  const Pair pair;
  on_a_polling_thread({&pair}, [&] {
    REQUIRE(pair.send(std::string(held_bytes_max, 'x')) > 0);
    REQUIRE(pair.send(std::string(2 * held_bytes_max, 'y')) > 0);
    before_polling();
    pair.send("z");
    CHECK(pair.arrived().back() == 'z');
  });
}

TEST_CASE("An error that held bytes met is the result of the next call") {
  Pair pair;
  on_a_polling_thread({&pair}, [&] {
    CHECK(pair.send("nobody reads this") == 17);
    pair.peer = net::Fd();
    before_polling();
    for (int i = 0; i < 2; ++i) {
      errno = 0;
      CHECK(pair.send("more") == -1);
      CHECK(errno == EPIPE);
    }
  });
}
