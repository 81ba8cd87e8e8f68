// Watches what a path leads to: the file's bytes, and which file stands under the name.
//
// A path may lead through symbolic links, as in a mounted ConfigMap of Kubernetes, where
// `services.json` links to `..data/services.json`, and `..data` to a folder with a date. There a
// new version is a new folder, and only the link `..data` is replaced. So for every link of the
// path and for the file itself the folder in which it stands is watched (inotify) for events of its
// name. A folder is watched, not the file, because editors replace a file by a new one.
//
// Not reported: a folder of the path that is itself moved away, and changes that the kernel does
// not report, as on a network file system. A user therefore also looks from time to time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "core/net/fd.hpp"

namespace rps::net {

class FileWatch {
 public:
  // `path` need not exist. When the kernel has no watch to spare, nothing is reported.
  explicit FileWatch(const std::filesystem::path& path);

  // Readable when poll() has something to do; the same for as long as this lives, -1 for none.
  int fd() const { return inotify_.get(); }

  // Whether the path may lead to other bytes since the last call. Does not wait.
  bool poll();

 private:
  using Names = std::set<std::string>;
  using Places = std::map<std::filesystem::path, Names>;  // Names to watch, by their folder.

  static Places places_of(const std::filesystem::path& path);
  void watch();
  bool concerns(int watch, std::uint32_t mask, const std::string& name) const;

  struct Watched {
    std::filesystem::path folder;
    Names names;
  };

  std::filesystem::path path_;  // Absolute.
  Fd inotify_;
  std::map<int, Watched> watches_;  // By the kernel's number of the watch.
};

}  // namespace rps::net
