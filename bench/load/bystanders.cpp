#include "bench/load/bystanders.hpp"

#include <chrono>
#include <stdexcept>

#include <sys/socket.h>

#include "bench/load/limits.hpp"
#include "core/net/endpoint.hpp"
#include "core/net/thread.hpp"
#include "core/url.hpp"
#if RPS_HAVE_STAGE2
#include "bench/load/clients/jsonrpc_lean.hpp"
#endif

namespace rps::load {

namespace {

// The header of a frame; the rest comes byte by byte.
constexpr std::size_t bytes_at_once = 5;

class AnswerCounter final : public Sink {
 public:
  void on_reply(std::uint64_t, const Reply& reply, const Stamps&) override {
    ++answered_;
    if (reply.error) ++refused_;
  }
  void on_event(const Event&) override {}

  std::size_t answered() const { return answered_; }
  std::size_t refused() const { return refused_; }

 private:
  std::size_t answered_ = 0;
  std::size_t refused_ = 0;
};

std::string slow_request([[maybe_unused]] const Url& url) {
#if RPS_HAVE_STAGE2
  if (url.scheme == "jsonrpc" || url.scheme == "jsonrpc+lean") return ready_made_request(url);
#endif
  throw std::invalid_argument("slow connections speak jsonrpc or jsonrpc+lean, not " + url.scheme);
}

}  // namespace

Bystanders::Bystanders(std::string_view url, std::size_t idle, std::size_t slow) {
  if (idle > 0) open_idle(url, idle);
  if (slow > 0) open_slow(url, slow);
}

void Bystanders::open_idle(std::string_view url, std::size_t count) {
  idle_ = connect(url, {.connections = count, .depth = 1, .timeout_max = limits::connect_max});
  for (std::size_t i = 0; i < count; ++i) idle_.client->submit(i, {.move = Move::rock});
  AnswerCounter answers;
  const Clock::time_point deadline = Clock::now() + limits::connect_max;
  while (answers.answered() < count && Clock::now() < deadline) {
    idle_.client->poll(deadline, answers);
  }
  if (answers.answered() < count || answers.refused() > 0) {
    throw std::runtime_error("an idle connection was refused its round, or got no answer");
  }
}

void Bystanders::open_slow(std::string_view text, std::size_t count) {
  const auto url = parse_url(text);
  if (!url) throw std::invalid_argument(url.error());
  request_ = slow_request(*url);
  for (std::size_t i = 0; i < count; ++i) {
    slow_.push_back(net::connect_tcp(url->host, url->port, limits::connect_max));
    ::send(slow_.back().get(), request_.data(), bytes_at_once, MSG_NOSIGNAL);
  }
  sender_ = start_thread<std::jthread>([this](const std::stop_token& stop) {
    const auto pause = std::chrono::microseconds(1'000'000 / slow_.size());
    for (std::size_t i = 0; !stop.stop_requested(); ++i) {
      const std::size_t byte = (bytes_at_once + i / slow_.size()) % request_.size();
      ::send(slow_[i % slow_.size()].get(), &request_[byte], 1, MSG_NOSIGNAL);
      std::this_thread::sleep_for(pause);
    }
  });
}

}  // namespace rps::load
