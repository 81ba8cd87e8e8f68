// The registry and the registrar beside a real etcd, which each test starts on free ports.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/etcd/config_key.hpp"
#include "core/etcd/connection.hpp"
#include "core/etcd/registration.hpp"
#include "core/etcd/registry.hpp"
#include "core/net/child.hpp"
#include "core/net/fd.hpp"
#include "core/url.hpp"
#include "etcd.grpc.pb.h"
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

Endpoint endpoint_of(const std::string& address) {
  return read_endpoint(*parse_url("etcd://" + address + "/p"));
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
    REQUIRE(Connection(endpoint())
                .channel()
                ->WaitForConnected(std::chrono::system_clock::now() + hang_guard));
  }

  void stop() {
    if (!process_) return;
    freeze(false);
    const std::array children = {process_->child};
    process_.reset();
    net::end_children(children, 0ms);
  }

  // While it is stopped.
  void lose_data() { std::filesystem::remove_all(folder_.path / "data"); }

  void freeze(bool is_frozen) { ::kill(process_->child, is_frozen ? SIGSTOP : SIGCONT); }

  const std::string address = free_address();
  Endpoint endpoint() const { return endpoint_of(address); }

 private:
  const TemporaryFolder folder_;
  const std::string peer_ = free_address();
  std::optional<net::Stream> process_;
};

// What a server hears of its registration.
class Heard {
 public:
  server::Entry entry(const std::string& url) {
    return {.url = url,
            .answers = [this] { return answers.load(); },
            .tell =
                [this](const server::Entry::State& state) {
                  const std::lock_guard lock(mutex_);
                  states_.push_back(state);
                }};
  }

  // Waits until the newest state is so.
  void wait_until_listed(bool is_listed) {
    const auto give_up = Clock::now() + hang_guard;
    while (newest().is_listed != is_listed) {
      REQUIRE(Clock::now() < give_up);
      std::this_thread::sleep_for(5ms);
    }
  }

  void wait_for_failure() {
    const auto give_up = Clock::now() + hang_guard;
    while (newest().failure.empty()) {
      REQUIRE(Clock::now() < give_up);
      std::this_thread::sleep_for(5ms);
    }
  }

  server::Entry::State newest() {
    const std::lock_guard lock(mutex_);
    return states_.empty() ? server::Entry::State{} : states_.back();
  }

  std::atomic<bool> answers = true;

 private:
  std::mutex mutex_;
  std::vector<server::Entry::State> states_;
};

// A server at `url`, registered for as long as this lives.
struct Server {
  Server(const std::string& address, const std::string& url, const std::string& service = "rps")
      : registration(endpoint_of(address), "p", service, heard.entry(url)) {}

  Heard heard;
  EtcdRegistration registration;
};

EtcdRegistry::Options list_at(const std::string& address) {
  return {.endpoint = endpoint_of(address), .prefix = "p", .service = "rps"};
}

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

// Runs etcdctl against the etcd at `address`.
void etcdctl(const std::string& address, const std::string& arguments) {
  const net::Stream shell = net::spawn_child(
      {"/bin/sh", "-c",
       "ETCDCTL_API=3 ETCDCTL_ENDPOINTS=" + address + " etcdctl " + arguments + " >/dev/null"});
  net::end_children(std::array{shell.child}, hang_guard);
}

const std::string one = "jsonrpc://127.0.0.1:7001";
const std::string two = "jsonrpc://127.0.0.1:7002";

}  // namespace

TEST_CASE("The keys of a service end before those of the next service") {
  CHECK(keys_of("prod", "rps") == "prod/rps/");
  CHECK(end_of("prod/rps/") == "prod/rps0");
}

