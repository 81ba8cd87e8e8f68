#include "stage3_grpc/rest/service.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "rps/v1/rps.pb.h"
#include "stage3_grpc/contract/convert.hpp"
#include "stage3_grpc/rest/binding.hpp"
#include "stage3_grpc/rest/json_writer.hpp"
#include "stage3_grpc/rest/negotiation.hpp"
#include "stage3_grpc/rest/openapi.hpp"
#include "stage3_grpc/rest/problem.hpp"

namespace rps::rpc::rest {

namespace {

using net::HttpPage;
using net::HttpRequest;
using net::HttpStatus;

const google::protobuf::ServiceDescriptor& game_service() {
  return *v1::PlayRequest::descriptor()->file()->FindServiceByName("RockPaperScissorsService");
}

// It is the same for all services, and takes long to make.
const std::string& description() {
  static const std::string text = openapi(proto_files);
  return text;
}

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::string_view query_of(const HttpRequest& request) {
  const std::string_view target = view(request.target());
  const std::size_t mark = target.find('?');
  return mark == target.npos ? std::string_view() : target.substr(mark + 1);
}

bool takes(const HttpRequest& request, std::string_view type) {
  return preference(request, type).weight > 0;
}

// Whether the client takes a type that the answers of this route have.
bool takes_answer(const HttpRequest& request, const Route& route) {
  if (!route.answers_in_lines()) return takes(request, media::json);
  if (takes(request, media::json_lines)) return true;
  return route.can_send_events() && takes(request, media::event_stream);
}

// Server-sent events for a client that names them, and wants nothing more.
StreamForm stream_form(const HttpRequest& request) {
  const Preference events = preference(request, media::event_stream);
  const Preference lines = preference(request, media::json_lines);
  return events.is_named && events.weight > 0 && events.weight >= lines.weight ? StreamForm::events
                                                                               : StreamForm::lines;
}

std::string_view media_type(StreamForm form) {
  return form == StreamForm::events ? media::event_stream : media::json_lines;
}

bool has_right_body(const HttpRequest& request, const Route& route) {
  if (!net::has_no_coding(request)) return false;
  if (net::has_media_type(request, media::json)) return true;
  return route.takes_lines() && net::has_media_type(request, media::json_lines);
}

// Calls `visit` with each line that is not empty, until it returns false.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !visit(line)) return;
  }
}

// The pages of core/net speak plain text; those that refuse are made anew here.
HttpPage in_form(HttpPage page, ErrorForm form) {
  if (static_cast<unsigned>(page.status) < 400) return page;
  std::string_view detail = page.body;
  if (detail.ends_with('\n')) detail.remove_suffix(1);
  HttpPage made = fault_page(page.status, detail, form);
  made.allow = page.allow;
  return made;
}

}  // namespace

// What a request's header says about its answer: a page, or else a route.
struct Service::Target {
  std::optional<HttpPage> page;
  std::string allow;  // What page->allow is part of.
  const Route* route = nullptr;
  std::vector<std::string_view> values;
};

// A request that has a route.
struct Service::Exchange {
  const net::HttpReader& reader;
  const Peer& peer;
  const Route& route;
  std::span<const std::string_view> values;
  std::string_view query;

  const HttpRequest& request() const { return reader.request(); }
  HttpPage refusal(const Reply& reply) const { return error_page(reply, error_form(request())); }
};

Service::Service(const Parts& parts)
    : game_(parts.game),
      chain_(parts.chain),
      names_(parts.names),
      events_waiting_max_(parts.events_waiting_max),
      spectators_max_(parts.spectators_max),
      routes_(game_service()),
      documents_(description()),
      players_(parts.game, parts.players_max, parts.players_idle_max) {
  for (int i = 0; i < game_service().method_count(); ++i) {
    const std::string& name = game_service().method(i)->name();
    handlers_.push_back(handler_of(name));
    if (handlers_.back() == nullptr) throw std::invalid_argument("REST knows no method " + name);
  }
}

Service::Handler Service::handler_of(std::string_view method) {
  if (method == "Play") return &Service::answer_unary<v1::PlayRequest, v1::PlayResponse>;
  if (method == "Score") return &Service::answer_unary<v1::ScoreRequest, v1::ScoreResponse>;
  if (method == "PlayMany") return &Service::answer_play_many;
  if (method == "Rally") return &Service::answer_rally;
  if (method == "Watch") return &Service::answer_watch;
  if (method == "Duel") return &Service::answer_duel;
  return nullptr;
}

// ---- The header ------------------------------------------------------------------------------

