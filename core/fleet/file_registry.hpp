// The simplest registry: a JSON file from service names to the URLs of their instances, watched
// while the program runs.
//
//     {"rps": ["jsonrpc://127.0.0.1:7001", "jsonrpc://127.0.0.1:7002"]}
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/fleet/limits.hpp"
#include "core/fleet/registry.hpp"
#include "core/net/followed.hpp"

namespace rps::fleet {

// The URLs of `service` in the text of such a file, each once, or a sentence about what is wrong.
// One bad entry makes the whole text an error, because a part of the list would look like the whole
// fleet. An empty list is valid.
std::expected<std::vector<std::string>, std::string> parse_services(std::string_view text,
                                                                    std::string_view service);

// The file is followed (followed.hpp), also where symbolic links lead to it.
class FileRegistry final : public Registry {
 public:
  using Warn = std::function<void(const std::string& sentence)>;

  struct Options {
    std::filesystem::path path;
    std::string service;
    Clock::duration reread_period = limits::reread_default;
    // Told why the file is not used, once for each new reason, and when a list becomes empty.
    Warn warn = [](const std::string&) {};
  };

  // Throws std::exception when there is no first list: no file, no such service in it, no sense.
  FileRegistry(Options options, Clock::time_point now);

  const Listing& list() const override { return listing_; }
  int fd() const override { return urls_.fd(); }
  Clock::time_point due() const override { return urls_.due(); }
  bool poll(Clock::time_point now) override;
  bool is_current() const override { return urls_.content().has_value(); }

 private:
  using Urls = std::expected<std::vector<std::string>, std::string>;

  const Options options_;
  net::Followed<Urls> urls_;
  Listing listing_;
};

// Writes such a file. A lock file beside it lets several programs do so, and rename() replaces the
// old file in one step. A missing file is created; a file that cannot be parsed is not changed.
class FileRegistrar final : public Registrar {
 public:
  explicit FileRegistrar(std::filesystem::path path) : path_(std::move(path)) {}

  void add(const std::string& service, const std::string& url) override;
  void remove(const std::string& service, const std::string& url) override;

 private:
  std::filesystem::path path_;
};

}  // namespace rps::fleet
