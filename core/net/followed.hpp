// What files hold, read again when it may have changed.
//
// The kernel reports when a file has been written or replaced (file_watch.hpp): that change is
// taken at once. It does not report every change, so the files are also read from time to time.
// What such a look finds may be half written: it is taken when another look, settle_time later,
// finds the same.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <utility>

#include "core/clock.hpp"
#include "core/net/file_watch.hpp"

namespace rps::net {

struct FollowRule {
  Clock::duration look_period;  // Between two looks without a report.
  // For files that only make sense together: a reported change is not taken at once either, because
  // the other files may be written next.
  bool is_of_several_files = false;
};

// `Content` is what the files hold, or why they cannot be read. All functions are called by one
// thread at a time.
template <std::equality_comparable Content>
class Followed {
 public:
  using Read = std::function<Content()>;

  static constexpr std::chrono::seconds settle_time{1};

  // `read` reads what `paths` lead to, and does not throw. The first content is `known`, if it was
  // read before: then the first poll() compares it with the files.
  Followed(const FileWatch::Paths& paths, Read read, FollowRule rule, Clock::time_point now,
           std::optional<Content> known = std::nullopt)
      : rule_(rule),
        read_(std::move(read)),
        watch_(paths),  // Before the first reading, so that no change is missed.
        look_at_(known ? now : now + rule.look_period),
        content_(known ? *std::move(known) : read_()) {}

  // As it was taken last.
  const Content& content() const { return content_; }

  // Readable when poll() has something to do; the same at all times, -1 if that is never known.
  int fd() const { return watch_.fd(); }

  // When poll() is to be called at the latest.
  Clock::time_point due() const { return look_at_; }

  // Reads the files if they may have changed. True when it has taken another content.
  bool poll(Clock::time_point now) {
    const bool is_told = watch_.poll();
    if (!is_told && now < look_at_) return false;
    look_at_ = now + rule_.look_period;
    Content fresh = read_();
    const bool is_complete = is_told && !rule_.is_of_several_files;
    if (is_complete || fresh == content_ || suspect_ == fresh) return take(std::move(fresh));
    suspect_ = std::move(fresh);
    look_at_ = now + std::min<Clock::duration>(rule_.look_period, settle_time);
    return false;
  }

  // Reads the files and takes what they hold at once. True when that is another content, or the one
  // that was rejected.
  bool reread() {
    watch_.poll();  // What it has to tell is looked at now.
    const bool was_rejected = std::exchange(is_rejected_, false);
    return take(read_()) || was_rejected;
  }

  // Says that the content cannot be used.
  void reject() { is_rejected_ = true; }

 private:
  bool take(Content fresh) {
    suspect_.reset();
    if (fresh == content_) return false;
    content_ = std::move(fresh);
    is_rejected_ = false;
    watch_.renew();  // It watches other folders if nothing was reported.
    return true;
  }

  const FollowRule rule_;
  const Read read_;
  FileWatch watch_;
  Clock::time_point look_at_;
  Content content_;
  bool is_rejected_ = false;        // content_ is.
  std::optional<Content> suspect_;  // What a look found that may not be complete.
};

}  // namespace rps::net
