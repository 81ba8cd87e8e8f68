#include "stage2_jsonrpc/http_protocol.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/stage2_jsonrpc/table.hpp"

namespace rps::jsonrpc {
namespace {

using Json = nlohmann::json;
using namespace std::literals;

constexpr std::string_view play =
    R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK","s"]})";

std::string post(std::string_view body, std::string_view fields = "",
                 std::string_view path = "/rpc") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string get(std::string_view path, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

int status_of(const std::string& answer) {
  REQUIRE(answer.starts_with("HTTP/1."));
  return std::stoi(answer.substr(9, 3));
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST_CASE("A call in the body of a POST is answered in the body of a 200") {
  Table table;
  const std::string answer = table.answer(post(play));
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.contains("\r\nContent-Type: application/json\r\n"));
  const std::string body = body_of(answer);
  CHECK(answer.contains("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
  CHECK(Json::parse(body)["result"]["round"] == 1);
  CHECK(!table.last.end);
}

TEST_CASE("An error of JSON-RPC is a 200 all the same; without a reply it is 204") {
  CHECK(status_of(Table().answer(post("{"))) == 200);
  CHECK(Json::parse(body_of(Table().answer(post("{"))))["error"]["code"] == -32700);
  const std::string silent =
      Table().answer(post(R"({"jsonrpc":"2.0","method":"play","params":["ROCK"]})"));
  CHECK(status_of(silent) == 204);
  CHECK(silent.ends_with("\r\n\r\n"));
  CHECK(!silent.contains("Content-Length"));
}

TEST_CASE("A duel is refused over HTTP, as nobody would hear of it") {
  for (const std::string method : {"join", "throw", "leave"}) {
    Table table;
    const Json reply = Json::parse(body_of(table.answer(
        post(R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":["g","p"]})"))));
    CHECK(reply["error"]["code"] == -32601);
    CHECK(table.calls == 0);
  }
}

TEST_CASE("Requests may be pipelined, and the stream ends when the client says so") {
  Table table;
  const std::string out =
      table.answer(post(play) + post(play) + post(play, "Connection: close\r\n") + post(play));
  CHECK(table.last.messages == 3);
  CHECK(table.last.end);
  CHECK(table.calls == 3);
  CHECK(out.contains("\r\nConnection: close\r\n"));
}

// Of a stream that is cut at `cut`, the server knowing that nothing comes behind the second piece.
TEST_CASE("In the last turn the last answer says that the connection closes, and no other") {
  const std::string close = "\r\nConnection: close\r\n";
  const std::string requests = post(play) + get("/healthz") + post(play);
  for (std::size_t cut = 0; cut < requests.size(); ++cut) {
    Table table;
    const std::string first = table.answer(std::string_view(requests).substr(0, cut));
    CHECK(!first.contains(close));
    table.last_turn = true;
    const std::string last = table.answer(std::string_view(requests).substr(table.last.consumed));
    CHECK(last.find(close) > last.rfind("HTTP/1.1 200"));
    CHECK(last.find(close) == last.rfind(close));
    CHECK(table.last.end);
    CHECK(table.calls == 2);
  }
}

TEST_CASE("In the last turn a request whose rest is missing is waited for") {
  const std::string close = "\r\nConnection: close\r\n";
  const std::string one = get("/healthz");
  for (std::size_t cut = 1; cut < one.size(); ++cut) {
    Table table;
    table.last_turn = true;
    CHECK(!table.answer(one + one.substr(0, cut)).contains(close));
    CHECK(table.last.partial);
    CHECK(!table.last.end);
    CHECK(table.answer((one + one).substr(table.last.consumed)).contains(close));
    CHECK(table.last.end);
  }
}

TEST_CASE("HTTP/1.0 is closed after its answer unless it asks otherwise") {
  Table table;
  CHECK(table.answer("GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
  CHECK(table.last.end);
  Table kept;
  CHECK(kept.answer("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .contains("\r\nConnection: keep-alive\r\n"));
  CHECK(!kept.last.end);
}

TEST_CASE("The pages of the admin port are here too") {
  Table table;
  CHECK(body_of(table.answer(get("/healthz"))) == "ok\n");
  CHECK(body_of(table.answer(get("/metrics?x"))) == "some_metric 1\n");
  CHECK(status_of(table.answer(get("/readyz"))) == 200);
  table.ready = false;
  CHECK(status_of(table.answer(get("/readyz"))) == 503);
  const std::string head = table.answer(get("/healthz", "HEAD"));
  CHECK(head.contains("\r\nContent-Length: 3\r\n"));
  CHECK(body_of(head).empty());
}

TEST_CASE("What cannot be done is said by its status, and the stream goes on") {
  struct Case {
    std::string request;
    int status;
    std::string_view field;
  };
  const Case cases[] = {
      {get("/"), 404, ""},
      {get("/rpc/"), 404, ""},
      {post(play, "", "/play"), 404, ""},
      {get("/rpc"), 405, "\r\nAllow: OPTIONS, POST\r\n"},
      {get("/rpc", "DELETE"), 405, "\r\nAllow: OPTIONS, POST\r\n"},
      {post("", "", "/healthz"), 405, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
      {"POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
       415, ""},
      {"POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", 415, ""},
      {"POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Type: application/json x\r\n"
       "Content-Length: 2\r\n\r\n{}",
       415, ""},
      {post("", "Content-Encoding: gzip\r\n"), 415, ""},
      {post(play, "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"), 415, ""},
      {post(play, "Content-Encoding: identity, gzip\r\n"), 415, ""},
      {get("*", "OPTIONS"), 204, "\r\nAllow: GET, HEAD, OPTIONS, POST\r\n"},
      {get("/rpc", "OPTIONS"), 204, "\r\nAllow: OPTIONS, POST\r\n"},
      {get("/healthz", "OPTIONS"), 204, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
      {get("/rpc", "BREW"), 501, ""},
      {get("/r%2Fpc"), 404, ""},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.request);
    Table table;
    const std::string answer = table.answer(wrong.request);
    CHECK(status_of(answer) == wrong.status);
    CHECK(answer.contains(wrong.field));
    CHECK(!table.last.end);
    CHECK(table.calls == 0);
    CHECK(status_of(table.answer(post(play))) == 200);
  }
  CHECK(status_of(
            Table().answer("POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Type: Application/JSON ; "
                           "charset=utf-8\r\nContent-Length: " +
                           std::to_string(play.size()) + "\r\n\r\n" + std::string(play))) == 200);
}

TEST_CASE("What is no HTTP request, or two at once, ends the stream with 400") {
  const std::string cases[] = {
      "GET\r\n\r\n",
      "GET / HTTP/2.0\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",  // No Host.
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\nHost: a\n\n",  // Bare line feeds.
      "POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
      "POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n{}",
      "POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
      "POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
      "POST /rpc HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
      "POST /rpc HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "POST /rpc HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
  };
  for (const std::string& request : cases) {
    INFO(request);
    Table table;
    const std::string answer = table.answer(request + get("/healthz"));
    CHECK(status_of(answer) == 400);
    CHECK(answer.contains("\r\nConnection: close\r\n"));
    CHECK(table.last.end);
    CHECK(table.calls == 0);
    CHECK(table.errors == std::vector{Error::malformed_request});
  }
}

TEST_CASE("A body in another coding than chunks is refused, as its end is anybody's guess") {
  for (const std::string coding : {"gzip, chunked", "chunked, gzip", "xchunked", "identity",
                                   "chunked\r\nTransfer-Encoding: chunked"}) {
    INFO(coding);
    Table table;
    CHECK(status_of(table.answer("POST /rpc HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + coding +
                                 "\r\n\r\n0\r\n\r\n" + get("/healthz"))) >= 400);
    CHECK(table.last.end);
    CHECK(table.last.messages == 0);
  }
}

TEST_CASE("A body in chunks is read like any other") {
  Table table;
  const std::string head =
      "POST /rpc HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  const std::string chunks = "10;x=y\r\n" + std::string(play.substr(0, 16)) + "\r\n" + "2e\r\n" +
                             std::string(play.substr(16)) + "\r\n0\r\nTrailer: t\r\n\r\n";
  REQUIRE(play.size() == 0x10 + 0x2e);
  CHECK(Json::parse(body_of(table.answer(head + chunks)))["result"]["round"] == 1);
  CHECK(Table::cuts_do_not_matter(head + chunks + get("/healthz")));
  for (const std::string body : {"0\r\n\r\n", "0\r\nX: y\r\n\r\n", "2\r\n{}\r\n0\r\n\r\n",
                                 "1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n"}) {
    CHECK(Table::cuts_do_not_matter(head + body + head + body));
  }
}

TEST_CASE("However requests are cut, the same goes out") {
  CHECK(Table::cuts_do_not_matter(post(play) + get("/healthz") + post("{") + get("/none") +
                                  post(play, "Connection: close\r\n")));
  CHECK(Table::cuts_do_not_matter(post(play) + "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
}

TEST_CASE("A body one past the limit is 413, before it has come") {
  const Limits limits{.body_bytes_max = play.size()};
  CHECK(status_of(Table(limits).answer(post(play))) == 200);
  const std::string one_more = post(std::string(play) + " ");
  Table table(limits);
  CHECK(status_of(table.answer(one_more.substr(0, one_more.find("\r\n\r\n") + 4))) == 413);
  CHECK(table.last.end);
  CHECK(table.errors == std::vector{Error::too_large});
  // Chunks say no length beforehand.
  CHECK(status_of(Table(limits).answer(
            "POST /rpc HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" +
            std::string(0xffff, ' '))) == 413);
}

TEST_CASE("A header one past the limit is 431, at once or in small pieces") {
  const std::string start = "GET /healthz HTTP/1.1\r\nHost: h\r\nX: ";
  const auto of_size = [&](std::size_t size) {
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  const Limits limits{.header_bytes_max = 1000};
  CHECK(status_of(Table(limits).answer(of_size(1000))) == 200);
  CHECK(status_of(Table(limits).answer(of_size(1001))) == 431);
  CHECK(status_of(Table(limits).answer_cut(of_size(1000), 1, 1)) == 200);
  CHECK(status_of(Table(limits).answer_cut(of_size(1001), 1, 1)) == 431);

  std::string many = "GET /healthz HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  CHECK(status_of(Table(limits).answer_cut(many, 1, 1)) == 431);
  CHECK(status_of(Table(limits).answer("GET /" + std::string(1000, 'x'))) == 431);
}

TEST_CASE("Chunks cannot be dressed up without end") {
  const Limits limits{.header_bytes_max = 1000};
  const std::string head = "POST /rpc HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(status_of(Table(limits).answer(head + "1;" + std::string(2000, 'x'))) == 431);
  std::string trailers = head + "0\r\n";
  for (int i = 0; i < 200; ++i) trailers += "A: b\r\n";
  CHECK(status_of(Table(limits).answer(trailers)) == 431);
  CHECK(status_of(Table(limits).answer(trailers + "\r\n")) == 431);  // Also when it came whole.
  // Six bytes for each byte of the body.
  std::string crumbs = head;
  for (int i = 0; i < 20'000; ++i) crumbs += "1\r\n \r\n";
  CHECK(status_of(Table({.body_bytes_max = 20'000}).answer(crumbs)) == 413);
}

TEST_CASE("Who asks whether to send a body is told so, once") {
  const std::string request = post(play, "Expect: 100-continue\r\n");
  const std::size_t head = request.find("\r\n\r\n") + 4;
  Table table;
  CHECK(table.answer(request.substr(0, head)) == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(table.answer(request.substr(head, 5)).empty());
  CHECK(status_of(table.answer(request.substr(head + 5))) == 200);
  CHECK(table.hosts_looked_up == 1);
  CHECK(status_of(table.answer(get("/healthz"))) == 200);
  CHECK(table.hosts_looked_up == 2);
  // Who sends it along needs no telling, who is refused gets none, who expects more is
  // disappointed.
  CHECK(status_of(Table().answer(request)) == 200);
  CHECK(status_of(Table({.body_bytes_max = 10}).answer(request.substr(0, head))) == 413);
  CHECK(status_of(Table().answer(post(play, "Expect: miracles\r\n"))) == 417);
}

TEST_CASE("Who asks whether to send a body is refused before it is sent") {
  struct Case {
    std::string request;
    int status;
  };
  const std::string expect = "Expect: 100-continue\r\n";
  const Case cases[] = {
      {post(play, expect, "/play"), 404},
      {post(play, expect, "/healthz"), 405},
      {"PUT /rpc HTTP/1.1\r\nHost: h\r\n" + expect + "Content-Length: 9\r\n\r\n", 405},
      {"POST /rpc HTTP/1.1\r\nHost: h\r\n" + expect + "Content-Length: 9\r\n\r\n", 415},
      {post(play, expect + "Content-Encoding: gzip\r\n"), 415},
      {"POST /rpc HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n" + expect +
           "Content-Length: 9\r\n\r\n",
       421},
      {"GET /healthz HTTP/1.1\r\nHost: h\r\n" + expect + "Content-Length: 9\r\n\r\n", 200},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.request);
    Table table;
    const std::string head = wrong.request.substr(0, wrong.request.find("\r\n\r\n") + 4);
    const std::string answer = table.answer(head);
    CHECK(status_of(answer) == wrong.status);
    CHECK(answer.contains("\r\nConnection: close\r\n"));
    CHECK(table.last.end);
    CHECK(table.calls == 0);
    CHECK(Table::cuts_do_not_matter(wrong.request + get("/healthz")));
  }
}

TEST_CASE("A host that the server is not is 421, on every path") {
  for (const std::string path : {"/rpc", "/metrics", "/healthz", "/readyz", "/nothing"}) {
    INFO(path);
    Table table;
    const std::string body =
        " HTTP/1.1\r\nHost: evil.example:80\r\nOrigin: http://evil.example:80\r\n"
        "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(play.size()) + "\r\n\r\n" + std::string(play);
    for (const std::string method : {"POST ", "GET "}) {
      const std::string answer = table.answer(method + path + body);
      CHECK(status_of(answer) == 421);
      CHECK(!answer.contains("some_metric"));
    }
    CHECK(table.calls == 0);
    CHECK(status_of(table.answer(get("http://evil.example" + path))) == 421);
    CHECK(status_of(table.answer(get("*", "OPTIONS"))) == 204);
  }
  for (const std::string host : {"h", "H:1", "localhost", "127.0.0.1:7000", "[::1]:7000"}) {
    INFO(host);
    CHECK(status_of(Table().answer("GET /metrics HTTP/1.1\r\nHost: " + host + "\r\n\r\n")) == 200);
  }
  CHECK(status_of(Table().answer("GET /metrics HTTP/1.0\r\n\r\n")) == 200);  // Names no host.
  CHECK(status_of(Table().answer("GET /metrics HTTP/1.0\r\nHost: evil\r\n\r\n")) == 421);
}

TEST_CASE("A path may be escaped, and a target absolute") {
  for (const std::string path : {"/%72pc", "http://h/rpc", "HTTP://LOCALHOST:80/r%70c?x=%20"}) {
    INFO(path);
    CHECK(Table::cuts_do_not_matter(post(play, "", path)));
    CHECK(status_of(Table().answer(post(play, "", path))) == 200);
  }
}

TEST_CASE("Empty lines before a request are skipped, on a new connection too") {
  const std::string stream = "\r\n\r\n" + post(play) + "\r\n" + get("/healthz") + "\r\n";
  CHECK(Table::cuts_do_not_matter(stream));
  Table table;
  CHECK(status_of(table.answer(stream)) == 200);
  CHECK(table.last.messages == 2);
  const std::string lines = "\r\n\r\n" + std::string(play) + "\r\n\r\n" + std::string(play) + "\n";
  CHECK(Table::cuts_do_not_matter(lines));
  CHECK(Table().answer(lines).starts_with(R"({"jsonrpc")"));
  CHECK(Table().answer("\r " + std::string(play) + "\n").starts_with(R"({"jsonrpc")"));
}

TEST_CASE("The fields of a trailer have no effect") {
  const std::string head = "POST /rpc HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
  REQUIRE(play.size() == 0x3e);
  Table table;
  CHECK(status_of(table.answer(head + "\r\n3e\r\n" + std::string(play) +
                               "\r\n0\r\nContent-Type: application/json\r\n\r\n")) == 415);
  const std::string rest =
      "Content-Type: application/json\r\n\r\n3e\r\n" + std::string(play) +
      "\r\n0\r\nConnection: close\r\nContent-Type: text/plain\r\nHost: evil.example\r\n"
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";
  CHECK(status_of(table.answer(head + rest)) == 200);
  CHECK(!table.last.end);
  REQUIRE(table.traces.size() == 1);
  CHECK(!table.traces[0]);
  CHECK(Table::cuts_do_not_matter(head + rest + get("/healthz")));
}

TEST_CASE("Every answer has a date") {
  for (const std::string& request :
       {post(play), post("{"), get("/healthz"), get("/none"), get("/rpc"), get("*", "OPTIONS"),
        "GET\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: evil\r\n\r\n"s}) {
    INFO(request);
    CHECK(Table().answer(request).contains("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
  }
}

TEST_CASE("A request that takes too long is told 408, if it has begun") {
  const std::string request = post(play);
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    Table table;
    table.answer(get("/healthz") + request.substr(0, cut));
    std::string out;
    table.protocol().encode_timeout(table, out);
    CHECK(status_of(out) == 408);
    CHECK(out.contains("\r\nConnection: close\r\n"));
  }
  for (const std::string& bytes :
       {get("/healthz"), get("/healthz") + "\r\n", "\r\n"s, "\r"s, "{\"jsonrpc\""s, "\xca\xfe"s}) {
    INFO(bytes);
    Table table;
    table.answer(bytes);
    std::string out;
    table.protocol().encode_timeout(table, out);
    CHECK(out.empty());
  }
}

TEST_CASE("The traceparent field belongs to the calls that bring none") {
  const std::string field =
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
  Table table;
  table.answer(post(play, field) + post(play) + post(play, "traceparent: 00-1\r\n"));
  REQUIRE(table.traces.size() == 3);
  REQUIRE(table.traces[0]);
  CHECK(table.traces[0]->sampled);
  CHECK(table.traces[0]->trace_id[0] == 0x0a);
  CHECK(!table.traces[1]);
  CHECK(!table.traces[2]);
  const std::string own =
      R"({"jsonrpc":"2.0","id":1,"method":"play","params":["ROCK"],)"
      R"("traceparent":"00-11111111111111111111111111111111-2222222222222222-00"})";
  table.answer(post(own, field));
  CHECK(table.traces[3]->trace_id[0] == 0x11);
  CHECK(!table.traces[3]->sampled);
  table.answer(post(play, field + field));
  CHECK(!table.traces[4]);
}

}  // namespace
}  // namespace rps::jsonrpc
