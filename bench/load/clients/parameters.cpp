#include "bench/load/clients/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

#include "core/net/input_buffer.hpp"

namespace rps::load {

void check_parameters(const Url& url, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : url.query) {
    const auto is_it = [&](const auto& parameter) { return parameter.first == name; };
    if (std::ranges::find(known, name) == known.end()) {
      throw std::invalid_argument("a URL of " + url.scheme + " knows no '" + name + "'");
    }
    if (std::ranges::count_if(url.query, is_it) > 1) {
      throw std::invalid_argument("'" + name + "' is given twice");
    }
  }
}

std::size_t read_bytes(const Url& url, std::string_view name) {
  const std::string_view text = url.find(name).value_or("");
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || number == 0 ||
      number > net::InputBuffer::bytes_max) {
    std::string message = "a URL of " + url.scheme + " needs '";
    message.append(name).append("', a number of bytes from 1 to 1048576, not '").append(text);
    throw std::invalid_argument(message.append("'"));
  }
  return number;
}

void check_is_address(const Url& url) {
  if (url.host.empty() || !url.path.empty()) {
    throw std::invalid_argument("this URL is " + url.scheme + "://HOST:PORT");
  }
}

void check_is_file(const Url& url) {
  if (!url.host.empty() || url.path.empty()) {
    throw std::invalid_argument("this URL is " + url.scheme + ":PATH");
  }
}

}  // namespace rps::load
