// Every scheme against a real server of this tree.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "bench/load/bystanders.hpp"
#include "bench/load/clients/connect.hpp"
#include "bench/load/referee.hpp"
#include "bench/machine/process.hpp"
#include "bench/micro/allocations.hpp"
#include "tests/catch.hpp"
#include "tests/temporary_folder.hpp"

#if RPS_HAVE_STAGE3
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "rps/v1/rps.grpc.pb.h"
#include "stage3_grpc/wire.hpp"
#endif

namespace rps::load {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds patience{20};

const std::filesystem::path binaries = RPS_BINARIES;

std::string path_of(const std::string& program) {
  return (binaries / program).string();
}

// A server of this tree in a process of its own.
class Server {
 public:
  explicit Server(std::vector<std::string> argv)
      : process_({.argv = located(std::move(argv)), .stderr_file = {}, .cpus = {}}),
        url_(process_.read_line(Clock::now() + patience).value_or("")) {
    REQUIRE(url_.contains("://"));
  }

  // The URL in the next line that it prints about a port, under another scheme.
  std::string next_url(const std::string& scheme) {
    const std::string line = process_.read_line(Clock::now() + patience).value_or("");
    REQUIRE(line.contains("://"));
    return scheme + line.substr(line.find("://"));
  }

  // Its URL under another scheme.
  std::string url(const std::string& scheme) const {
    return scheme + url_.substr(url_.find("://"));
  }
  const std::string& url() const { return url_; }

  void kill() { ::kill(process_.pid(), SIGKILL); }

 private:
  static std::vector<std::string> located(std::vector<std::string> argv) {
    argv.front() = path_of(argv.front());
    return argv;
  }

  machine::Process process_;
  std::string url_;
};

enum class Judge : std::uint8_t { sessions, rounds, summaries, none };

// Keeps `slots` calls open, each slot in a session of its own, its index as the id of its calls.
class Loop final : public Sink {
 public:
  Loop(Client& client, std::size_t slots, Judge judge)
      : client_(client), judge_(judge), referees_(slots), moves_(slots), open_(slots) {
    for (std::size_t i = 0; i < slots; ++i) sessions_.push_back("slot-" + std::to_string(i));
  }
  virtual ~Loop() = default;

  // Answers `calls` calls of each slot.
  void run(std::size_t calls) {
    for (std::size_t round = 0; round < calls; ++round) {
      // Backwards in every other round, so that nothing hangs on the order.
      for (std::size_t i = 0; i < open_.size(); ++i) {
        submit(round % 2 == 0 ? i : open_.size() - 1 - i);
      }
      drain();
    }
  }

  // The same, but each slot goes on as soon as it was answered, until `calls` were.
  void race(std::size_t calls) {
    left_ = calls;
    for (std::size_t i = 0; i < open_.size(); ++i) submit(i);
    drain();
  }

  void submit(std::uint64_t id) {
    REQUIRE(open_[id] == 0);
    ++open_[id];
    moves_[id] = all_moves[(id + answered) % 3];
    const std::string_view session =
        judge_ == Judge::sessions ? std::string_view(sessions_[id]) : std::string_view();
    client_.submit(id, {.move = moves_[id], .session_id = session});
  }

  void drain() {
    const Clock::time_point deadline = Clock::now() + patience;
    const auto is_open = [](int count) { return count > 0; };
    while (std::ranges::any_of(open_, is_open)) {
      REQUIRE(Clock::now() < deadline);
      client_.poll(deadline, *this);
    }
  }

  void on_reply(std::uint64_t id, const Reply& reply, const Stamps& stamps) override {
    REQUIRE(open_.at(id) == 1);  // Each call is answered once.
    --open_[id];
    ++answered;
    CHECK(stamps.sent_at <= stamps.received_at);
    CHECK(stamps.received_at <= Clock::now());
    if (reply.error == Error::unavailable) ++unavailable;
    verdicts.count(check(id, reply));
    if (left_ > 0 && --left_ > 0) submit(id);
  }
  void on_event(const Event&) override {}

  std::uint64_t answered = 0;
  std::uint64_t unavailable = 0;
  Verdicts verdicts;

