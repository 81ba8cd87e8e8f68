#include "stage3_grpc/boundary/connection_budget.hpp"

namespace rps::rpc::boundary {

std::optional<ConnectionBudget::Place> ConnectionBudget::take(std::size_t beyond) {
  std::size_t taken = taken_.load(std::memory_order_relaxed);
  do {
    if (taken >= max_.load(std::memory_order_relaxed) + beyond) return std::nullopt;
  } while (!taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
  return Place(shared_from_this());
}

std::optional<std::size_t> ConnectionBudget::open() const {
  if (!is_counting_.load(std::memory_order_relaxed)) return std::nullopt;
  return taken_.load(std::memory_order_relaxed);
}

}  // namespace rps::rpc::boundary
