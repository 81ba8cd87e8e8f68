#include "stage3_grpc/boundary/serving_threads.hpp"

#include <cassert>
#include <utility>

#include <grpc/grpc.h>
#include <grpc/support/cpu.h>
#include <grpc/support/time.h>
#include <grpcpp/completion_queue.h>

#include "core/net/thread.hpp"
#include "core/server/cpus.hpp"
#include "stage3_grpc/boundary/busy_poll.hpp"

// grpc::CompletionQueue::CallbackAlternativeCQ() and ReleaseCallbackAlternativeCQ(), as the linker
// knows them, and two functions of gpr.
grpc::CompletionQueue* real_take_queue() asm(
    "__real__ZN4grpc15CompletionQueue21CallbackAlternativeCQEv");
grpc::CompletionQueue* wrap_take_queue() asm(
    "__wrap__ZN4grpc15CompletionQueue21CallbackAlternativeCQEv");
void real_give_back_queue(grpc::CompletionQueue* queue) asm(
    "__real__ZN4grpc15CompletionQueue28ReleaseCallbackAlternativeCQEPS0_");
void wrap_give_back_queue(grpc::CompletionQueue* queue) asm(
    "__wrap__ZN4grpc15CompletionQueue28ReleaseCallbackAlternativeCQEPS0_");
extern "C" {
unsigned wrap_num_cores() asm("__wrap_gpr_cpu_num_cores");
unsigned real_current_cpu() asm("__real_gpr_cpu_current_cpu");
unsigned wrap_current_cpu() asm("__wrap_gpr_cpu_current_cpu");
}

namespace rps::rpc::boundary {

namespace {

thread_local ServingThreads* for_server_built_here = nullptr;

struct Queue final : grpc::CompletionQueue {
  explicit Queue(ServingThreads& threads) : owner(threads) {}

  ServingThreads& owner;
};

// Runs the callbacks of the events, as the library's own threads do, until the queue is shut down.
void serve(grpc_completion_queue* queue, Clock::duration busy_poll) {
  set_busy_poll_of_this_thread(busy_poll);
  while (true) {
    const grpc_event event =
        grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr);
    if (event.type == GRPC_QUEUE_SHUTDOWN) return;
    if (event.type != GRPC_OP_COMPLETE) continue;
    auto* const callback = static_cast<grpc_completion_queue_functor*>(event.tag);
    callback->functor_run(callback, event.success);
  }
}

}  // namespace

ServingThreads::ServingThreads(unsigned count, Clock::duration busy_poll)
    : queue_(std::make_unique<Queue>(*this)) {
  assert(count > 0);
  try {
    for (unsigned i = 0; i < count; ++i) {
      threads_.push_back(
          start_thread([queue = queue_->cq(), busy_poll] { serve(queue, busy_poll); }));
    }
  } catch (...) {
    stop();
    throw;
  }
}

ServingThreads::~ServingThreads() {
  stop();
}

ServingThreads::Handover::Handover(ServingThreads& threads) {
  for_server_built_here = &threads;
}

ServingThreads::Handover::~Handover() {
  for_server_built_here = nullptr;
}

ServingThreads* ServingThreads::of_server_built_here() {
  return for_server_built_here;
}

grpc::CompletionQueue* ServingThreads::take() {
  assert(!is_taken_);
  is_taken_ = true;
  return queue_.get();
}

// The threads end when the callbacks of all events have run.
void ServingThreads::stop() {
  if (threads_.empty()) return;
  queue_->Shutdown();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace rps::rpc::boundary

namespace boundary = rps::rpc::boundary;

grpc::CompletionQueue* wrap_take_queue() {
  boundary::ServingThreads* const threads = boundary::ServingThreads::of_server_built_here();
  return threads ? threads->take() : real_take_queue();
}

void wrap_give_back_queue(grpc::CompletionQueue* queue) {
  if (auto* const ours = dynamic_cast<boundary::Queue*>(queue)) return ours->owner.stop();
  real_give_back_queue(queue);
}

// gRPC sizes arrays by the first number and finds places in them by the second, so the first must
// never change.
unsigned wrap_num_cores() {
  static const unsigned cpus = rps::server::usable_cpus().count();
  return cpus;
}

unsigned wrap_current_cpu() {
  return real_current_cpu() % wrap_num_cores();
}
