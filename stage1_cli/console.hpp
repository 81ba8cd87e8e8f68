// The interface through which the interactive game writes to a person and reads what the person
// types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rps::cli {

class Console {
 public:
  virtual void write(std::string_view text) = 0;

  // Asks for a line, and hands it over without its end. Nothing when the person is gone (Ctrl-D,
  // Ctrl-C, the end of a pipe, a request to terminate): from then on always nothing.
  virtual std::optional<std::string> ask(std::string_view prompt) = 0;

  // The same, without showing what is typed.
  virtual std::optional<std::string> ask_hidden(std::string_view prompt) = 0;

 protected:
  ~Console() = default;
};

// Puts colour around text, or leaves it as it is.
class Paint {
 public:
  explicit Paint(bool in_color) : in_color_(in_color) {}

  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string faint(std::string_view text) const { return paint("2", text); }
  std::string red(std::string_view text) const { return paint("31", text); }
  std::string green(std::string_view text) const { return paint("32", text); }
  std::string yellow(std::string_view text) const { return paint("33", text); }

 private:
  // The codes are those of ECMA-48, "select graphic rendition".
  std::string paint(std::string_view code, std::string_view text) const {
    if (!in_color_) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }

  bool in_color_;
};

}  // namespace rps::cli