TEST_CASE("A URL that makes no sense is refused with the reason") {
  const auto refusal = [](std::string_view text) {
    const Url url = *parse_url(text);
    try {
      (void)read_prefix(url);
      (void)read_endpoint(url);
    } catch (const std::invalid_argument& refused) {
      return std::string(refused.what());
    }
    return std::string();
  };
  CHECK(refusal("etcd://127.0.0.1:2379/rps").empty());
  CHECK(refusal("etcds://[::1]:2379/a/b/").empty());
  CHECK(read_prefix(*parse_url("etcd://h:1//a/b/")) == "a/b");
  CHECK_THAT(refusal("etcd://127.0.0.1:2379"), Catch::Contains("what its keys begin with"));
  CHECK_THAT(refusal("etcd:///rps"), Catch::Contains("HOST:PORT/PREFIX"));
  CHECK_THAT(refusal("etcd://h:1/p?ca=/dev/null"), Catch::Contains("over TLS"));
  CHECK_THAT(refusal("etcds://h:1/p?cert=/x"), Catch::Contains("'cert' and 'key'"));
  CHECK_THAT(refusal("etcd://h:1/p?user=me"), Catch::Contains("'user' and 'password_file'"));
  CHECK_THAT(refusal("etcds://h:1/p?ca=/no/such/file"), Catch::Contains("/no/such/file"));
}

TEST_CASE("A registry without etcd says why it has no list") {
  CHECK_THROWS_AS(EtcdRegistry(list_at(free_address())), std::runtime_error);
}

TEST_CASE("A registration without etcd says why it is not listed, and ends soon") {
  Server server(free_address(), one);
  server.heard.wait_for_failure();
  CHECK_FALSE(server.heard.newest().is_listed);
  server.registration.withdraw();
  server.registration.withdraw();
}

TEST_CASE("What registers is listed, and what ends is no longer") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  EtcdRegistry registry(list_at(etcd.address));
  CHECK(registry.list().urls.empty());
  Server first(etcd.address, one);
  wait_for(registry, {one});
  {
    Server second(etcd.address, two);
    Server another(etcd.address, "jsonrpc://127.0.0.1:7003", "another");
    wait_for(registry, {one, two});
    second.registration.withdraw();
    CHECK_FALSE(second.heard.newest().is_listed);
  }
  wait_for(registry, {one});
  first.registration.withdraw();
  wait_for(registry, {});
}

TEST_CASE("A server whose lease was lost is registered again") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  EtcdRegistry registry(list_at(etcd.address));
  Server server(etcd.address, one);
  wait_for(registry, {one});
  etcdctl(etcd.address, "lease list | tail -n +2 | ETCDCTL_API=3 ETCDCTL_ENDPOINTS=" +
                            etcd.address + " xargs -n 1 etcdctl lease revoke");
  wait_for(registry, {});
  wait_for(registry, {one});
}

TEST_CASE("A server that does not answer itself is off the list until it does") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  EtcdRegistry registry(list_at(etcd.address));
  Server server(etcd.address, one);
  wait_for(registry, {one});
  server.heard.answers = false;
  wait_for(registry, {});
  server.heard.wait_until_listed(false);
  CHECK_FALSE(server.heard.newest().failure.empty());
  server.heard.answers = true;
  wait_for(registry, {one});
}

TEST_CASE("While etcd is gone the last list stays; afterwards changes arrive again") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  Server first(etcd.address, one);
  first.heard.wait_until_listed(true);
  std::vector<std::string> sentences;
  EtcdRegistry::Options options = list_at(etcd.address);
  options.warn = [&](const std::string& text) { sentences.push_back(text); };
  EtcdRegistry registry(options);
  CHECK(registry.list().urls == Urls{one});
  CHECK(registry.is_current());

  etcd.stop();
  const auto give_up = Clock::now() + hang_guard;
  while (registry.is_current() && Clock::now() < give_up) {
    registry.poll(Clock::now());
    std::this_thread::sleep_for(10ms);
  }
  CHECK_FALSE(registry.is_current());
  CHECK_FALSE(sentences.empty());
  CHECK(registry.list().urls == Urls{one});
  first.heard.wait_for_failure();

  etcd.start();
  Server second(etcd.address, two);
  wait_for(registry, {one, two});
  CHECK(registry.is_current());
}

