#include "stage3_grpc/watch_writer.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/catch.hpp"

using namespace rps::rpc;

namespace {

struct Counted final : WatchWriter::Stream {
  void write_waiting() override {
    writer = std::this_thread::get_id();
    ++written;
    written.notify_one();
  }

  std::thread::id writer;
  std::atomic<int> written{0};
};

}  // namespace

TEST_CASE("A stream that is added is written on the writer's thread") {
  WatchWriter writer;
  const auto stream = std::make_shared<Counted>();
  for (int i = 0; i < 3; ++i) {
    writer.add(stream);
    stream->written.wait(i);
  }
  CHECK(stream->written == 3);
  CHECK(stream->writer != std::this_thread::get_id());
}

TEST_CASE("What many threads add is written before the writer ends") {
  std::optional<WatchWriter> writer(std::in_place);
  const auto stream = std::make_shared<Counted>();
  std::vector<std::jthread> players;
  for (int t = 0; t < 4; ++t) {
    players.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) writer->add(stream);
    });
  }
  players.clear();
  writer.reset();
  CHECK(stream->written == 4'000);
  CHECK(stream.use_count() == 1);
}
