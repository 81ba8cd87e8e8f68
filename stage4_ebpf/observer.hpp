// The BPF programs that count for this process. They run while the Observer object lives.
#pragma once

#include <expected>
#include <memory>

#include "stage4_ebpf/diagnosis.hpp"
#include "stage4_ebpf/reading.hpp"

namespace spdlog {
class logger;
}

namespace rps::observe {

class Observer {
 public:
  // Observes every TCP socket that this process makes listen from now on, and the connections that
  // come from it; sockets that listen already are not touched. The error is a sentence for a
  // person. `log` gets libbpf's own messages, at level debug, and is
  // not kept. Call from one thread at a time: libbpf has one log for the process.
  static std::expected<Observer, Reason> attach(spdlog::logger& log);

  // Detaches. Nothing is pinned: the kernel does the same when the process is killed.
  ~Observer();
  Observer(Observer&&) noexcept;
  Observer& operator=(Observer&&) noexcept;

  // The counts so far; monotonic. Any thread. Needs no privilege.
  Reading read() const;

 private:
  struct Impl;
  explicit Observer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace rps::observe
