#include "bench/load/clients/parameters.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "core/net/input_buffer.hpp"
#include "core/number.hpp"

namespace rps::load {

void check_parameters(const Url& url, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : url.query) {
    const auto is_it = [&](const auto& parameter) { return parameter.first == name; };
    if (std::ranges::find(known, name) == known.end()) {
      std::string names;
      for (const std::string_view each : known) {
        names.append(names.empty() ? "" : ", ").append(each);
      }
      throw std::invalid_argument("a URL of " + url.scheme + " takes " +
                                  (names.empty() ? "no parameter" : names) + ", not '" + name +
                                  "'");
    }
    if (std::ranges::count_if(url.query, is_it) > 1) {
      throw std::invalid_argument("'" + name + "' is given twice");
    }
  }
}

std::size_t read_bytes(const Url& url, std::string_view name) {
  const auto text = url.find(name);
  if (!text)
    throw std::invalid_argument("a URL of " + url.scheme + " needs '" + std::string(name) + "'");
  const auto bytes = parse_size(*text, {.min = 1, .max = net::InputBuffer::bytes_max});
  if (!bytes) throw std::invalid_argument(std::string(name) + " " + bytes.error());
  return *bytes;
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