Service::Target Service::aim(const net::HttpReader& reader) const {
  const HttpRequest& request = reader.request();
  const auto refuse = [&request](HttpStatus status, std::string_view detail) {
    return Target{.page = fault_page(status, detail, error_form(request))};
  };
  if (auto page = net::general_page(reader, names_.accept(reader.host()))) {
    return {.page = in_form(*std::move(page), error_form(request))};
  }
  if (!is_own_origin(request)) {
    return refuse(HttpStatus::forbidden, "a page of another origin may not call this server");
  }
  if (auto page = documents_.answer(reader)) {
    return {.page = in_form(*std::move(page), error_form(request))};
  }
  RouteTable::Found found = routes_.find(view(request.method_string()), reader.path());
  if (found.route == nullptr) {
    if (found.allow.empty()) return refuse(HttpStatus::not_found, "there is no such path");
    if (request.method() == boost::beast::http::verb::options) {
      return {.page = HttpPage{.status = HttpStatus::no_content}, .allow = std::move(found.allow)};
    }
    Target target = refuse(HttpStatus::method_not_allowed, "the path has no such method");
    target.allow = std::move(found.allow);
    return target;
  }
  if (found.route->has_body && !has_right_body(request, *found.route)) {
    return refuse(HttpStatus::unsupported_media_type,
                  "the content type must be application/json, without a coding");
  }
  if (!takes_answer(request, *found.route)) {
    return refuse(HttpStatus::not_acceptable, "the answer has no type that Accept allows");
  }
  return {.route = found.route, .values = std::move(found.values)};
}

std::optional<HttpPage> Service::refuse_header(const net::HttpReader& reader) const {
  Target target = aim(reader);
  if (target.page && !target.allow.empty()) target.page->fields = "Allow: " + target.allow + "\r\n";
  return std::move(target.page);
}

Service::Answer Service::answer(const net::HttpReader& reader, const Peer& peer) {
  Target target = aim(reader);
  if (target.page) {
    if (!target.allow.empty()) target.page->fields = "Allow: " + target.allow + "\r\n";
    return {.page = *std::move(target.page)};
  }
  const Exchange exchange{.reader = reader,
                          .peer = peer,
                          .route = *target.route,
                          .values = target.values,
                          .query = query_of(reader.request())};
  return (this->*handlers_[static_cast<std::size_t>(target.route->method->index())])(exchange);
}

HttpPage Service::refusal_page(HttpStatus status, const net::HttpReader& reader) {
  const auto form = reader.has_header() ? error_form(reader.request()) : ErrorForm::status;
  return in_form(net::status_page(status), form);
}

// ---- Calls -----------------------------------------------------------------------------------

// One message through the chain, as Dispatcher::answer() has it. `carry_out` gets the command and
// the time; `encode` gets the reply while the request still exists.
template <class Request, class CarryOut, class Encode>
Reply Service::pass(Call& call, const Exchange& exchange, std::string_view body, CarryOut carry_out,
                    Encode encode) {
  chain::CallInfo& info = call.info();
  info.began_at = Clock::now();
  Request request;
  std::optional<Command> command;
  if (read_request(exchange.route, exchange.values, exchange.query, body, request)) {
    command = read(request);  // Its views point into the request.
  }
  info.operation = command ? std::optional(command->operation) : operation_of<Request>;
  const chain::GameChain::Passage passage = chain_.begin(info);
  Reply reply{.operation = info.operation.value_or(Operation::play)};
  if (const auto& refusal = passage.refusal()) {
    reply.error = refusal->error;
    reply.retry_after_ms = refusal->retry_after_ms;
  } else if (closed_.load(std::memory_order_relaxed)) {
    reply.error = Error::unavailable;
  } else if (!command) {
    reply.error = Error::malformed_request;
  } else {
    reply = carry_out(*command, info.began_at);
  }
  encode(reply);
  chain_.end(info, passage, {.error = reply.error, .ended_at = Clock::now()});
  return reply;
}

template <class Request, class Response>
Service::Answer Service::answer_unary(const Exchange& exchange) {
  Call call(chain_, exchange.request(), exchange.route.call_name, exchange.peer.address);
  HttpPage page{.type = media::json};
  const auto carry_out = [this](const Command& command, Clock::time_point now) {
    Caller caller(game_, {});
    return game_.handle(command, caller, now);
  };
  pass<Request>(call, exchange, exchange.request().body(), carry_out, [&](const Reply& reply) {
    if (reply.error) {
      page = exchange.refusal(reply);
      return;
    }
    Response response;
    write(reply, response);
    append_json(response, page.body);
  });
  page.fields.append(call.fields());
  return {.page = std::move(page)};
}

