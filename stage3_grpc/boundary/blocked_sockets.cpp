#include "stage3_grpc/boundary/blocked_sockets.hpp"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace rps::rpc::boundary {

namespace {

class BlockedSockets {
 public:
  void add(std::shared_ptr<BlockedSocket> socket) {
    const std::lock_guard lock(mutex_);
    sockets_.push_back(std::move(socket));
    count_.store(sockets_.size(), std::memory_order_relaxed);
  }

  void remove(const BlockedSocket* socket) {
    const std::lock_guard lock(mutex_);
    std::erase_if(sockets_, [socket](const auto& each) { return each.get() == socket; });
    count_.store(sockets_.size(), std::memory_order_relaxed);
  }

  std::vector<std::shared_ptr<BlockedSocket>> all() const {
    if (count_.load(std::memory_order_relaxed) == 0) return {};
    const std::lock_guard lock(mutex_);
    return sockets_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<BlockedSocket>> sockets_;
  std::atomic<std::size_t> count_{0};
};

// Threads of gRPC outlive the server, so this is never destroyed.
BlockedSockets& blocked_sockets() {
  static auto* const sockets = new BlockedSockets;
  return *sockets;
}

}  // namespace

void BlockedSocket::set_blocked(bool blocked) {
  if (std::exchange(is_blocked_, blocked) == blocked) return;
  if (blocked) {
    blocked_sockets().add(shared_from_this());
  } else {
    blocked_sockets().remove(this);
  }
}

void flush_blocked_sockets() {
  for (const auto& socket : blocked_sockets().all()) socket->flush();
}

}  // namespace rps::rpc::boundary
