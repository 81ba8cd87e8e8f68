// A server's entry in etcd, under a lease that is kept alive.
//
// A thread of the registration makes all calls to etcd:
//
//   no lease           grants one of limits::lease and puts the key under it; again after
//                      limits::try_again_after when that fails
//   lease              renews it each third of limits::lease; when etcd no longer knows the lease
//                      (it expired, or etcd has lost its data) the server is registered anew
//   the server fails   Entry::answers has returned false limits::probe_failures_max times in a row:
//                      the lease is revoked; the server is registered again when it answers
//   withdraw()         the lease is revoked, within limits::withdraw_max, when the call of
//                      Entry::answers that is under way has ended
//
// etcd removes the key at once with a revoked lease, and at most limits::lease after the last
// renewal when the server is gone.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "core/etcd/connection.hpp"
#include "core/server/registration.hpp"

namespace rps::etcd {

class EtcdRegistration final : public server::Registration {
 public:
  // The key is "<prefix>/<service>/<host:port>", its value the entry's URL. Waits for nothing.
  // REQUIRES: entry.url has host and port.
  EtcdRegistration(Endpoint endpoint, const std::string& prefix, const std::string& service,
                   server::Entry entry);
  ~EtcdRegistration() override;

  void withdraw() override;

 private:
  class Keeper;  // What the thread does.

  std::unique_ptr<Keeper> keeper_;
  std::jthread thread_;
};

}  // namespace rps::etcd
