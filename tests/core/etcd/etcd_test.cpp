// The registry and the registrar beside a real etcd, which each test starts on free ports.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/etcd/connection.hpp"
#include "core/etcd/registrar.hpp"
#include "core/etcd/registry.hpp"
#include "core/net/child.hpp"
#include "core/net/fd.hpp"
#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

namespace rps::etcd {

namespace {

using Urls = std::vector<std::string>;
using namespace std::chrono_literals;

const char* const etcd_path = "/usr/bin/etcd";
constexpr auto hang_guard = 60s;

bool etcd_is_missing() {
  const bool missing = !std::filesystem::exists(etcd_path);
  if (missing) WARN("not tested: " << etcd_path << " is missing");
  return missing;
}

std::string free_address() {
  const net::Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(socket.get(), generic, size) == 0);
  REQUIRE(::getsockname(socket.get(), generic, &size) == 0);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

class Etcd {
 public:
  Etcd() { start(); }
  ~Etcd() { stop(); }
  Etcd(const Etcd&) = delete;
  Etcd& operator=(const Etcd&) = delete;

  void start() {
    const std::string client = "http://" + address;
    const std::string peer = "http://" + peer_;
    process_.emplace(net::spawn_child(
        {etcd_path, "--data-dir", folder_.path / "data", "--listen-client-urls", client,
         "--advertise-client-urls", client, "--listen-peer-urls", peer,
         "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer, "--logger",
         "zap", "--log-outputs", folder_.path / "log"}));
    REQUIRE(connect(address)->WaitForConnected(std::chrono::system_clock::now() + hang_guard));
  }

  void stop() {
    if (!process_) return;
    const std::array children = {process_->child};
    process_.reset();
    net::end_children(children, 0ms);
  }

  const std::string address = free_address();

 private:
  const TemporaryFolder folder_;
  const std::string peer_ = free_address();
  std::optional<net::Stream> process_;
};

// Waits until the registry lists exactly `urls`.
void wait_for(EtcdRegistry& registry, const Urls& urls) {
  const auto give_up = Clock::now() + hang_guard;
  while (registry.list().urls != urls) {
    REQUIRE(Clock::now() < give_up);
    pollfd readable{.fd = registry.fd(), .events = POLLIN};
    ::poll(&readable, 1, 100);
    registry.poll(Clock::now());
  }
}

const std::string one = "jsonrpc://127.0.0.1:7001";
const std::string two = "jsonrpc://127.0.0.1:7002";

}  // namespace

TEST_CASE("The keys of a service end before those of the next service") {
  CHECK(keys_of("prod", "rps") == "prod/rps/");
  CHECK(end_of("prod/rps/") == "prod/rps0");
}

TEST_CASE("A registry without etcd says why it has no list") {
  CHECK_THROWS_AS(EtcdRegistry({.address = free_address(), .prefix = "p", .service = "rps"}),
                  std::runtime_error);
}

TEST_CASE("A registrar without etcd says why it does not register") {
  EtcdRegistrar registrar(free_address(), "p");
  CHECK_THROWS_AS(registrar.add("rps", one), std::runtime_error);
  CHECK_THROWS_AS(registrar.add("rps", "no URL"), std::invalid_argument);
}

TEST_CASE("What registers is listed, and what ends is no longer") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  EtcdRegistry registry({.address = etcd.address, .prefix = "p", .service = "rps"});
  CHECK(registry.list().urls.empty());
  EtcdRegistrar first(etcd.address, "p");
  first.add("rps", one);
  wait_for(registry, {one});
  {
    EtcdRegistrar second(etcd.address, "p");
    second.add("rps", two);
    second.add("rps", two);
    second.add("another", "jsonrpc://127.0.0.1:7003");
    wait_for(registry, {one, two});
  }
  wait_for(registry, {one});
  first.remove("rps", one);
  first.remove("rps", one);
  wait_for(registry, {});
}

TEST_CASE("An instance whose lease was lost is registered again") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  EtcdRegistry registry({.address = etcd.address, .prefix = "p", .service = "rps"});
  EtcdRegistrar registrar(etcd.address, "p");
  registrar.add("rps", one);
  wait_for(registry, {one});
  const std::string revoke_all =
      "export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=" + etcd.address +
      "; etcdctl lease list | tail -n +2 | xargs -n 1 etcdctl lease revoke >/dev/null";
  const net::Stream shell = net::spawn_child({"/bin/sh", "-c", revoke_all});
  wait_for(registry, {});
  wait_for(registry, {one});
  net::end_children(std::array{shell.child}, hang_guard);
}

TEST_CASE("While etcd is gone the last list stays; afterwards changes arrive again") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  EtcdRegistrar registrar(etcd.address, "p");
  registrar.add("rps", one);
  std::vector<std::string> sentences;
  EtcdRegistry registry({.address = etcd.address,
                         .prefix = "p",
                         .service = "rps",
                         .warn = [&](const std::string& text) { sentences.push_back(text); }});
  CHECK(registry.list().urls == Urls{one});

  etcd.stop();
  const auto give_up = Clock::now() + hang_guard;
  while (sentences.empty() && Clock::now() < give_up) {
    registry.poll(Clock::now());
    std::this_thread::sleep_for(10ms);
  }
  CHECK_FALSE(sentences.empty());
  CHECK(registry.list().urls == Urls{one});

  etcd.start();
  registrar.add("rps", two);
  wait_for(registry, {one, two});
}

TEST_CASE("A change in etcd reaches a registry: the time it takes", "[.][measure]") {
  Etcd etcd;
  EtcdRegistry registry({.address = etcd.address, .prefix = "p", .service = "rps"});
  EtcdRegistrar registrar(etcd.address, "p");
  std::vector<double> milliseconds;
  for (int round = 0; round < 50; ++round) {
    registrar.add("rps", one);
    const auto added = Clock::now();
    wait_for(registry, {one});
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - added).count());
    registrar.remove("rps", one);
    wait_for(registry, {});
  }
  std::ranges::sort(milliseconds);
  WARN("after the put was answered: median " << milliseconds[25] << " ms, most "
                                             << milliseconds.back() << " ms");
}

}  // namespace rps::etcd
