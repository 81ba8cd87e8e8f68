// The threads that run the calls of a server.
//
// The events of gRPC's callback API come from one completion queue. The library itself polls it
// with half as many threads as CPUs are configured in the machine, at least 2 and at most 16,
// whatever the process may use (CallbackAlternativeCQ in completion_queue_cc.cc of gRPC 1.51). One
// thread of them polls; when an event has come it wakes the next to poll, and runs the callback.
// With one call at a time this takes seven context switches a call.
//
// So the linker's --wrap puts functions of ours in place of the two by which a server gets that
// queue and gives it back, and a server gets the queue of a ServingThreads. One thread is an event
// loop: it polls, reads, runs the callback and sends, with one context switch a call at most.
// gRPC's other pools follow what the process may use, because gpr_cpu_num_cores() is wrapped, too:
// it returns the CPUs of core/server/cpus.hpp.
//
// Sources: the figures are measured, docs/decisions/015-serving-threads.md.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "core/clock.hpp"

namespace grpc {
class CompletionQueue;
}

namespace rps::rpc::boundary {

class ServingThreads {
 public:
  // Starts `count` threads. Each polls busily for up to `busy_poll` before it sleeps
  // (busy_poll.hpp). Throws std::system_error when the system has no thread left.
  ServingThreads(unsigned count, Clock::duration busy_poll);

  // REQUIRES: the server is gone.
  ~ServingThreads();

  ServingThreads(const ServingThreads&) = delete;
  ServingThreads& operator=(const ServingThreads&) = delete;

  // While it lives, the server that is built on the thread that made it gets these threads: one
  // server, which must go before the ServingThreads. Its shutdown ends the threads.
  class Handover {
   public:
    explicit Handover(ServingThreads& threads);
    ~Handover();
    Handover(const Handover&) = delete;
    Handover& operator=(const Handover&) = delete;
  };

  // Whether a server has taken the threads. If none has although one was built, gRPC does not call
  // the functions that are wrapped, and has threads of its own.
  bool is_taken() const { return is_taken_; }

  // What the wrapped functions do.
  static ServingThreads* of_server_built_here();
  grpc::CompletionQueue* take();
  void stop();

 private:
  const std::unique_ptr<grpc::CompletionQueue> queue_;
  std::vector<std::thread> threads_;
  bool is_taken_ = false;
};

}  // namespace rps::rpc::boundary
