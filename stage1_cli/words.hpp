// Text of the interactive game: the words that people type, and formatting of what they read.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

#include "core/move.hpp"

namespace rps::cli {

// All parts behind one another, as a stream would print them.
template <class... Parts>
std::string text_of(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

inline std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Without the spaces, tabs and carriage returns around it.
inline std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// "rock"
inline std::string name_of(Move move) {
  return to_lower(to_string(move));
}

inline bool is_quit(std::string_view word) {
  return word == "quit" || word == "q" || word == "exit";
}

}  // namespace rps::cli
