#include "core/net/file_watch.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <list>
#include <system_error>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

namespace rps::net {

namespace {

namespace fs = std::filesystem;

// Whatever may put another file or link under the name, or bytes into the file.
constexpr std::uint32_t watched_events =
    IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

constexpr int links_max = 40;       // As many as the kernel follows.
constexpr int watch_tries_max = 8;  // How often a path that changes meanwhile is looked at again.

}  // namespace

FileWatch::FileWatch(const Paths& paths) : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  for (const fs::path& path : paths) {
    if (!path.empty()) paths_.push_back(fs::absolute(path));
  }
  renew();
}

// Follows the path as the kernel does. `folder` is always a folder without links.
void FileWatch::add_places(Places& places, const fs::path& path) {
  fs::path folder = path.root_path();
  const fs::path relative = path.relative_path();
  std::list<fs::path> left(relative.begin(), relative.end());
  int links = 0;
  while (!left.empty()) {
    const fs::path name = left.front();
    left.pop_front();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      folder = folder.parent_path();
      continue;
    }
    std::error_code failure;
    const fs::path target = fs::read_symlink(folder / name, failure);
    if (!failure) {
      places[folder].insert(name);
      if (++links > links_max) break;
      if (target.is_absolute()) folder = target.root_path();
      const fs::path steps = target.relative_path();
      left.insert(left.begin(), steps.begin(), steps.end());
    } else if (left.empty() || !fs::is_directory(folder / name, failure)) {
      places[folder].insert(name);
      break;
    } else {
      folder /= name;
    }
  }
}

FileWatch::Places FileWatch::places() const {
  Places places;
  for (const fs::path& path : paths_) add_places(places, path);
  return places;
}

// A link may be replaced between the look at a path and the watch on the link's folder, so the
// paths are looked at again.
void FileWatch::renew() {
  if (!inotify_) return;
  std::map<int, Watched> watches;
  Places wanted = places();
  for (int i = 0; i < watch_tries_max; ++i) {
    watches.clear();
    for (const auto& [folder, names] : wanted) {
      const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), watched_events);
      if (watch >= 0) watches[watch] = {.folder = folder, .names = names};
    }
    if (wanted == std::exchange(wanted, places())) break;
  }
  for (const auto& [watch, watched] : watches_) {
    if (!watches.contains(watch)) ::inotify_rm_watch(inotify_.get(), watch);
  }
  watches_ = std::move(watches);
}

bool FileWatch::poll() {
  bool is_told = false;
  alignas(inotify_event) std::array<char, 4096> bytes;
  for (;;) {
    const ssize_t size = inotify_ ? ::read(inotify_.get(), bytes.data(), bytes.size()) : -1;
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, bytes.data() + at, sizeof event);
      const char* const name = event.len > 0 ? bytes.data() + at + sizeof event : "";  // Ends in 0.
      is_told |= concerns(event.wd, event.mask, name);
      at += sizeof event + event.len;
    }
  }
  if (is_told) renew();
  return is_told;
}

// A lost event concerns everybody; so does that a folder with a name of ours is gone. A file that
// was only created is still empty: the end of its writing is reported as well.
bool FileWatch::concerns(int watch, std::uint32_t mask, const std::string& name) const {
  if ((mask & IN_Q_OVERFLOW) != 0) return true;
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return false;
  if ((mask & IN_IGNORED) != 0) return true;
  const Watched& watched = found->second;
  if (!watched.names.contains(name)) return false;
  std::error_code failure;
  const fs::path entry = watched.folder / name;
  return (mask & IN_CREATE) == 0 || !fs::is_regular_file(fs::symlink_status(entry, failure));
}

}  // namespace rps::net
