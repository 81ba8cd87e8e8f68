#include "bench/report/markup.hpp"

namespace rps::report {

namespace {

void append_escaped(char c, std::string& out) {
  switch (c) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    case '\'': out += "&#39;"; return;
    default: break;
  }
  const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  if (!is_control || c == '\n' || c == '\t') out += c;
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) append_escaped(c, out);
  return out;
}

std::string element(std::string_view name, Attributes attributes, std::string_view content) {
  std::string out = "<";
  out += name;
  for (const auto& [attribute, value] : attributes) {
    if (value.empty()) continue;
    out.append(" ").append(attribute).append("=\"").append(escape_markup(value)).append("\"");
  }
  return out.append(">").append(content).append("</").append(name).append(">");
}

std::string text_element(std::string_view name, Attributes attributes, std::string_view text) {
  return element(name, attributes, escape_markup(text));
}

}  // namespace rps::report
