// The server side of a trial: processes that the harness starts, or none when a URL says all.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/load/relay.hpp"
#include "bench/machine/process.hpp"
#include "bench/model/target.hpp"
#include "bench/scenarios/trial_files.hpp"
#include "core/url.hpp"

namespace rps::scenarios {

// How a server is started.
struct ServerCommand {
  std::vector<std::string> argv;
  bool prints_admin = false;  // The address of its admin port, behind its URL.
  std::string port;           // As model::Target::port.
  std::filesystem::path log;  // As ProcessOptions::stderr_file.
  std::vector<int> cpus;      // As ProcessOptions says.
};

// A server's process, and what it has printed.
struct StartedServer {
  std::unique_ptr<machine::Process> process;
  std::string url;       // Its own.
  std::string url_used;  // The one to connect to.
  std::optional<HostPort> admin;
};

class Servers {
 public:
  struct Options {
    std::vector<int> cpus;          // As ProcessOptions says.
    std::filesystem::path scratch;  // For their log, a fleet's registry and the trial's files.
    std::string log_name;
  };

  // Starts what `target` asks for and waits until all say where they are. They end with this
  // object. Throws server::Unsupported when a server said that this machine lacks what it needs,
  // and another std::exception when it did not start otherwise; what() is a sentence.
  Servers(model::Target target, const Options& options);
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // What to connect to.
  const std::string& url() const { return url_; }

  // In the order in which they were started.
  std::vector<pid_t> pids() const;

  // Starts a server in the place of the first one, which must have ended: with the same flags, at
  // the same address, and with an admin port. On any thread, on which the process must also end.
  // Throws as the constructor does.
  StartedServer start_first_again() const;

  // Whether a relay in this process makes an instance slow.
  bool has_relay() const { return relay_.has_value(); }

  // Whether rps_observer_active is 1; nothing for a target without an observer, and when the server
  // does not answer.
  std::optional<bool> observer_active() const;

 private:
  std::string list(const std::vector<std::string>& urls, const Options& options);

  std::optional<TrialFiles> files_;  // Outlives the processes.
  ServerCommand command_;
  std::vector<StartedServer> started_;
  std::optional<load::Relay> relay_;
  std::filesystem::path registry_;  // Of a fleet; removed at the end.
  std::string url_;
};

// The URL of a server that printed `printed`, as `wanted` says: "scheme:" takes the place of its
// scheme, "?query" is added to its query.
std::string join_url(const std::string& printed, const std::string& wanted);

// The URL of several servers that printed `urls`: the first one with the addresses of all.
// REQUIRES: there is one; if there are several, none has a path or a query.
std::string join_addresses(const std::vector<std::string>& urls);

}  // namespace rps::scenarios
