#include "stage3_grpc/boundary/open_connections.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <tuple>
#include <vector>

#include "stage3_grpc/boundary/accountant.hpp"

namespace rps::rpc::boundary {

namespace {

constexpr std::chrono::milliseconds look_period{10};

// Copied from an accountant, whose values change meanwhile.
struct Candidate {
  // An empty optional is less than any time.
  auto order() const { return std::tuple(served_at, accountant->opened_at()); }

  Accountant* accountant;
  std::optional<Clock::time_point> served_at;
  int weight;
};

// The first `count` in order, sorted.
void sort_first(std::vector<Candidate>& candidates, std::size_t count) {
  const auto middle =
      candidates.begin() + static_cast<std::ptrdiff_t>(std::min(count, candidates.size()));
  std::ranges::partial_sort(candidates, middle, {}, &Candidate::order);
  candidates.erase(middle, candidates.end());
}

}  // namespace

void OpenConnections::add(Accountant& accountant) {
  const std::scoped_lock lock(mutex_);
  accountants_.try_emplace(&accountant);
}

void OpenConnections::remove(Accountant& accountant) {
  const std::scoped_lock lock(mutex_);
  accountants_.erase(&accountant);
}

bool OpenConnections::close_idle(std::size_t count, Clock::time_point since) {
  const std::scoped_lock lock(mutex_);
  std::vector<Candidate> idle;
  std::size_t closing = 0;
  for (const auto& [accountant, dismissed_at] : accountants_) {
    const auto served_at = accountant->served_at();
    if (accountant->is_cut()) {
      ++closing;
    } else if (accountant->open_weight() == 0 && (!served_at || *served_at <= since)) {
      idle.push_back({.accountant = accountant, .served_at = served_at, .weight = 0});
    }
  }
  sort_first(idle, count);
  for (const Candidate& candidate : idle) candidate.accountant->cut(Breach::gave_way);
  return closing != 0 || !idle.empty();
}

void OpenConnections::close_longest_waiting(Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  if (now - looked_at_ < look_period) return;
  looked_at_ = now;
  std::vector<Candidate> waiting;
  int weight = 0;
  for (const auto& [accountant, dismissed_at] : accountants_) {
    const int open = accountant->open_weight();
    if (open == 0 || accountant->is_cut()) continue;
    weight += open;
    waiting.push_back(
        {.accountant = accountant, .served_at = accountant->served_at(), .weight = open});
  }
  if (weight < calls_->weight_max()) return;
  sort_first(waiting, waiting.size());
  const int enough = calls_->weight_max() - calls_->weight_max() / 16;
  for (const Candidate& candidate : waiting) {
    if (weight <= enough) return;
    candidate.accountant->cut(Breach::longest_wait);
    weight -= candidate.weight;
  }
}

void OpenConnections::end_idle(Clock::time_point now, Clock::duration idle_max) {
  const std::scoped_lock lock(mutex_);
  for (auto& [accountant, dismissed_at] : accountants_) {
    // In this order: a call that came before the acknowledgement is then in the weight, or over.
    const bool has_heard = accountant->has_heard_goodbye();
    if (accountant->open_weight() != 0) continue;
    if (now - accountant->served_at().value_or(accountant->opened_at()) < idle_max) continue;
    accountant->say_goodbye();
    if (!dismissed_at) {
      dismissed_at = now;
    } else if (has_heard || now - *dismissed_at >= idle_max) {
      accountant->cut(Breach::idle);
    }
  }
}

// An accountant knows of a call before gRPC does, and until gRPC has sent the end of its answer. So
// a call that came before the peer heard the goodbye is either seen here or over.
bool OpenConnections::say_goodbye() {
  const std::scoped_lock lock(mutex_);
  bool have_all_left = true;
  for (const auto& [accountant, dismissed_at] : accountants_) {
    if (accountant->is_cut()) continue;
    accountant->say_goodbye();
    if (!accountant->has_heard_goodbye() || accountant->open_weight() != 0) have_all_left = false;
  }
  return have_all_left;
}

void OpenConnections::close_unfinished() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [accountant, dismissed_at] : accountants_) {
    if (!accountant->has_heard_goodbye() || accountant->open_weight() != 0) accountant->close();
  }
}

}  // namespace rps::rpc::boundary
