// Puts instances into etcd's list, and keeps them there for as long as it lives.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/fleet/registry.hpp"

namespace rps::etcd {

// Each instance has a lease of limits::lease, which a thread of the registrar renews each third of
// that time. When etcd no longer knows the lease, the thread registers the instance anew. When etcd
// does not answer, the thread tries again each third; so an instance that etcd removed meanwhile is
// registered again at most so long after etcd is back, and the call's time.
//
// The destructor revokes the leases: etcd removes the instances at once. When that fails, etcd
// removes them when the leases expire. Any thread may call add() and remove(); they wait for a
// renewal that is under way.
class EtcdRegistrar final : public fleet::Registrar {
 public:
  // `address` is "host:port"; `prefix` has no "/" at its ends. Does not connect.
  EtcdRegistrar(const std::string& address, std::string prefix);
  ~EtcdRegistrar() override;

  void add(const std::string& service, const std::string& url) override;
  void remove(const std::string& service, const std::string& url) override;

 private:
  class Leases;  // The calls to etcd.

  struct Registration {
    std::string key;
    std::string url;
    std::int64_t lease = 0;
  };

  std::string key_of(const std::string& service, const std::string& url) const;
  void renew_all();
  void keep(const std::stop_token& stop);

  const std::string prefix_;
  const std::unique_ptr<Leases> leases_;
  std::mutex mutex_;  // Guards registrations_; held while etcd is called.
  std::vector<Registration> registrations_;
  std::jthread thread_;
};

}  // namespace rps::etcd
