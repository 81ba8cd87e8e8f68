// Any bytes as what a connection brings to the REST gateway, without the connection: every answer
// is whole HTTP, its body is what its media type says, and its status is one that the description
// in OpenAPI has for the path, or that docs/http.md has for every port.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/net/http_response.hpp"
#include "core/server/log.hpp"
#include "core/server/metrics.hpp"
#include "stage3_grpc/rest/openapi.hpp"
#include "stage3_grpc/rest/service.hpp"
#include "tests/fuzz/require.hpp"

namespace rps::rpc::rest {
namespace {

using jsonrpc::require;
using nlohmann::json;
using Outcome = net::HttpReader::Outcome;

constexpr std::string_view date = "Thu, 01 Jan 1970 00:00:00 GMT";
constexpr net::HttpReader::Limits limits{.header_bytes_max = 400, .body_bytes_max = 400};

// ---- The description -------------------------------------------------------------------------

const json& description() {
  static const json document = json::parse(openapi(proto_files));
  return document;
}

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::string lower(std::string_view verb) {
  std::string text(verb == "HEAD" ? "GET" : verb);
  std::ranges::transform(text, text.begin(), [](char c) { return c | 0x20; });
  return text;
}

bool contains(std::span<const unsigned> statuses, unsigned status) {
  return std::ranges::find(statuses, status) != statuses.end();
}

// Statuses of requests that are no operation of the description: its own documents, paths and
// methods that there are not, and what is asked of the server as a whole.
bool is_of_no_operation(unsigned status) {
  constexpr std::array statuses{200U, 204U, 304U, 400U, 403U, 404U,
                                405U, 413U, 417U, 421U, 431U, 501U};
  return contains(statuses, status);
}

// ---- An answer -------------------------------------------------------------------------------

std::string field_of(std::string_view answer, std::string_view name) {
  const std::string mark = "\r\n" + std::string(name) + ": ";
  const std::size_t head = answer.find("\r\n\r\n");
  const std::size_t at = answer.substr(0, head + 2).find(mark);
  if (at == answer.npos) return "";
  const std::string_view value = answer.substr(at + mark.size());
  return std::string(value.substr(0, value.find("\r\n")));
}

template <class Check>
void for_each_line(std::string_view text, Check check) {
  while (!text.empty()) {
    const std::size_t feed = text.find('\n');
    require(feed != text.npos, "a line ends");
    check(text.substr(0, feed));
    text.remove_prefix(feed + 1);
  }
}

void check_body(std::string_view type, unsigned status, std::string_view body) {
  if (type == "application/x-ndjson") {
    for_each_line(body, [](std::string_view line) { require(json::accept(line), "JSON lines"); });
  } else if (type == "text/event-stream") {
    constexpr std::string_view data = "data: ";
    for_each_line(body, [&](std::string_view line) {
      const bool is_known = line.empty() || line == ":" || line.starts_with("id: ") ||
                            line.starts_with("event: ") || line.starts_with(data);
      require(is_known, "fields of events");
      if (line.starts_with(data)) require(json::accept(line.substr(data.size())), "events of JSON");
    });
  } else if (status >= 400) {
    const json error = json::parse(body, nullptr, false);
    require(error.is_object(), "an error is an object");
    const bool is_problem = type == "application/problem+json";
    require(is_problem || type == "application/json", "an error has one of two types");
    require(error.contains(is_problem ? "status" : "code"), "and the members of the type");
    require(!is_problem || error["status"] == status, "a problem repeats its status");
  } else if (type == "application/json") {
    require(json::accept(body), "JSON");
  }
}

// `is_whole`: nothing of its body is to come.
unsigned check_answer(const net::HttpForm& form, std::string_view answer, bool is_whole) {
  require(answer.starts_with(form.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 "), "the version");
  const auto status = static_cast<unsigned>(std::stoul(std::string(answer.substr(9, 3))));
  if (form.head_only) {
    require(answer.find("\r\n\r\n") == answer.size() - 4, "HEAD has no body");
    return status;
  }
  net::HttpResponseReader reader({.header_bytes_max = 1 << 20, .body_bytes_max = 1 << 20});
  std::size_t consumed = 0;
  auto outcome = reader.read(answer, consumed);
  if (outcome == net::HttpResponseReader::Outcome::need_more && reader.ends_with_stream()) {
    outcome = reader.finish();
  }
  if (!is_whole && outcome == net::HttpResponseReader::Outcome::need_more) return status;
  require(outcome == net::HttpResponseReader::Outcome::response, "an answer is whole");
  require(consumed == answer.size(), "and nothing follows");
  require(reader.status() == static_cast<int>(status), "one status");
  require(form.version == 10 || reader.keeps_open() == form.keep_open, "as long as it is said");
  check_body(field_of(answer, "Content-Type"), status, reader.body());
  return status;
}

// ---- The gateway -----------------------------------------------------------------------------

struct Owner final : FeedOwner {
  void feed_filled(const std::shared_ptr<Feed>&) noexcept override {}
};

// What a connection brings is answered as Connection does it, but that requests behind one for a
// stream are answered at once, as if they came on another connection. So a stream is shown what
// they do.
class Gateway {
 public:
  Gateway() = default;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway() {
    while (!streams_.empty()) end_stream();
  }

  void bring(std::string_view bytes) {
    for (bool goes_on = true; goes_on;) {
      auto reader = std::make_unique<net::HttpReader>(limits);
      std::size_t consumed = 0;
      goes_on = answer_next(std::move(reader), bytes, consumed);
      require(!goes_on || consumed > 0, "a request has bytes");
      bytes.remove_prefix(consumed);
    }
  }

 private:
  struct Stream {
    std::unique_ptr<net::HttpReader> reader;  // The watch uses its request.
    net::HttpForm form;
    std::string said;
    std::unique_ptr<Watch> watch;
  };

  bool answer_next(std::unique_ptr<net::HttpReader> reader, std::string_view bytes,
                   std::size_t& consumed) {
    Outcome outcome = reader->read(bytes, consumed);
    if (outcome == Outcome::asks) {
      if (const auto page = service_.refuse_header(*reader)) return refuse(*reader, *page);
      std::size_t more = 0;
      outcome = reader->read(bytes.substr(consumed), more);
      consumed += more;
    }
    if (outcome == Outcome::need_more) return false;
    if (outcome == Outcome::refused) {
      return refuse(*reader, Service::refusal_page(reader->refusal(), *reader));
    }
    return answer(std::move(reader));
  }

  bool refuse(const net::HttpReader& reader, const net::HttpPage& page) {
    net::HttpForm form = reader.form();
    form.keep_open = false;
    std::string out;
    net::append_http(form, page, date, out);
    check_status(reader, check_answer(form, out, true));
    return false;
  }

  bool answer(std::unique_ptr<net::HttpReader> reader) {
    const net::HttpForm form = reader->form();
    Service::Answer answer =
        service_.answer(*reader, {.address = "ipv4:127.0.0.1:4242", .owner = owner_, .key = 7});
    std::string out;
    if (answer.is_stream) {
      net::append_stream_head(form, answer.page, date, out);
    } else {
      net::append_http(form, answer.page, date, out);
    }
    require(answer.is_stream || !answer.watch, "only a stream is watched");
    check_status(*reader, check_answer(form, out, !answer.is_stream));
    if (!answer.watch) return form.keep_open && !(answer.is_stream && form.version == 10);
    streams_.push_back({.reader = std::move(reader),
                        .form = form,
                        .said = std::move(out),
                        .watch = std::move(answer.watch)});
    return form.keep_open && form.version != 10;
  }

  void end_stream() {
    Stream stream = std::move(streams_.back());
    streams_.pop_back();
    std::string text;
    if (stream.watch->append_waiting(text)) stream.watch->append_end(Error::unavailable, text);
    if (!text.empty()) net::append_piece(stream.form, text, stream.said);
    net::append_piece(stream.form, {}, stream.said);
    check_answer(stream.form, stream.said, true);
    stream.watch.reset();
    service_.watch_ended();
  }

  void check_status(const net::HttpReader& reader, unsigned status) const {
    // What is refused early has no path yet, but may have a target.
    const std::string_view target = view(reader.request().target());
    const std::string_view path =
        reader.path().empty() ? target.substr(0, target.find('?')) : reader.path();
    const std::string_view verb = view(reader.request().method_string());
    const RouteTable::Found found = service_.routes().find(verb, path);
    if (found.route == nullptr) {
      require(is_of_no_operation(status), "a status of no operation");
      return;
    }
    const json& operation = description()["paths"][found.route->path][lower(verb)];
    require(operation["responses"].contains(std::to_string(status)), "a status of the operation");
  }

  Owner owner_;
  Game game_{{.seed = 7, .sessions_max = 64, .duels_max = 64}};
  server::Metrics metrics_{game_};
  server::Log log_{"fuzz", {.level = server::LogLevel::off}};
  chain::GameChain chain_{
      {}, chain::GameChain::Certificates::none, metrics_, log_.logger(), log_.bulk()};
  Service service_{{.game = game_,
                    .chain = chain_,
                    .names = net::HostNames({"h"}),
                    .events_waiting_max = 4,
                    .spectators_max = 2,
                    .players_max = 3,
                    .players_idle_max = std::chrono::seconds(60)}};
  std::vector<Stream> streams_;
};

}  // namespace
}  // namespace rps::rpc::rest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rps::rpc::rest::Gateway gateway;
  gateway.bring({reinterpret_cast<const char*>(data), size});
  return 0;
}
