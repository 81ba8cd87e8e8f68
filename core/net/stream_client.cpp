#include "core/net/stream_client.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

namespace rps::net {

namespace {

// How long children may take to end on their own, all of them together.
constexpr std::chrono::milliseconds children_end_max{200};

// epoll says which lane is ready, and whether it is the pipe it writes to.
constexpr std::uint64_t is_output = std::uint64_t{1} << 32;

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

}  // namespace

StreamClient::StreamClient(std::unique_ptr<WireCodec> codec, std::size_t streams, std::size_t depth,
                           const Open& open)
    : codec_(std::move(codec)), depth_(depth), order_(streams), idle_(streams), free_(streams) {
  assert(streams > 0 && depth > 0);
  lanes_.reserve(streams);
  dirty_.reserve(streams);
  std::iota(order_.rbegin(), order_.rend(), 0);  // The last of a group is taken first: stream 0.
  try {
    for (std::uint32_t i = 0; i < streams; ++i) {
      Lane& lane = lanes_.emplace_back();
      lane.stream = open();
      lane.calls.resize(depth);
      lane.place = streams - 1 - i;
      if (!epoll_.add(lane.stream.in.get(), EPOLLIN, i)) throw_errno("epoll_ctl");
    }
  } catch (...) {
    end_children();
    throw;
  }
}

StreamClient::~StreamClient() {
  end_children();
}

std::vector<pid_t> StreamClient::children() const {
  std::vector<pid_t> pids;
  for (const Lane& lane : lanes_) {
    if (lane.stream.child > 0) pids.push_back(lane.stream.child);
  }
  return pids;
}

// ---- Which stream carries a call -----------------------------------------------------------

void StreamClient::submit(std::uint64_t id, const Command& command) {
  if (free_ == 0) {
    refused_.push_back({.id = id, .operation = command.operation, .sent_at = Clock::now()});
    return;
  }
  const std::uint32_t index = order_[place_for(id)];
  Lane& lane = lanes_[index];
  codec_->encode(++lane.sequence, command, lane.out);
  call_at(lane, lane.open++) = {.id = id, .operation = command.operation, .sent_at = {}};
  ++lane.unsent;
  if (lane.open == 1 || lane.open == depth_) regroup(lane);
  if (!lane.dirty) {
    lane.dirty = true;
    dirty_.push_back(index);
  }
}

// The place of the stream that is to carry the call. REQUIRES: one has room.
std::size_t StreamClient::place_for(std::uint64_t id) {
  const std::size_t home = lanes_[id % lanes_.size()].place;
  if (home < free_) return home;
  return idle_ > 0 ? idle_ - 1 : turn_++ % free_;
}

StreamClient::Call& StreamClient::call_at(Lane& lane, std::size_t index) const {
  const std::size_t at = lane.oldest + index;
  return lane.calls[at < depth_ ? at : at - depth_];
}

StreamClient::Call StreamClient::take_oldest(Lane& lane) {
  const Call call = call_at(lane, 0);
  lane.oldest = lane.oldest + 1 < depth_ ? lane.oldest + 1 : 0;
  const bool was_full = lane.open-- == depth_;
  if (was_full || lane.open == 0) regroup(lane);
  return call;
}

// Moves the lane to the group where its open calls put it: out of all of them first, then back in.
void StreamClient::regroup(Lane& lane) {
  if (lane.place < idle_) swap_places(lane.place, --idle_);
  if (lane.place < free_) swap_places(lane.place, --free_);
  if (lane.broken || lane.open == depth_) return;
  swap_places(lane.place, free_++);
  if (lane.open == 0) swap_places(lane.place, idle_++);
}

void StreamClient::swap_places(std::size_t a, std::size_t b) {
  std::swap(order_[a], order_[b]);
  lanes_[order_[a]].place = a;
  lanes_[order_[b]].place = b;
}

// ---- Arrivals ------------------------------------------------------------------------------

std::size_t StreamClient::poll(Clock::time_point deadline, Sink& sink) {
  handed_over_ = 0;
  answer_refused(sink);
  flush_dirty(sink);
  do {
    const Clock::time_point until = handed_over_ > 0 ? Clock::time_point::min() : deadline;
    for (const epoll_event& event : epoll_.wait(until)) {
      Lane& lane = lanes_[static_cast<std::uint32_t>(event.data.u64)];
      if (lane.broken) continue;  // By an earlier event of this batch.
      if (lane.blocked && (event.data.u64 & is_output || event.events & EPOLLOUT)) {
        flush(lane, sink);
      }
      if (!lane.broken && !(event.data.u64 & is_output)) serve(lane, sink);
      flush_dirty(sink);  // At once: the peer may work while the other streams are read.
    }
  } while (handed_over_ == 0 && Clock::now() < deadline);
  return handed_over_;
}

void StreamClient::serve(Lane& lane, Sink& sink) {
  const InputBuffer::Arrival arrival = receive(lane);
  if (arrival == InputBuffer::Arrival::nothing) return;
  if (arrival == InputBuffer::Arrival::end || !decode(lane, sink)) fail(lane, sink);
}

InputBuffer::Arrival StreamClient::receive(Lane& lane) {
  const InputBuffer::Arrival arrival = lane.in.read_from(lane.stream.in);
  received_at_ = Clock::now();
  return arrival;
}

// Hands over every whole message of the buffer. False when its bytes are no message.
bool StreamClient::decode(Lane& lane, Sink& sink) {
  while (!lane.in.empty()) {
    // Only what was sent can be answered.
    const bool awaited = lane.open > lane.unsent;
    const WireCodec::Expected expected{.operation = call_at(lane, 0).operation,
                                       .sequence = lane.sequence - lane.open + 1};
    const std::string_view bytes = lane.in.bytes();
    std::size_t consumed = 0;
    Reply reply;
    Event event;
    const auto outcome =
        codec_->decode(bytes, awaited ? &expected : nullptr, consumed, reply, event);
    if (outcome == WireCodec::Outcome::need_more) return true;
    if (outcome == WireCodec::Outcome::broken) return false;
    assert(consumed > 0 && consumed <= bytes.size());
    lane.in.consume(consumed);
    if (outcome == WireCodec::Outcome::event) {
      sink.on_event(event);
    } else {
      assert(awaited);
      const Call call = take_oldest(lane);
      sink.on_reply(call.id, reply, {.sent_at = call.sent_at, .received_at = received_at_});
    }
    ++handed_over_;
  }
  return true;
}

// ---- Departures ----------------------------------------------------------------------------

void StreamClient::flush_dirty(Sink& sink) {
  // By index: what a failing stream answers may make the sink submit, and so dirty another.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    Lane& lane = lanes_[dirty_[i]];
    lane.dirty = false;
    if (!lane.broken && !lane.blocked) flush(lane, sink);
  }
  dirty_.clear();
}

