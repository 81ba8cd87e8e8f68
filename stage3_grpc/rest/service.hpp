// From an HTTP request to its answer: finds the route, refuses what is no request of it, and
// carries the call out behind the chain, as Dispatcher does for gRPC:
//
// Beside the routes there are the documents: the page at / and the description at /openapi.json.
//
//   route ──▶ media types ──▶ JSON to message ──▶ the chain ──▶ Game::handle ──▶ message to JSON
//
//   status    when
//   400       the body or a parameter cannot be read; an error of the game, see http_status()
//   401, 403  the chain refuses the caller; 403 also for a page of another origin
//   404, 405  no such path; the path has no such verb
//   406       the client takes none of the types that the answer can have
//   409       the duel does not allow this now
//   415       the body has another type, or a coding
//   421       the request names a host that this server is not
//   429, 503  the server is at a limit, with Retry-After; it drains
//
// 408, 413, 417, 431, 501 and what is no HTTP are answered by the connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/http.hpp"
#include "core/net/http_host.hpp"
#include "stage3_grpc/rest/documents.hpp"
#include "stage3_grpc/rest/feed.hpp"
#include "stage3_grpc/rest/players.hpp"
#include "stage3_grpc/rest/route.hpp"
#include "stage3_grpc/rest/watch.hpp"

namespace rps::rpc::rest {

// One thread calls all functions but close().
class Service {
 public:
  struct Parts {
    Game& game;
    chain::GameChain& chain;
    net::HostNames names;
    std::size_t events_waiting_max;  // For one spectator.
    std::size_t spectators_max;      // Streams open at once.
    std::size_t players_max;
    Clock::duration players_idle_max;
  };

  // Throws std::invalid_argument when the proto's annotations cannot be served. REQUIRES: game and
  // chain outlive it.
  explicit Service(const Parts& parts);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Who asks. `key` is what the owner knows a feed by.
  struct Peer {
    std::string_view address;  // As chain::Transport has it.
    FeedOwner& owner;
    std::uint64_t key;
  };

  // An answer: the page alone, or the head of a stream. A stream without a `watch` has no body.
  struct Answer {
    net::HttpPage page;
    bool is_stream = false;
    std::unique_ptr<Watch> watch;
  };

  // The refusal of a request by its header alone: of one that asks whether to send its body.
  std::optional<net::HttpPage> refuse_header(const net::HttpReader& reader) const;

  // REQUIRES: the reader keeps the request for as long as the answer's watch exists.
  Answer answer(const net::HttpReader& reader, const Peer& peer);

  // The refusal of a request that has not come whole, in the form that its header asks for.
  static net::HttpPage refusal_page(net::HttpStatus status, const net::HttpReader& reader);

  // From now on every call is answered with `unavailable`. Any thread.
  void close() { closed_.store(true, std::memory_order_relaxed); }

  // A watch that answer() has returned is over.
  void watch_ended() { --watches_; }

  // To be called about once a second.
  void sweep(Clock::time_point now) { players_.sweep(now); }

  const RouteTable& routes() const { return routes_; }

 private:
  struct Target;
  struct Exchange;
  using Handler = Answer (Service::*)(const Exchange&);

  static Handler handler_of(std::string_view method);
  Target aim(const net::HttpReader& reader) const;

  template <class Request, class Response>
  Answer answer_unary(const Exchange& exchange);
  Answer answer_duel(const Exchange& exchange);
  Answer answer_play_many(const Exchange& exchange);
  Answer answer_rally(const Exchange& exchange);
  Answer answer_watch(const Exchange& exchange);

  template <class Request, class CarryOut, class Encode>
  Reply pass(Call& call, const Exchange& exchange, std::string_view body, CarryOut carry_out,
             Encode encode);
  Reply play(Call& call, const Exchange& exchange, std::string_view line, std::string& out);

  Game& game_;
  chain::GameChain& chain_;
  const net::HostNames names_;
  const std::size_t events_waiting_max_;
  const std::size_t spectators_max_;
  const RouteTable routes_;
  const Documents documents_;
  std::vector<Handler> handlers_;  // By the index of a method in its service.
  Players players_;
  std::size_t watches_ = 0;
  std::atomic<bool> closed_{false};
};

}  // namespace rps::rpc::rest