TEST_CASE("A watch whose revision etcd has compacted begins again with the whole list") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  Server first(etcd.address, one);
  first.heard.wait_until_listed(true);
  EtcdRegistry registry(list_at(etcd.address));
  etcd.freeze(true);  // So that the watch hears nothing of what follows until it is compacted.
  etcd.freeze(false);
  for (int i = 0; i < 3; ++i) etcdctl(etcd.address, "put p/other " + std::to_string(i));
  etcd.stop();
  etcd.start();
  etcdctl(etcd.address, "compaction 3");
  Server second(etcd.address, two);
  wait_for(registry, {one, two});
}

TEST_CASE("When etcd has lost its data the last list stays while servers can register again") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  std::string heard;
  EtcdRegistry::Options options = list_at(etcd.address);
  options.warn = [&](const std::string& text) { heard += text; };
  EtcdRegistry registry(options);
  etcdctl(etcd.address, "put p/rps/127.0.0.1:7001 " + one);
  etcdctl(etcd.address, "put p/rps/127.0.0.1:7002 " + two);
  wait_for(registry, {one, two});

  etcd.stop();
  etcd.lose_data();
  etcd.start();
  const auto give_up = Clock::now() + hang_guard;
  while (!heard.contains("has lost its data")) {
    REQUIRE(Clock::now() < give_up);
    std::this_thread::sleep_for(10ms);
    registry.poll(Clock::now());
  }
  CHECK(registry.list().urls == Urls{one, two});
  CHECK_FALSE(registry.is_current());

  wait_for(registry, {});  // Nobody has registered.
  CHECK(registry.is_current());
}

TEST_CASE("A value that is no URL is left out, and said once while it stays") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  std::vector<std::string> sentences;
  EtcdRegistry::Options options = list_at(etcd.address);
  options.warn = [&](const std::string& text) { sentences.push_back(text); };
  EtcdRegistry registry(options);
  etcdctl(etcd.address, "put p/rps/bad nothing");
  etcdctl(etcd.address, "put p/rps/127.0.0.1:7001 " + one);
  wait_for(registry, {one});
  etcdctl(etcd.address, "put p/rps/127.0.0.1:7002 " + two);
  wait_for(registry, {one, two});
  REQUIRE(sentences.size() == 1);
  CHECK_THAT(sentences[0], Catch::Contains("p/rps/bad holds no URL"));
}

TEST_CASE("A text of --config in a key is followed") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  const ConfigKey::Name name{.endpoint = etcd.endpoint(), .key = "p/conf"};
  CHECK(ConfigKey::read(name).error() == "is no key in etcd");
  etcdctl(etcd.address, "put p/conf first");
  etcdctl(etcd.address, "put p/conf.other else");  // Another key, which begins in the same way.
  CHECK(ConfigKey::read(name) == "first");

  std::vector<std::string> sentences;
  ConfigKey source(name, "known", [&](const std::string& text) { sentences.push_back(text); });
  CHECK(source.text() == "known");
  const auto wait = [&source](const auto& is_so) {
    const auto give_up = Clock::now() + hang_guard;
    while (!is_so()) {
      REQUIRE(Clock::now() < give_up);
      source.poll(Clock::now());
      std::this_thread::sleep_for(10ms);
    }
  };
  wait([&] { return source.text() == "first"; });
  CHECK_FALSE(source.poll(Clock::now()));
  CHECK_FALSE(source.reread());
  source.reject();
  CHECK(source.reread());  // So that the reason is said again.
  CHECK_FALSE(source.reread());
  etcdctl(etcd.address, "del p/conf");
  wait([&] { return !source.text(); });
  CHECK(source.text().error() == "is no key in etcd");

  etcd.stop();
  wait([&] { return !source.is_current(); });
  REQUIRE(sentences.size() == 1);
  CHECK_THAT(sentences[0], Catch::Contains("the last text of p/conf stays"));
  etcd.start();
  etcdctl(etcd.address, "put p/conf second");
  wait([&] { return source.text() == "second"; });
  CHECK(source.is_current());
}

