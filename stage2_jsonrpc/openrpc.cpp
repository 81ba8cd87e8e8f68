#include "stage2_jsonrpc/openrpc.hpp"

#include <array>
#include <cstddef>

#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

namespace {

// As people read it. No string in it holds a line feed.
constexpr std::string_view laid_out = R"({
 "openrpc": "1.2.6",
 "info": {
  "title": "Rock, paper, scissors",
  "version": "1.0.0",
  "description": "Play against the house, or a duel against somebody else."
 },
 "methods": [
  {
   "name": "play",
   "summary": "Play one round against the house.",
   "paramStructure": "either",
   "params": [
    {"name": "player_move", "required": true, "schema": {"$ref": "#/components/schemas/Move"}},
    {"name": "session_id",
     "summary": "Rounds with the same id are scored together; without one a round stands alone.",
     "schema": {"$ref": "#/components/schemas/Id"}}
   ],
   "result": {"name": "round", "schema": {"$ref": "#/components/schemas/Round"}},
   "errors": [
    {"$ref": "#/components/errors/InvalidParams"},
    {"$ref": "#/components/errors/Overloaded"},
    {"$ref": "#/components/errors/Unavailable"}
   ]
  },
  {
   "name": "score",
   "summary": "The rounds of a session so far.",
   "paramStructure": "either",
   "params": [
    {"name": "session_id", "required": true, "schema": {"$ref": "#/components/schemas/Id"}}
   ],
   "result": {"name": "score", "schema": {"$ref": "#/components/schemas/Score"}},
   "errors": [
    {"$ref": "#/components/errors/InvalidParams"},
    {"$ref": "#/components/errors/Unknown"}
   ]
  },
  {
   "name": "join",
   "summary": "Sit down at a duel; its events are pushed to this connection from now on.",
   "description": "Not over HTTP, which cannot push.",
   "paramStructure": "either",
   "params": [
    {"name": "game_id", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
    {"name": "player_id", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
    {"name": "best_of", "summary": "Odd; what the first of the two asks for counts.",
     "schema": {"type": "integer", "minimum": 1, "maximum": 99, "not": {"multipleOf": 2},
                "default": 3}}
   ],
   "result": {
    "name": "chair",
    "schema": {
     "type": "object",
     "required": ["seat", "best_of"],
     "properties": {
      "seat": {"type": "integer", "minimum": 1, "maximum": 2},
      "best_of": {"type": "integer", "minimum": 1, "maximum": 99}
     }
    }
   },
   "errors": [
    {"$ref": "#/components/errors/InvalidParams"},
    {"$ref": "#/components/errors/Overloaded"},
    {"$ref": "#/components/errors/Refused"}
   ]
  },
  {
   "name": "throw",
   "summary": "Throw in a duel; what was thrown stays hidden until the other has thrown too.",
   "paramStructure": "either",
   "params": [
    {"name": "game_id", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
    {"name": "player_id", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
    {"name": "move", "required": true, "schema": {"$ref": "#/components/schemas/Move"}}
   ],
   "result": {
    "name": "accepted",
    "schema": {
     "type": "object",
     "required": ["accepted"],
     "properties": {"accepted": {"const": true}}
    }
   },
   "errors": [
    {"$ref": "#/components/errors/InvalidParams"},
    {"$ref": "#/components/errors/Unknown"},
    {"$ref": "#/components/errors/Refused"}
   ]
  },
  {
   "name": "leave",
   "summary": "Stand up from a duel.",
   "paramStructure": "either",
   "params": [
    {"name": "game_id", "required": true, "schema": {"$ref": "#/components/schemas/Id"}},
    {"name": "player_id", "required": true, "schema": {"$ref": "#/components/schemas/Id"}}
   ],
   "result": {
    "name": "done",
    "schema": {
     "type": "object",
     "required": ["done"],
     "properties": {"done": {"const": true}}
    }
   },
   "errors": [
    {"$ref": "#/components/errors/InvalidParams"},
    {"$ref": "#/components/errors/Unknown"}
   ]
  },
  {
   "name": "rpc.discover",
   "summary": "This document.",
   "params": [],
   "result": {"name": "document", "schema": {"type": "object"}}
  }
 ],
 "components": {
  "schemas": {
   "Move": {"enum": ["ROCK", "PAPER", "SCISSORS"]},
   "Result": {"enum": ["WIN", "DRAW", "LOSE"], "description": "As the player sees it."},
   "Id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"},
   "Score": {
    "type": "object",
    "required": ["wins", "draws", "losses", "rounds"],
    "properties": {
     "wins": {"type": "integer", "minimum": 0},
     "draws": {"type": "integer", "minimum": 0},
     "losses": {"type": "integer", "minimum": 0},
     "rounds": {"type": "integer", "minimum": 0}
    }
   },
   "Round": {
    "type": "object",
    "required": ["opponent_move", "result", "reason", "round", "score"],
    "properties": {
     "opponent_move": {"$ref": "#/components/schemas/Move"},
     "result": {"$ref": "#/components/schemas/Result"},
     "reason": {"type": "string"},
     "round": {"type": "integer", "minimum": 0},
     "score": {"$ref": "#/components/schemas/Score"}
    }
   }
  },
  "errors": {
   "InvalidParams": {"code": -32602, "message": "Invalid params"},
   "Overloaded": {"code": -32000, "message": "the server is at its limit, try again later",
                  "data": {"error": "overloaded", "retry_after_ms": 1000}},
   "Unknown": {"code": -32001, "message": "no round was played in this session"},
   "Refused": {"code": -32002, "message": "this player cannot throw now"},
   "Unavailable": {"code": -32005, "message": "the server is not available"},
   "Unauthenticated": {"code": -32006, "message": "the caller is not known to this server"},
   "PermissionDenied": {"code": -32007,
                        "message": "the caller may not carry out this operation"}
  }
 }
})";

// Copies `laid_out` without its line feeds and the spaces behind them: where lines are messages,
// the document must be one. Returns how many bytes that takes.
constexpr std::size_t lay_flat(char* out) {
  std::size_t size = 0;
  bool at_line_start = false;
  for (const char c : laid_out) {
    at_line_start = c == '\n' || (at_line_start && c == ' ');
    if (at_line_start) continue;
    if (out != nullptr) out[size] = c;
    ++size;
  }
  return size;
}

constexpr auto flat = [] {
  std::array<char, lay_flat(nullptr)> bytes{};
  lay_flat(bytes.data());
  return bytes;
}();

constexpr std::string_view document(flat.data(), flat.size());
static_assert(document.size() + limits::reply_bytes_max < limits::frame_payload_bytes_max);

}  // namespace

std::string_view openrpc_document() {
  return document;
}

void append_openrpc_reply(std::string_view id, std::string& out) {
  out.append(R"({"jsonrpc":"2.0","id":)").append(id);
  out.append(R"(,"result":)").append(document).push_back('}');
}

}  // namespace rps::jsonrpc
