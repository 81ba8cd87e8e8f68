// Watches what paths lead to: the bytes of the files, and which file stands under each name.
//
// A path may lead through symbolic links, as in a mounted ConfigMap of Kubernetes, where
// `services.json` links to `..data/services.json`, and `..data` to a folder with a date. There a
// new version is a new folder, and only the link `..data` is replaced. So for every link of the
// path and for the file itself the folder in which it stands is watched (inotify) for events of its
// name. A folder is watched, not the file, because editors replace a file by a new one.
//
// Not reported: a folder of the path that is itself moved away, and changes that the kernel does
// not report, as on a network file system. A user therefore also looks from time to time
// (followed.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/net/fd.hpp"

namespace rps::net {

class FileWatch {
 public:
  using Paths = std::vector<std::filesystem::path>;

  // The paths need not exist; empty ones are left out. When the kernel has no watch to spare,
  // nothing is reported.
  explicit FileWatch(const Paths& paths);

  // Readable when poll() has something to do; the same for as long as this lives, -1 for none.
  int fd() const { return inotify_.get(); }

  // Whether a path may lead to other bytes since the last call. Does not wait.
  bool poll();

  // Watches the folders that the paths lead through now: for a user who has found a change that was
  // not reported.
  void renew();

 private:
  using Names = std::set<std::string>;
  using Places = std::map<std::filesystem::path, Names>;  // Names to watch, by their folder.

  static void add_places(Places& places, const std::filesystem::path& path);
  Places places() const;
  bool concerns(int watch, std::uint32_t mask, const std::string& name) const;

  struct Watched {
    std::filesystem::path folder;
    Names names;
  };

  Paths paths_;  // Absolute.
  Fd inotify_;
  std::map<int, Watched> watches_;  // By the kernel's number of the watch.
};

}  // namespace rps::net
