// The admin port: GET /healthz (the process lives), /readyz (it takes calls; 503 while it starts
// or drains), /metrics (Prometheus). HTTP/1.1 with keep-alive, on a thread of its own, so that it
// answers when the serving threads are overloaded. Other paths get 404, other methods 405, names
// that are not the server's 421, what is no HTTP 400; what is above a limit (limits.hpp) 431, 413
// or 408, or its connection is closed. The whole table: docs/http.md.
//
// Nobody can keep the operator out by opening connections and saying nothing, or a byte now and
// then: when there are too many, or the process has no descriptor left, the connection whose last
// answer (without one: whose beginning) is the longest ago is closed, and the new one is served.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/net/http_host.hpp"
#include "core/url.hpp"

namespace rps::server {

class Admin {
 public:
  // Listens on `address` or throws std::exception. `names`: the hosts for which it answers.
  // `metrics` is called for each scrape, on the admin port's own thread; should it throw, the
  // scrape gets 500.
  Admin(const HostPort& address, net::HostNames names, std::function<std::string()> metrics);

  // Closes the port and every connection; an answer being written may be cut off.
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // What /readyz says from now on, from any thread; false at first.
  void set_ready(bool ready);

  // "http://127.0.0.1:9100"
  std::string url() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rps::server
