#include "stage3_grpc/boundary/frame_cutter.hpp"

#include <cstddef>
#include <span>
#include <tuple>
#include <vector>

#include "tests/catch.hpp"
#include "tests/stage3_grpc/boundary/frames.hpp"

using namespace rps::rpc::boundary;

namespace {

// Length, type, flags and stream.
using Seen = std::vector<std::tuple<std::uint32_t, std::uint8_t, std::uint8_t, std::uint32_t>>;

class Reader {
 public:
  explicit Reader(std::uint32_t preface_bytes) : cutter_(preface_bytes) {}

  void read(std::span<const std::uint8_t> bytes) {
    cutter_.cut(bytes, [this](const Frame& frame) {
      seen.emplace_back(frame.length, frame.type, frame.flags, frame.stream);
    });
  }

  Seen seen;

 private:
  FrameCutter cutter_;
};

const Bytes conversation = frame(Frame::settings, 12) + frame(Frame::ping, 8, 1) +
                           frame(Frame::headers, 70, 4, 0x7654'3210) + frame(Frame::data, 0, 1) +
                           frame(0xff, 1, 0xff, 0xffff'ffff) + frame(Frame::continuation, 300);
// The first bit of a stream's number means nothing.
const Seen frames_of_it{{12, Frame::settings, 0, 1},          {8, Frame::ping, 1, 1},
                        {70, Frame::headers, 4, 0x7654'3210}, {0, Frame::data, 1, 1},
                        {1, 0xff, 0xff, 0x7fff'ffff},         {300, Frame::continuation, 0, 1}};

}  // namespace

TEST_CASE("Frames are found however their bytes are split in two") {
  const Bytes bytes = preface() + conversation;
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    Reader reader(FrameCutter::client_preface_bytes);
    reader.read(std::span(bytes).first(split));
    reader.read(std::span(bytes).subspan(split));
    REQUIRE(reader.seen == frames_of_it);
  }
}

TEST_CASE("Frames are found byte by byte, and without a preface") {
  Reader reader(0);
  for (const std::uint8_t byte : conversation) reader.read(std::span(&byte, 1));
  CHECK(reader.seen == frames_of_it);
}

TEST_CASE("A frame is told of as soon as its header is complete") {
  const Bytes bytes = frame(Frame::headers, 0xffffff);
  Reader reader(0);
  reader.read(std::span(bytes).first(8));
  CHECK(reader.seen.empty());
  reader.read(std::span(bytes).subspan(8, 1));
  CHECK(reader.seen == Seen{{0xffffff, Frame::headers, 0, 1}});
}