TEST_CASE("The key of a configuration stands behind the first slash") {
  const auto key = [](std::string_view text) { return read_key(*parse_url(text)); };
  CHECK(key("etcd://h:1/a/b") == "a/b");
  CHECK(key("etcd://h:1//a/") == "/a/");
  CHECK_THROWS_AS(key("etcd://h:1"), std::invalid_argument);
  CHECK_THROWS_AS(key("etcd://h:1/"), std::invalid_argument);
}

TEST_CASE("While etcd says nothing the last list stays") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  Server first(etcd.address, one);
  first.heard.wait_until_listed(true);
  EtcdRegistry registry(list_at(etcd.address));
  etcd.freeze(true);
  first.heard.wait_for_failure();  // A renewal has waited for its whole time.
  registry.poll(Clock::now());
  CHECK(registry.list().urls == Urls{one});
  etcd.freeze(false);
  Server second(etcd.address, two);
  wait_for(registry, {one, two});
}

TEST_CASE("etcd's password is given, and a wrong one is reported") {
  if (etcd_is_missing()) return;
  Etcd etcd;
  etcdctl(etcd.address, "user add root:secret");
  etcdctl(etcd.address, "user grant-role root root");
  etcdctl(etcd.address, "auth enable");
  const TemporaryFolder folder;
  const auto endpoint_with = [&](const std::string& password) {
    const std::string path = folder.path / password;
    std::ofstream(path) << password << '\n';
    return read_endpoint(
        *parse_url("etcd://" + etcd.address + "/p?user=root&password_file=" + path));
  };
  const auto listed_with = [&](const Endpoint& endpoint) {
    return EtcdRegistry::Options{.endpoint = endpoint, .prefix = "p", .service = "rps"};
  };
  CHECK_THROWS_AS(EtcdRegistry(list_at(etcd.address)), std::runtime_error);
  CHECK_THROWS_AS(EtcdRegistry(listed_with(endpoint_with("wrong"))), std::runtime_error);
  EtcdRegistry registry(listed_with(endpoint_with("secret")));
  Heard heard;
  EtcdRegistration registration(endpoint_with("secret"), "p", "rps", heard.entry(one));
  wait_for(registry, {one});
  etcd.stop();  // It forgets the tokens.
  etcd.start();
  EtcdRegistration later(endpoint_with("secret"), "p", "rps", heard.entry(two));
  wait_for(registry, {one, two});
}

TEST_CASE("A change in etcd reaches a registry: the time it takes", "[.][measure]") {
  Etcd etcd;
  EtcdRegistry registry(list_at(etcd.address));
  Connection connection(etcd.endpoint());
  etcdserverpb::KV::Stub keys(connection.channel());
  std::vector<double> milliseconds;
  for (int round = 0; round < 100; ++round) {
    const std::string url = "jsonrpc://127.0.0.1:" + std::to_string(7001 + round);
    etcdserverpb::PutRequest put;
    put.set_key("p/rps/one");
    put.set_value(url);
    etcdserverpb::PutResponse done;
    const auto began = Clock::now();
    REQUIRE(connection
                .call(std::stop_token(),
                      [&](grpc::ClientContext& context) { return keys.Put(&context, put, &done); })
                .ok());
    wait_for(registry, {url});
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
  }
  std::ranges::sort(milliseconds);
  WARN("from before the put to the changed list: median " << milliseconds[50] << " ms, most "
                                                          << milliseconds.back() << " ms");
}

}  // namespace rps::etcd
