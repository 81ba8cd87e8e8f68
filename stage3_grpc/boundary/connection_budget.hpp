// How many connections are open, and how many may be. A connection takes a place when it is
// accepted and gives it back when gRPC closes its descriptor.
//
// gRPC does not report when it closes a connection, so the place stands in a filter (PlaceFilter),
// which is destroyed with the descriptor. Connections may be closed after their server, so a place
// keeps its budget alive.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "stage3_grpc/boundary/socket_calls.hpp"

namespace rps::rpc::boundary {

// Every function may be called from any thread. Owned by std::shared_ptr.
class ConnectionBudget : public std::enable_shared_from_this<ConnectionBudget> {
 public:
  // One connection's place, for as long as this object lives.
  class Place {
   public:
    Place(Place&&) noexcept = default;
    Place& operator=(Place other) noexcept {
      std::swap(budget_, other.budget_);
      return *this;
    }
    ~Place() {
      if (budget_) budget_->taken_.fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    friend ConnectionBudget;
    explicit Place(std::shared_ptr<ConnectionBudget> budget) : budget_(std::move(budget)) {}

    std::shared_ptr<ConnectionBudget> budget_;  // None once it was moved from.
  };

  explicit ConnectionBudget(std::size_t max) : max_(max) {}

  // Nothing when as many places are taken as may be and `beyond` more.
  std::optional<Place> take(std::size_t beyond = 0);

  // How many may be open from now on. When more are open, they stay, and no place is given until
  // enough of them have gone.
  void set_max(std::size_t max) { max_.store(max, std::memory_order_relaxed); }

  // Filters do not work in this process (self_check.hpp), so nothing tells when a connection ends:
  // each place is given back at once, which leaves no limit but the process's limit of descriptors.
  void stop_counting() { is_counting_.store(false, std::memory_order_relaxed); }

  // How many connections are open; nothing when they are not counted.
  std::optional<std::size_t> open() const;

 private:
  std::atomic<std::size_t> max_;
  std::atomic<std::size_t> taken_{0};
  std::atomic<bool> is_counting_{true};
};

// Holds the place of the connection that reads and writes through `socket`.
class PlaceFilter final : public SocketFilter {
 public:
  PlaceFilter(ConnectionBudget::Place place, std::unique_ptr<SocketFilter> socket)
      : place_(std::move(place)), socket_(std::move(socket)) {}

  ssize_t receive(int fd, msghdr& message, int flags) override {
    return socket_->receive(fd, message, flags);
  }
  ssize_t send(int fd, const msghdr& message, int flags) override {
    return socket_->send(fd, message, flags);
  }
  void before_shutdown() override { socket_->before_shutdown(); }

 private:
  const ConnectionBudget::Place place_;
  const std::unique_ptr<SocketFilter> socket_;
};

}  // namespace rps::rpc::boundary
