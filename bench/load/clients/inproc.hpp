// A client that calls the game in this process: no wire, no copy, no other thread. It is the floor
// of every stage, and tests compare the transcripts of the others with its transcript.
#pragma once

#include <memory>

#include "core/client.hpp"
#include "core/game.hpp"
#include "core/url.hpp"

namespace rps::load {

// `inproc:?house=fair&seed=7`; both may be left out. Throws std::invalid_argument.
std::unique_ptr<Client> connect_inproc(const Url& url, const ConnectOptions& options);

// The same over a game of the caller's, who must keep it alive.
std::unique_ptr<Client> connect_inproc(Game& game, const ConnectOptions& options);

// Throws std::invalid_argument when the URL is wrong.
void check_inproc(const Url& url);

}  // namespace rps::load
