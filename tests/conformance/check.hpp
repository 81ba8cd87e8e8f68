// How a case says that the server is wrong.
#pragma once

#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/command.hpp"

namespace rps::conformance {

// A case throws one of these, or is passed.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct NotOffered : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
void put(std::ostream& out, const T& value) {
  if constexpr (requires { to_string(value); }) {
    out << to_string(value);
  } else {
    out << value;
  }
}

inline void put(std::ostream& out, const Score& score) {
  out << score.wins << " won " << score.draws << " drawn " << score.losses << " lost";
}

inline void put(std::ostream& out, Seat seat) {
  out << static_cast<int>(seat);
}

inline void put(std::ostream& out, const Id& id) {
  out << '\'' << id.view() << '\'';
}

inline void put(std::ostream& out, const std::optional<Error>& error) {
  out << (error ? to_string(*error) : "accepted");
}

// A sentence from its parts.
template <class... Parts>
std::string say(const Parts&... parts) {
  std::ostringstream out;
  (put(out, parts), ...);
  return std::move(out).str();
}

template <class... Parts>
void require(bool holds, const Parts&... otherwise) {
  if (!holds) throw Failed(say(otherwise...));
}

template <class T>
void require_equal(std::string_view what, const T& is, const T& must_be) {
  require(is == must_be, what, " is ", is, ", must be ", must_be);
}

}  // namespace rps::conformance
