#include "bench/load/clients/spawn.hpp"

#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <deque>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/load/clients/parameters.hpp"
#include "core/net/child.hpp"
#include "core/net/event_loop.hpp"
#include "core/net/fd.hpp"
#include "core/net/input_buffer.hpp"
#include "core/net/loop_client.hpp"
#include "stage1_cli/client.hpp"

namespace rps::load {

namespace {

// A call and its process.
struct Child {
  explicit Child(std::uint32_t index) : entry(index) {}

  std::uint64_t id = 0;
  Operation operation = Operation::play;
  Clock::time_point sent_at;
  pid_t pid = -1;  // -1 while there is none.
  net::Fd ended;   // Readable when the process has ended.
  net::EventLoop::Entry entry;
  net::Fd from;  // Its stdout.
  net::InputBuffer in;
};

class SpawnClient final : public net::LoopClient {
 public:
  SpawnClient(SpawnOptions options, std::size_t children_max) : options_(std::move(options)) {
    for (std::uint32_t i = 0; i < children_max; ++i) {
      children_.emplace_back(i);
      idle_.push_back(i);
    }
  }

  ~SpawnClient() override {
    for (const Child& child : children_) {
      if (child.pid < 0) continue;
      ::kill(child.pid, SIGKILL);
      ::waitpid(child.pid, nullptr, 0);
    }
  }

  SpawnClient(const SpawnClient&) = delete;
  SpawnClient& operator=(const SpawnClient&) = delete;

  void submit(std::uint64_t id, const Command& command) override {
    assert(!idle_.empty());
    const std::uint32_t index = idle_.back();
    idle_.pop_back();
    Child& child = children_[index];
    child.id = id;
    child.operation = command.operation;
    child.sent_at = Clock::now();
    if (start(child, command)) return;
    idle_.push_back(index);
    refuse(id, command.operation, Error::unavailable);
  }

  std::size_t in_flight_max() const override { return children_.size(); }

 private:
  // False when the system does not give what a child needs; whatever was begun is undone.
  bool start(Child& child, const Command& command) {
    try {
      net::Stream stream = net::spawn_child(options_.argv);
      child.pid = stream.child;
      child.from = std::move(stream.in);
      child.in.clear();
      child.ended = net::Fd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
      if (child.ended && loop().add(child.entry, child.ended.get(), child.ended.get())) {
        ask(stream.out, command);
        return true;
      }
      ::kill(child.pid, SIGKILL);
      reap(child);
      return false;
    } catch (const std::system_error&) {
      return false;  // As if nobody had answered.
    }
  }

  // A new pipe has room for a request. A child that does not read it ends without a reply.
  void ask(const net::Fd& to, const Command& command) {
    if (!options_.codec) return;
    request_.clear();
    options_.codec->encode(1, command, request_);
    (void)!::write(to.get(), request_.data(), request_.size());
  }

  static bool reap(Child& child) {
    int status = 0;
    ::waitpid(std::exchange(child.pid, -1), &status, 0);
    child.ended = net::Fd();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  // The process has ended.
  void on_input(std::uint32_t index) override {
    Child& child = children_[index];
    // Closing it would not be enough: a child that is just being started holds it until its exec.
    loop().remove(child.entry);
    const bool is_well = reap(child);
    const Clock::time_point received_at = Clock::now();
    const std::optional<Reply> reply = is_well ? read_reply(child) : std::nullopt;
    child.from = net::Fd();
    // The reply may point into the child's buffer, which its next call clears but does not move.
    const Reply unavailable{.operation = child.operation, .error = Error::unavailable};
    idle_.push_back(index);
    hand_over(
        child.id, reply ? *reply : unavailable,
        {.sent_at = child.sent_at, .received_at = received_at, .is_answered = reply.has_value()});
  }

  void on_output(std::uint32_t) override {}

  std::optional<Reply> read_reply(Child& child) {
    if (!options_.codec) return Reply{};
    using Arrival = net::InputBuffer::Arrival;
    while (child.in.read_from(child.from) == Arrival::bytes) {
    }
    const net::WireCodec::Expected expected{.operation = child.operation, .sequence = 1};
    Reply reply;
    Event event;
    std::size_t consumed = 0;
    const std::string_view bytes = child.in.bytes();
    if (bytes.empty()) return std::nullopt;
    const auto outcome = options_.codec->decode(bytes, &expected, consumed, reply, event);
    const bool is_one = outcome == net::WireCodec::Outcome::reply && consumed == bytes.size();
    return is_one ? std::optional(reply) : std::nullopt;
  }

  SpawnOptions options_;
  std::deque<Child> children_;
  std::vector<std::uint32_t> idle_;
  std::string request_;
};

}  // namespace

std::unique_ptr<Client> connect_spawn(SpawnOptions options, const ConnectOptions& connect) {
  if (::access(options.argv.front().c_str(), X_OK) != 0) {
    throw std::system_error(errno, std::system_category(), "cannot start " + options.argv.front());
  }
  return std::make_unique<SpawnClient>(std::move(options), connect.connections * connect.depth);
}

std::unique_ptr<Client> connect_cli_spawn(const Url& url, const ConnectOptions& options) {
  return connect_spawn({.argv = cli::arguments_of(url), .codec = cli::make_codec()}, options);
}

void check_bare_spawn(const Url& url) {
  check_is_file(url);
  check_parameters(url, {});
}

std::unique_ptr<Client> connect_bare_spawn(const Url& url, const ConnectOptions& options) {
  check_bare_spawn(url);
  return connect_spawn({.argv = {url.path}, .codec = nullptr}, options);
}

}  // namespace rps::load