Service::Answer Service::answer_duel(const Exchange& exchange) {
  Call call(chain_, exchange.request(), exchange.route.call_name, exchange.peer.address);
  HttpPage page{.type = media::json};
  const auto carry_out = [this](const Command& command, Clock::time_point now) {
    return players_.handle(command, now);
  };
  const auto encode = [&](const Reply& reply) {
    if (reply.error) {
      page = exchange.refusal(reply);
      return;
    }
    v1::DuelResponse response;
    write(reply, response);
    append_json(response, page.body);
  };
  pass<v1::DuelRequest>(call, exchange, exchange.request().body(), carry_out, encode);
  page.fields.append(call.fields());
  return {.page = std::move(page)};
}

// Plays the round that a line asks for, and appends the line of its answer.
Reply Service::play(Call& call, const Exchange& exchange, std::string_view line, std::string& out) {
  const auto carry_out = [this](const Command& command, Clock::time_point now) {
    Caller caller(game_, {});
    return game_.handle(command, caller, now);
  };
  return pass<v1::PlayRequest>(call, exchange, line, carry_out, [&out](const Reply& reply) {
    if (reply.error) return;
    v1::PlayResponse response;
    write(reply, response);
    append_json(response, out);
    out.push_back('\n');
  });
}

Service::Answer Service::answer_play_many(const Exchange& exchange) {
  Call call(chain_, exchange.request(), exchange.route.call_name, exchange.peer.address);
  Score score;
  std::optional<Reply> refused;
  std::string scrap;
  for_each_line(exchange.request().body(), [&](std::string_view line) {
    scrap.clear();
    const Reply reply = play(call, exchange, line, scrap);
    if (reply.error) {
      refused = reply;
    } else {
      score.add(reply.result);
    }
    return !reply.error;
  });
  HttpPage page{.type = media::json};
  if (refused) {
    page = exchange.refusal(*refused);
  } else {
    v1::PlayManyResponse summary;
    summary.set_rounds(score.rounds());
    write(score, *summary.mutable_score());
    append_json(summary, page.body);
  }
  page.fields.append(call.fields());
  return {.page = std::move(page)};
}

// The lines before a refused one were played, so they are answered; the refusal is the last line.
Service::Answer Service::answer_rally(const Exchange& exchange) {
  Call call(chain_, exchange.request(), exchange.route.call_name, exchange.peer.address);
  HttpPage page{.type = media::json_lines};
  for_each_line(exchange.request().body(), [&](std::string_view line) {
    const Reply reply = play(call, exchange, line, page.body);
    if (!reply.error) return true;
    if (page.body.empty()) {
      page = exchange.refusal(reply);
    } else {
      append_error(reply, StreamForm::lines, page.body);
    }
    return false;
  });
  page.fields.append(call.fields());
  return {.page = std::move(page)};
}

Service::Answer Service::answer_watch(const Exchange& exchange) {
  const HttpRequest& request = exchange.request();
  const StreamForm form = stream_form(request);
  HttpPage head{.type = media_type(form)};
  const auto feed =
      std::make_shared<Feed>(exchange.peer.owner, exchange.peer.key, events_waiting_max_);
  auto watch = std::make_unique<Watch>(
      std::make_unique<Call>(chain_, request, exchange.route.call_name, exchange.peer.address),
      game_, feed, form);
  const auto carry_out = [&](const Command& command, Clock::time_point now) {
    if (watches_ < spectators_max_) return game_.handle(command, watch->caller(), now);
    return Reply{.operation = Operation::watch,
                 .error = Error::overloaded,
                 .retry_after_ms = rps::limits::retry_after_ms};
  };
  const Reply reply = pass<v1::WatchRequest>(watch->call(), exchange, request.body(), carry_out,
                                             [](const Reply&) {});
  head.fields = watch->call().fields();
  if (reply.error) {
    HttpPage page = exchange.refusal(reply);
    page.fields.append(head.fields);
    return {.page = std::move(page)};
  }
  // A browser does not connect again after 204.
  if (!watch->begin(view(request["Last-Event-ID"]))) {
    head.status = HttpStatus::no_content;
    return {.page = std::move(head)};
  }
  if (exchange.reader.form().head_only) return {.page = std::move(head), .is_stream = true};
  ++watches_;
  return {.page = std::move(head), .is_stream = true, .watch = std::move(watch)};
}

}  // namespace rps::rpc::rest
