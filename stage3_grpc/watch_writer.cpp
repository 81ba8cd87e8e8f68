#include "stage3_grpc/watch_writer.hpp"

#include <utility>

#include "core/net/thread.hpp"

namespace rps::rpc {

WatchWriter::WatchWriter()
    : thread_(start_thread<std::jthread>([this](const std::stop_token& stop) { run(stop); })) {}

void WatchWriter::add(std::shared_ptr<Stream> stream) {
  const std::scoped_lock lock(mutex_);
  waiting_.push_back(std::move(stream));
  if (waiting_.size() == 1) added_.notify_one();
}

void WatchWriter::run(const std::stop_token& stop) {
  std::vector<std::shared_ptr<Stream>> taken;
  std::unique_lock lock(mutex_);
  while (added_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    taken.swap(waiting_);
    lock.unlock();
    for (const std::shared_ptr<Stream>& stream : taken) stream->write_waiting();
    taken.clear();
    lock.lock();
  }
}

}  // namespace rps::rpc
