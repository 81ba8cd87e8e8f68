// A server's entry in the list of a directory service, as its operator sees it: in metrics and log.
//
//   rps_registered                      1 while the server is on the list, else 0
//   rps_registration_failures_total     attempts to put it there or keep it there that failed, and
//                                       times that it was taken off because it did not answer
//
// The log says it when the server is put on the list or is off it, and once for each new failure.
#pragma once

#include <memory>
#include <string>

#include "core/server/directory.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace spdlog {
class logger;
}

namespace rps::server {

class Metrics;
class Server;

class Listed {
 public:
  // Registers `url`, in the background. REQUIRES: server, metrics and log outlive it.
  Listed(const Directory::Register& registers, const std::string& url, Server& server,
         Metrics& metrics, spdlog::logger& log);

  // Takes the server off the list (Registration::withdraw).
  ~Listed();
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  void take(const Entry::State& state);

  const std::string url_;
  spdlog::logger& log_;
  const std::shared_ptr<prometheus::Registry> registry_;  // Owns the next two.
  prometheus::Gauge* registered_;
  prometheus::Counter* failures_;
  Entry::State last_;  // Of the registration's thread.
  std::unique_ptr<Registration> registration_;
};

}  // namespace rps::server