 private:
  Verdict check(std::uint64_t id, const Reply& reply) {
    switch (judge_) {
      case Judge::sessions: return referees_[id].check(moves_[id], reply);
      case Judge::rounds: return check_lone_round(moves_[id], reply);
      case Judge::summaries: return check_summary(5, reply);
      case Judge::none: break;
    }
    CHECK(reply.operation == Operation::play);
    return reply.error ? Verdict::refused : Verdict::right;
  }

  Client& client_;
  Judge judge_;
  std::vector<Referee> referees_;
  std::vector<Move> moves_;
  std::vector<int> open_;
  std::vector<std::string> sessions_;
  std::size_t left_ = 0;
};

void check_all_right(const std::string& url, Judge judge, std::size_t rounds = 20,
                     std::size_t children = 0) {
  INFO(url);
  const ConnectOptions options{.connections = 3, .depth = 4, .timeout_max = patience};
  Connection connection = connect(url, options);
  CHECK(connection.children.size() == children);
  REQUIRE(connection.client->in_flight_max() == 12);
  Loop loop(*connection.client, 12, judge);
  loop.run(rounds);
  loop.race(12 * rounds);
  CHECK(loop.answered >= 12 * (2 * rounds - 1));
  CHECK(loop.verdicts.of(Verdict::right) == loop.answered);
}

// Kills what answers while all slots are busy. What was open is answered once, and what comes later
// too.
void check_kill(const std::string& url, Judge judge, const std::function<void()>& kill) {
  INFO(url);
  Connection connection = connect(url, {.connections = 2, .depth = 8, .timeout_max = patience});
  Loop loop(*connection.client, 16, judge);
  loop.run(3);
  CHECK(loop.unavailable == 0);
  kill();
  loop.run(3);
  CHECK(loop.answered == 16 * 6);
  CHECK(loop.unavailable == 16 * 3);
}

TEST_CASE("the console plays right behind pipes, terminals and as a process for each call") {
  const std::string console = path_of("rps-cli") + "?seed=7";
  check_all_right("cli:" + console, Judge::sessions, 20, 3);
  check_all_right("cli+pty:" + console, Judge::sessions, 20, 3);
  check_all_right("cli+spawn:" + console, Judge::rounds, 2);
}

TEST_CASE("children that are killed answer every open call once") {
  const std::string scheme = GENERATE("cli:", "cli+pty:");
  const std::string url = scheme + path_of("rps-cli");
  const ConnectOptions options{.connections = 2, .depth = 8};
  Connection connection = connect(url, options);
  for (const pid_t child : connection.children) ::kill(child, SIGSTOP);
  Loop loop(*connection.client, 16, Judge::sessions);
  for (std::uint64_t id = 0; id < 16; ++id) loop.submit(id);
  connection.client->poll(Clock::now(), loop);
  CHECK(loop.answered == 0);
  for (const pid_t child : connection.children) ::kill(child, SIGKILL);
  loop.drain();
  CHECK(loop.unavailable == 16);
}

TEST_CASE("a process for each call answers with its exit code, or what it wrote, or not at all") {
  const auto ask = [](const std::string& url) {
    Connection connection = connect(url, {.connections = 1, .depth = 2});
    Loop loop(*connection.client, 2, Judge::none);
    loop.run(3);
    CHECK(loop.answered == 6);
    return loop.unavailable;
  };
  CHECK(ask("spawn:" + path_of("rps-floor-nothing")) == 0);
  CHECK(ask("spawn:/bin/true") == 0);
  CHECK(ask("spawn:/bin/false") == 6);
  CHECK(ask("cli+spawn:/bin/true") == 6);  // Says nothing.
  CHECK(ask("cli+spawn:" + path_of("rps-cli") + "?no-such-flag") == 6);
  CHECK_THROWS_AS(connect("spawn:/does/not/exist", {}), std::exception);
}

TEST_CASE("a client that goes takes its processes with it") {
  char directory[] = "/tmp/rps_clients_test.XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string script = std::string(directory) + "/wait";
  const std::string note = std::string(directory) + "/pid";
  std::ofstream(script) << "#!/bin/sh\necho $$ > " << note << ".new\nmv " << note << ".new " << note
                        << "\nexec sleep 60\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  pid_t child = -1;
  {
    Connection connection = connect("spawn:" + script, {});
    Loop loop(*connection.client, 1, Judge::none);
    loop.submit(0);
    const Clock::time_point deadline = Clock::now() + patience;
    while (!std::filesystem::exists(note) && Clock::now() < deadline) {
      connection.client->poll(Clock::now() + 5ms, loop);
    }
    std::ifstream(note) >> child;
    REQUIRE(child > 0);
    CHECK(::kill(child, 0) == 0);
    CHECK(loop.answered == 0);
  }
  CHECK(::kill(child, 0) != 0);
  std::filesystem::remove_all(directory);
}

TEST_CASE("the floors answer, over the transports of the stages") {
  const Server echo({"rps-floor-echo", "100", "150"});
  CHECK(echo.url().starts_with("echo://"));
  check_all_right(echo.url(), Judge::none);
  check_all_right("echo+pipe:" + path_of("rps-floor-pipe") + "?request=30&reply=90", Judge::none,
                  20, 3);
  check_all_right("spawn:" + path_of("rps-floor-nothing"), Judge::none, 2);
}

TEST_CASE("a floor that goes answers every open call once") {
  Server echo({"rps-floor-echo", "10", "20"});
  check_kill(echo.url(), Judge::none, [&] { echo.kill(); });
}

TEST_CASE("a URL with something wrong is refused with a sentence") {
  for (const std::string url : {
           "https://127.0.0.1:1",
           "echo://127.0.0.1:1?request=1",
           "echo://127.0.0.1:1?request=1&reply=0",
           "echo://127.0.0.1:1?request=1&reply=x",
           "echo://127.0.0.1:1?request=1&reply=9999999",
           "echo://127.0.0.1:1?request=1&reply=2&colour=red",
           "echo://127.0.0.1:1?request=1&reply=2&reply=3",
           "echo://127.0.0.1:1/path?request=1&reply=2",
           "echo+pipe:?request=1&reply=2",
           "echo+pipe:/bin/cat?request=1",
           "echo+http://127.0.0.1:1",
           "echo+http://127.0.0.1:1?request=1&reply=1",
           "spawn:",
           "spawn:/bin/true?colour=red",
           "cli+spawn:",
           "cli+spawn://127.0.0.1:1",
           "cli+pty:",
           "gopher://127.0.0.1:1",
#if RPS_HAVE_STAGE2
           "jsonrpc:",
           "jsonrpc://127.0.0.1:1?codec=jason",
           "jsonrpc+fleet:///etc/hostname?colour=red",
           "jsonrpc+fleet:///etc/hostname?balance=none",
           "jsonrpc+fleet:///etc/hostname?retries=many",
           "jsonrpc+fleet:///etc/hostname?framing=post",
           "http://127.0.0.1:1/other",
           "http://127.0.0.1:1?codec=msgpack",
           "http://127.0.0.1:1?framing=frame",
           "http://127.0.0.1:1?colour=red",
           "jsonrpc+lean://127.0.0.1:1?colour=red",
           "jsonrpc+lean://127.0.0.1:1/path",
#endif
#if RPS_HAVE_STAGE3
           "grpc://127.0.0.1:1?ca=/etc/hostname",
           "grpc://127.0.0.1:1?mode=slow",
           "http+rest://127.0.0.1:1?colour=red",
           "http+rest://127.0.0.1:1/v1/play",
           "grpc://127.0.0.1:1?rounds=4",
#if RPS_HAVE_LEAN_GRPC
           "grpc+lean://127.0.0.1:1?ca=/etc/hostname",
           "grpcs+lean://127.0.0.1:1?mode=many",
           "grpcs+lean://127.0.0.1:1?ca=/etc/hostname",
           "grpcs+lean://127.0.0.1:1/path",
#endif
           "grpc://127.0.0.1:1?mode=many&rounds=0",
           "grpc://127.0.0.1:1?mode=many&rounds=four",
           "grpc://127.0.0.1:1/path",
           "grpcs://127.0.0.1:1?ca=/does/not/exist",
           "grpcs://127.0.0.1:1?cert=/etc/hostname",
           "grpcs://127.0.0.1:1?colour=red",
#endif
#if RPS_HAVE_LEAN_GRPC
           "grpc+fleet:///etc/hostname?codec=json",
           "file:///etc/hostname?mode=rally",
           "grpc+lean://127.0.0.1:1?mode=rally",
           "grpc+lean://127.0.0.1:1/path",
#endif
       }) {
    INFO(url);
    CHECK_FALSE(check(*parse_url(url)));
    // Nobody listens there either, but that is found out later and told by another exception.
    std::string told;
    try {
      connect(url, {.timeout_max = 100ms});
    } catch (const std::system_error& failure) {
      told = std::string("refused too late: ") + failure.what();
    } catch (const std::exception& failure) {
      told = failure.what();
    }
    CHECK(told.size() > 10);
    CHECK_FALSE(told.starts_with("refused too late"));
    CHECK_FALSE(told.starts_with("cannot connect"));
  }
}

TEST_CASE("a build speaks what it can open") {
  for (const std::string_view scheme :
       {"inproc", "cli", "cli+pty", "cli+spawn", "spawn", "echo", "echo+pipe", "echo+http"}) {
    CHECK(speaks(scheme));
  }
  for (const std::string_view scheme : {"jsonrpc", "jsonrpc+fleet", "jsonrpc+lean", "http"}) {
    CHECK(speaks(scheme) == bool{RPS_HAVE_STAGE2});
  }
  for (const std::string_view scheme : {"grpc", "grpcs", "http+rest"}) {
    CHECK(speaks(scheme) == bool{RPS_HAVE_STAGE3});
  }
  CHECK(speaks("grpc+lean") == bool{RPS_HAVE_LEAN_GRPC});
  CHECK(speaks("grpc+fleet") == bool{RPS_HAVE_LEAN_GRPC});
  CHECK_FALSE(speaks("https"));
  CHECK_FALSE(speaks(""));
}

#if RPS_HAVE_STAGE2

TEST_CASE("stage 2 plays right in frames and over HTTP, and its floors answer") {
  const Server server({"rps-jsonrpc", "--listen", "127.0.0.1:0"});
  check_all_right(server.url(), Judge::sessions);
  check_all_right(server.url("http"), Judge::rounds);
  check_all_right(server.url("http") + "/rpc?codec=json", Judge::rounds);
  const Server floor({"rps-floor-http", "100", "150"});
  check_all_right(floor.url(), Judge::none);
  const Server asio({"rps-floor-asio", "100", "150"});
  check_all_right(asio.url(), Judge::none);
}

TEST_CASE("the lean client is answered in every codec and over HTTP") {
  const Server server({"rps-jsonrpc", "--listen", "127.0.0.1:0"});
  for (const std::string query : {"", "?codec=msgpack", "?codec=binary", "?framing=http"}) {
    check_all_right(server.url("jsonrpc+lean") + query, Judge::none);
  }
  Server mortal({"rps-jsonrpc", "--listen", "127.0.0.1:0"});
  check_kill(mortal.url("jsonrpc+lean"), Judge::none, [&] { mortal.kill(); });
}

TEST_CASE("a game goes on beside idle and slow connections") {
  for (const std::string scheme : {"jsonrpc", "jsonrpc+lean"}) {
    const Server server({"rps-jsonrpc", "--listen", "127.0.0.1:0"});
    const Bystanders bystanders(server.url(scheme), 20, 20);
    check_all_right(server.url(), Judge::sessions);
  }
}

TEST_CASE("bystanders that cannot be had are refused with an exception") {
  const Server server({"rps-jsonrpc", "--listen", "127.0.0.1:0"});
  CHECK_THROWS_AS(Bystanders(server.url("http"), 0, 1), std::invalid_argument);
  CHECK_THROWS_AS(Bystanders("jsonrpc://127.0.0.1:1", 0, 1), std::exception);
  CHECK_THROWS_AS(Bystanders("jsonrpc://127.0.0.1:1", 1, 0), std::exception);
  CHECK_NOTHROW(Bystanders("gopher", 0, 0));
}

TEST_CASE("stage 2 killed answers every open call once") {
  Server server({"rps-jsonrpc", "--listen", "127.0.0.1:0"});
  check_kill(server.url("http"), Judge::sessions, [&] { server.kill(); });
}

TEST_CASE("a response that is not 200 breaks the client of the floor") {
  const Server server({"rps-jsonrpc", "--listen", "127.0.0.1:0", "--max-body-bytes", "100"});
  Connection connection = connect(server.url("echo+http") + "?request=101", {});
  Loop loop(*connection.client, 1, Judge::none);
  loop.run(1);
  CHECK(loop.unavailable == 1);
}

#endif

#if RPS_HAVE_STAGE3

TEST_CASE("stage 3 plays right over gRPC's client, and many rounds in one call add up") {
  const Server server({"rps-grpc", "--listen", "127.0.0.1:0"});
  check_all_right(server.url(), Judge::sessions);
  check_all_right(server.url() + "?mode=many&rounds=5", Judge::summaries);
  check_all_right(server.url() + "?mode=watch", Judge::rounds);
  const Server floor({"rps-floor-grpc", "39"});
  check_all_right(floor.url(), Judge::none);
}

TEST_CASE("stage 3 killed answers every open call once") {
  Server server({"rps-grpc", "--listen", "127.0.0.1:0"});
  using Row = std::pair<std::string, Judge>;
  const auto [query, judge] =
      GENERATE(Row("", Judge::sessions), Row("?mode=many&rounds=5", Judge::summaries),
               Row("?mode=watch", Judge::rounds));
  check_kill(server.url() + query, judge, [&] { server.kill(); });
}

// ---- REST ----------------------------------------------------------------------------------

TEST_CASE("stage 3 plays right over its REST gateway") {
  Server server({"rps-grpc", "--listen", "127.0.0.1:0", "--rest", "127.0.0.1:0"});
  check_all_right(server.next_url("http+rest"), Judge::sessions);
}

TEST_CASE("the REST client says who calls with a token") {
  const TemporaryFolder folder;
  const std::filesystem::path callers = folder.path / "callers";
  // SHA-256 of "secret".
  std::ofstream(callers) << "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
                            " * ann\n";
  Server server({"rps-grpc", "--listen", "127.0.0.1:0", "--rest", "127.0.0.1:0", "--auth=on",
                 "--auth-tokens=" + callers.string()});
  const std::string url = server.next_url("http+rest");
  check_all_right(url + "?token=secret", Judge::sessions);
  for (const std::string query : {"", "?token=wrong"}) {
    Connection connection = connect(url + query, {.connections = 1});
    Loop loop(*connection.client, 1, Judge::sessions);
    loop.run(3);
    CHECK(loop.verdicts.of(Verdict::refused) == 3);
  }
}

TEST_CASE("the REST gateway killed answers every open call once") {
  Server server({"rps-grpc", "--listen", "127.0.0.1:0", "--rest", "127.0.0.1:0"});
  check_kill(server.next_url("http+rest"), Judge::sessions, [&] { server.kill(); });
}

TEST_CASE("the REST client takes no answers of another server for its own") {
  const Server echo({"rps-floor-http", "1", "5"});
  Connection connection =
      connect(echo.url("http+rest").substr(0, echo.url("http+rest").find('?')), {.connections = 1});
  Loop loop(*connection.client, 1, Judge::sessions);
  loop.run(1);
  CHECK(loop.unavailable == 1);
}

// ---- TLS -----------------------------------------------------------------------------------

// Certificates made for this test by the openssl command, gone with it.
class Certificates {
 public:
  Certificates() {
    char name[] = "/tmp/rps_clients_test.XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    directory_ = name;
    make_authority("ca");
    make_authority("stranger");
    make("server", "ca");
    make("player", "ca");
    make("impostor", "stranger");
  }
  ~Certificates() { std::filesystem::remove_all(directory_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string file(const std::string& name) const { return directory_ + "/" + name; }
  std::string text(const std::string& name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  void run(const std::string& arguments) const {
    machine::Process shell(
        {.argv = {"sh", "-c",
                  "cd " + directory_ + " && openssl " + arguments + " >openssl.log 2>&1; echo $?"},
         .stderr_file = {},
         .cpus = {}});
    REQUIRE(shell.read_line(Clock::now() + std::chrono::seconds(30)) == "0");
  }

  void make_authority(const std::string& name) const {
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
        " -keyout " + name + ".key -out " + name + ".pem");
  }

  // For the name rps.test only, so that an address does not match.
  void make(const std::string& name, const std::string& authority) const {
    std::ofstream(file("names")) << "subjectAltName=DNS:rps.test\n";
    run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " +
        name + ".key -out " + name + ".csr");
    run("x509 -req -days 2 -CAcreateserial -extfile names -CA " + authority + ".pem -CAkey " +
        authority + ".key -in " + name + ".csr -out " + name + ".pem");
  }

  std::string directory_;
};

// Answers every play with the same right round; nothing but its credentials matters.
class Dealer final : public v1::RockPaperScissorsService::Service {
  grpc::Status Play(grpc::ServerContext*, const v1::PlayRequest* request,
                    v1::PlayResponse* response) override {
    response->set_opponent_move(request->player_move());
    response->set_result(v1::DRAW);
    const std::string_view moves[] = {"", "rock", "paper", "scissors"};
    response->set_reason("both threw " + std::string(moves[request->player_move()]));
    return grpc::Status::OK;
  }
};

struct TlsServer {
  TlsServer(const Certificates& files, bool asks_for_certificate) {
    grpc::SslServerCredentialsOptions options(
        asks_for_certificate ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                             : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_root_certs = files.text("ca.pem");
    options.pem_key_cert_pairs.push_back({files.text("server.key"), files.text("server.pem")});
    grpc::ServerBuilder builder;
    builder.RegisterService(&dealer);
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    server = builder.BuildAndStart();
    REQUIRE(server);
  }
  ~TlsServer() { server->Shutdown(std::chrono::system_clock::now() + 2s); }

  std::string url(const std::string& query) const {
    return "grpcs://127.0.0.1:" + std::to_string(port) + "?" + query;
  }

  Dealer dealer;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

bool is_refused(const std::string& url) {
  try {
    connect(url, {.timeout_max = 1500ms});
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

TEST_CASE("grpcs checks who answers") {
  const Certificates files;
  const TlsServer server(files, false);
  const std::string ca = "ca=" + files.file("ca.pem");
  check_all_right(server.url(ca + "&name=rps.test"), Judge::rounds, 3);
  CHECK(is_refused(server.url(ca)));  // The certificate names another host.
  CHECK(is_refused(server.url(ca + "&name=other.test")));
  CHECK(is_refused(server.url("name=rps.test")));  // The system knows no such authority.
  CHECK(is_refused(server.url("ca=" + files.file("stranger.pem") + "&name=rps.test")));
  std::string plain = server.url("");
  plain.erase(plain.find('s'), 1);
  CHECK(is_refused(plain.substr(0, plain.find('?'))));
}

TEST_CASE("grpcs shows who asks") {
  const Certificates files;
  const TlsServer server(files, true);
  const auto as = [&](const std::string& name) {
    return server.url("name=rps.test&ca=" + files.file("ca.pem") +
                      "&cert=" + files.file(name + ".pem") + "&key=" + files.file(name + ".key"));
  };
  check_all_right(as("player"), Judge::rounds, 3);
  CHECK(is_refused(server.url("name=rps.test&cert=" + files.file("player.pem"))));
  // With TLS 1.3 a server turns down a client after the client's side of the handshake stands, so
  // opening may succeed; then no call does.
  const auto is_turned_down = [](const std::string& url) {
    if (is_refused(url)) return true;
    try {
      Connection connection = connect(url, {.timeout_max = 1500ms});
      Loop loop(*connection.client, 1, Judge::rounds);
      loop.run(1);
      return loop.unavailable == 1;
    } catch (const std::runtime_error&) {
      return true;
    }
  };
  CHECK(is_turned_down(as("impostor")));
  CHECK(is_turned_down(server.url("name=rps.test&ca=" + files.file("ca.pem"))));
}

#if RPS_HAVE_LEAN_GRPC

TEST_CASE("the lean client plays right over TLS, and checks who answers") {
  const Certificates files;
  const TlsServer server(files, false);
  const auto url = [&](const std::string& query) {
    return server.url(query).replace(0, std::string("grpcs").size(), "grpcs+lean");
  };
  const std::string ca = "ca=" + files.file("ca.pem");
  check_all_right(url(ca + "&name=rps.test"), Judge::rounds, 50);
  const auto why = [](const std::string& refused) -> std::string {
    try {
      connect(refused, {.timeout_max = patience});
    } catch (const std::runtime_error& failure) {
      return failure.what();
    }
    return "it is not refused";
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(why(url(ca)), Contains("TLS failed: IP address mismatch"));
  CHECK_THAT(why(url(ca + "&name=other.test")), Contains("TLS failed: hostname mismatch"));
  CHECK_THAT(why(url("name=rps.test&ca=" + files.file("stranger.pem"))), Contains("TLS failed: "));
  CHECK_THAT(why(url("ca=" + files.file("server.key"))), Contains("holds no certificate"));
  const Server plain({"rps-grpc", "--listen", "127.0.0.1:0"});
  CHECK_THAT(why(plain.url("grpcs+lean")), Contains("TLS failed: "));
}

#endif

#endif

#if RPS_HAVE_LEAN_GRPC

TEST_CASE("stage 3 plays right over the lean client, and so does its floor answer") {
  const Server server({"rps-grpc", "--listen", "127.0.0.1:0"});
  check_all_right(server.url("grpc+lean"), Judge::sessions);
  const Server floor({"rps-floor-grpc", "39"});
  check_all_right(floor.url("grpc+lean"), Judge::none);
}

TEST_CASE("the floor of HTTP/2 answers as gRPC does, to gRPC's client and to the lean one") {
  Server floor({"rps-floor-http2", "39"});
  check_all_right(floor.url(), Judge::none);
  check_all_right(floor.url("grpc+lean"), Judge::none);
  check_kill(floor.url("grpc+lean"), Judge::none, [&] { floor.kill(); });
}

TEST_CASE("the lean client says who calls with a token") {
  const TemporaryFolder folder;
  const std::filesystem::path callers = folder.path / "callers";
  // SHA-256 of "secret".
  std::ofstream(callers) << "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
                            " * ann\n";
  const Server server(
      {"rps-grpc", "--listen", "127.0.0.1:0", "--auth=on", "--auth-tokens=" + callers.string()});
  check_all_right(server.url("grpc+lean") + "?token=secret", Judge::sessions);
  for (const std::string query : {"", "?token=wrong"}) {
    Connection connection = connect(server.url("grpc+lean") + query, {.connections = 1});
    Loop loop(*connection.client, 1, Judge::sessions);
    loop.run(3);
    CHECK(loop.verdicts.of(Verdict::refused) == 3);
  }
}

TEST_CASE("the lean client allocates nothing per call of its own") {
  const Server server({"rps-grpc", "--listen", "127.0.0.1:0"});
  Connection connection =
      connect(server.url("grpc+lean"), {.connections = 2, .depth = 8, .timeout_max = patience});
  // A session's name outgrows what a string holds in itself.
  const std::string session(40, 's');
  struct Again final : Sink {
    virtual ~Again() = default;
    void on_reply(std::uint64_t id, const Reply& reply, const Stamps&) override {
      if (reply.error) ++errors;
      if (left > 0 && left-- > 0)
        client->submit(id, {.move = Move::rock, .session_id = session});
      else
        --open;
    }
    void on_event(const Event&) override {}
    Client* client = nullptr;
    std::string_view session;
    std::size_t left = 0;
    std::size_t open = 0;
    std::size_t errors = 0;
  } again;
  again.client = connection.client.get();
  again.session = session;
  const auto play = [&](std::size_t calls) {
    again.left = calls;
    for (again.open = 0; again.open < 16; ++again.open) {
      again.client->submit(again.open, {.move = Move::rock, .session_id = session});
    }
    while (again.open > 0) again.client->poll(Clock::now() + patience, again);
  };
  // Threads of others, which earlier tests have left, may allocate in some of the rounds.
  constexpr int rounds = 10;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  play(1000);
  for (int round = 0; round < rounds && least > 0; ++round) {
    const std::uint64_t before = micro::allocation_count();
    play(1000);
    least = std::min(least, micro::allocation_count() - before);
  }
  CHECK(least == 0);
  CHECK(again.errors == 0);
}

TEST_CASE("more calls than the server lets be open at once are all answered") {
  const Server server({"rps-grpc", "--listen", "127.0.0.1:0", "--max-streams", "3"});
  Connection connection = connect(server.url("grpc+lean"), {.connections = 1, .depth = 20});
  Loop loop(*connection.client, 20, Judge::sessions);
  loop.run(10);
  CHECK(loop.verdicts.of(Verdict::right) == 200);
}

TEST_CASE("stage 3 killed answers every open call of the lean client once") {
  Server server({"rps-grpc", "--listen", "127.0.0.1:0"});
  check_kill(server.url("grpc+lean"), Judge::sessions, [&] { server.kill(); });
}

TEST_CASE("the lean client does not take another server for gRPC") {
  const Server echo({"rps-floor-echo", "1", "5"});
  CHECK_THROWS_AS(connect(echo.url("grpc+lean").substr(0, echo.url("grpc+lean").find('?')),
                          {.timeout_max = 500ms}),
                  std::runtime_error);
}

#endif

}  // namespace
}  // namespace rps::load