void StreamClient::flush(Lane& lane, Sink& sink) {
  if (write_out(lane)) return;
  // Nobody reads there any more, but what was said before that is still to be heard.
  lane.broken = true;
  regroup(lane);
  while (receive(lane) == InputBuffer::Arrival::bytes && decode(lane, sink)) {
  }
  fail(lane, sink);
}

// Writes what can be written. False when the stream does not take bytes any longer.
bool StreamClient::write_out(Lane& lane) {
  const Clock::time_point now = Clock::now();
  while (lane.unsent > 0) call_at(lane, lane.open - lane.unsent--).sent_at = now;
  while (lane.written < lane.out.size()) {
    const char* const data = lane.out.data() + lane.written;
    const std::size_t size = lane.out.size() - lane.written;
    const ssize_t count = lane.stream.out ? ::write(lane.stream.out.get(), data, size)
                                          : ::send(lane.stream.in.get(), data, size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return false;
    if (count < 0) {
      if (!lane.blocked) watch_for_room(lane, true);
      return true;
    }
    lane.written += static_cast<std::size_t>(count);
  }
  lane.out.clear();
  lane.written = 0;
  if (lane.blocked) watch_for_room(lane, false);
  return true;
}

// Begins or ends to be told when there is room to write.
void StreamClient::watch_for_room(Lane& lane, bool blocked) {
  lane.blocked = blocked;
  const auto index = static_cast<std::uint64_t>(&lane - lanes_.data());
  if (lane.stream.out) {
    if (blocked) {
      epoll_.add(lane.stream.out.get(), EPOLLOUT, index | is_output);
    } else {
      epoll_.remove(lane.stream.out.get());
    }
  } else {
    epoll_.modify(lane.stream.in.get(), blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, index);
  }
}

// ---- The end -------------------------------------------------------------------------------

// Takes the stream out of service and answers its open calls.
void StreamClient::fail(Lane& lane, Sink& sink) {
  lane.broken = true;
  regroup(lane);
  lane.stream.in = Fd();
  lane.stream.out = Fd();
  const Clock::time_point now = Clock::now();
  while (lane.open > 0) {
    const bool sent = lane.open > lane.unsent;
    if (!sent) --lane.unsent;
    const Call call = take_oldest(lane);
    sink.on_reply(call.id, {.operation = call.operation, .error = Error::unavailable},
                  {.sent_at = sent ? call.sent_at : now, .received_at = now});
    ++handed_over_;
  }
}

void StreamClient::answer_refused(Sink& sink) {
  // What is refused while these are answered waits for the next poll.
  std::swap(refused_, refused_in_turn_);
  for (const Call& call : refused_in_turn_) {
    sink.on_reply(call.id, {.operation = call.operation, .error = Error::unavailable},
                  {.sent_at = call.sent_at, .received_at = Clock::now()});
    ++handed_over_;
  }
  refused_in_turn_.clear();
}

void StreamClient::end_children() {
  for (Lane& lane : lanes_) {
    lane.stream.out = Fd();  // Their input ends; so do they, if they are well.
    lane.stream.in = Fd();
  }
  const Clock::time_point deadline = Clock::now() + children_end_max;
  for (Lane& lane : lanes_) {
    const pid_t child = std::exchange(lane.stream.child, -1);
    if (child <= 0) continue;
    while (::waitpid(child, nullptr, WNOHANG) == 0) {
      if (Clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
      break;
    }
  }
}

// ---- Opening -------------------------------------------------------------------------------

namespace {

struct AddressList {
  addrinfo* first = nullptr;
  ~AddressList() {
    if (first) ::freeaddrinfo(first);
  }
};

// Connects to one address until `deadline`; returns 0 or what went wrong, as errno says it.
int connect_until(int socket, const addrinfo& address, Clock::time_point deadline) {
  if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  pollfd writable{.fd = socket, .events = POLLOUT, .revents = 0};
  for (;;) {
    const timespec timeout = time_left(deadline);
    const int count = ::ppoll(&writable, 1, &timeout, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  return {.read_end = Fd(ends[0]), .write_end = Fd(ends[1])};
}

void make_non_blocking(const Fd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("fcntl");
}

void keep_sigpipe_from_killing() {
  struct sigaction action{};
  ::sigaction(SIGPIPE, nullptr, &action);
  if (action.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
}

struct Terminal {
  Fd ours;
  Fd theirs;
};

Terminal make_terminal() {
  Terminal terminal{.ours = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), .theirs = Fd()};
  std::array<char, 64> name{};
  if (!terminal.ours || ::grantpt(terminal.ours.get()) != 0 ||
      ::unlockpt(terminal.ours.get()) != 0 ||
      ::ptsname_r(terminal.ours.get(), name.data(), name.size()) != 0) {
    throw_errno("cannot make a pseudo-terminal");
  }
  terminal.theirs = Fd(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios discipline{};
  if (!terminal.theirs || ::tcgetattr(terminal.theirs.get(), &discipline) != 0) {
    throw_errno("cannot open a pseudo-terminal");
  }
  discipline.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
  discipline.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  if (::tcsetattr(terminal.theirs.get(), TCSANOW, &discipline) != 0) throw_errno("tcsetattr");
  return terminal;
}

// Starts a child with these as its stdin and stdout.
pid_t start_child(const std::vector<std::string>& argv, const Fd& input, const Fd& output) {
  assert(!argv.empty());
  keep_sigpipe_from_killing();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  sigset_t reset;
  sigemptyset(&reset);
  sigaddset(&reset, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &reset);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // exec's signature lacks a const.
  }
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, argv.front().c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    throw std::system_error(error, std::system_category(), "cannot start " + argv.front());
  }
  return child;
}

}  // namespace

Fd connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  const std::string target = host + " port " + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  AddressList addresses;
  const int failure =
      ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &addresses.first);
  if (failure != 0) {
    throw std::system_error(std::make_error_code(std::errc::host_unreachable),
                            "cannot resolve " + target + " (" + ::gai_strerror(failure) + ")");
  }
  int error = EADDRNOTAVAIL;
  for (const addrinfo* at = addresses.first; at != nullptr; at = at->ai_next) {
    Fd fd(::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = fd ? connect_until(fd.get(), *at, deadline) : errno;
    if (error != 0) continue;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }
  throw std::system_error(error, std::system_category(), "cannot connect to " + target);
}

Stream spawn_child(const std::vector<std::string>& argv) {
  Pipe to_child = make_pipe();
  Pipe from_child = make_pipe();
  make_non_blocking(to_child.write_end);
  make_non_blocking(from_child.read_end);
  const pid_t child = start_child(argv, to_child.read_end, from_child.write_end);
  return {
      .in = std::move(from_child.read_end), .out = std::move(to_child.write_end), .child = child};
}

Stream spawn_child_on_terminal(const std::vector<std::string>& argv) {
  Terminal terminal = make_terminal();
  make_non_blocking(terminal.ours);
  Fd out(::fcntl(terminal.ours.get(), F_DUPFD_CLOEXEC, 0));
  if (!out) throw_errno("fcntl");
  const pid_t child = start_child(argv, terminal.theirs, terminal.theirs);
  return {.in = std::move(terminal.ours), .out = std::move(out), .child = child};
}

}  // namespace rps::net
