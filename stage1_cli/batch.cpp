#include "stage1_cli/batch.hpp"

#include <cerrno>
#include <system_error>
#include <vector>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/net/file.hpp"
#include "stage1_cli/limits.hpp"
#include "stage1_cli/line_protocol.hpp"

namespace rps::cli {

// Keeps the events of one request until its reply is written.
class Batch::EventLines final : public EventSink {
 public:
  void on_event(const Event& event) override { append_event(event, lines_); }

  void move_to(std::string& out) {
    out += lines_;
    lines_.clear();
  }

 private:
  std::string lines_;
};

Batch::Batch(Game& game)
    : game_(game), events_(std::make_shared<EventLines>()), caller_(game, events_) {}

Batch::~Batch() {
  caller_.disconnect(now_);
}

bool Batch::feed(std::string_view bytes, Clock::time_point now, std::string& out) {
  now_ = now;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const bool is_whole = end != std::string_view::npos;
    const std::string_view part = bytes.substr(0, end);
    if (begun_.size() + part.size() > limits::line_bytes_max) {
      append_error(Error::too_large, 0, out);
      return false;
    }
    if (!is_whole) {
      begun_ += part;
      return true;
    }
    bytes.remove_prefix(end + 1);
    if (begun_.empty()) {
      answer(part, out);
    } else {
      begun_ += part;
      answer(begun_, out);
      begun_.clear();
    }
  }
  return true;
}

void Batch::finish(Clock::time_point now, std::string& out) {
  now_ = now;
  answer(begun_, out);
  begun_.clear();
}

void Batch::answer(std::string_view line, std::string& out) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (is_blank(line)) return;
  const auto command = parse_command(line);
  if (!command) return append_error(command.error(), 0, out);
  append_reply(game_.handle(*command, caller_, now_), out);
  events_->move_to(out);
}

namespace {

std::unexpected<std::string> cannot(const std::string& what, const std::error_code& why) {
  return std::unexpected("cannot " + what + ": " + why.message());
}

// The other end may have made the pipe non-blocking; waiting is right all the same.
bool wait_again(int input) {
  if (errno == EINTR) return true;
  if (errno != EAGAIN) return false;
  pollfd ready{.fd = input, .events = POLLIN, .revents = 0};
  ::poll(&ready, 1, -1);
  return true;
}

// A terminal that hangs up ends the input; the same error from a file is a fault of the disk.
bool has_hung_up(int input) {
  struct stat about{};
  return errno == EIO && ::fstat(input, &about) == 0 && S_ISCHR(about.st_mode);
}

}  // namespace

std::expected<int, std::string> run_batch(Game& game, int input, int output) {
  Batch batch(game);
  std::vector<char> bytes(limits::read_bytes);
  std::string out;
  for (;;) {
    ssize_t count = ::read(input, bytes.data(), bytes.size());
    if (count < 0 && wait_again(input)) continue;
    if (count < 0 && has_hung_up(input)) count = 0;
    const std::error_code unread(count < 0 ? errno : 0, std::system_category());
    const Clock::time_point now = Clock::now();
    const bool go_on =
        count > 0 && batch.feed({bytes.data(), static_cast<std::size_t>(count)}, now, out);
    if (count <= 0) batch.finish(now, out);
    if (const std::error_code unwritten = net::write_all(output, out)) {
      return cannot("write to stdout", unwritten);
    }
    if (unread) return cannot("read stdin", unread);
    if (!go_on) return count == 0 ? 0 : 1;
    out.clear();
  }
}

}  // namespace rps::cli
