#include "stage3_grpc/rest/negotiation.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include <boost/beast/core/string.hpp>

namespace rps::rpc::rest {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

bool is_same(std::string_view a, std::string_view b) {
  return beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t";
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(space)));
  text.remove_suffix(text.size() - (text.find_last_not_of(space) + 1));
  return text;
}

// The part up to `separator`, which is taken off the front of `rest` together with it.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::string_view part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return trimmed(part);
}

// "0.25" as 250. What is no weight counts as 0, so that nothing is sent that was not asked for.
int parse_weight(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '1') return 0;
  int weight = 1'000 * (text[0] - '0');
  if (text.size() > 1 && text[1] != '.') return 0;
  int unit = 100;
  for (const char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (digit < '0' || digit > '9') return 0;
    weight += unit * (digit - '0');
    unit /= 10;
  }
  return std::min(weight, 1'000);
}

struct Range {
  std::string_view type;
  int weight = 1'000;
};

// "text/html;level=1;q=0.4"; of its parameters only the weight matters to media types of ours.
Range parse_range(std::string_view text) {
  Range range{.type = take_until(text, ';')};
  while (!text.empty()) {
    std::string_view value = take_until(text, ';');
    if (is_same(take_until(value, '='), "q")) range.weight = parse_weight(value);
  }
  return range;
}

// 3 for the type itself, 2 for all of its kind, 1 for all, 0 for others.
int specificity(std::string_view range, std::string_view type) {
  if (is_same(range, type)) return 3;
  if (range == "*/*") return 1;
  const std::size_t kind = type.find('/') + 1;
  const bool is_kind = range.size() == kind + 1 && range.ends_with('*') &&
                       is_same(range.substr(0, kind), type.substr(0, kind));
  return is_kind ? 2 : 0;
}

}  // namespace

Preference preference(const net::HttpRequest& request, std::string_view type) {
  const auto [first, last] = request.equal_range(http::field::accept);
  if (first == last) return {};
  Preference found{.weight = 0};
  int closest = 0;
  for (auto field = first; field != last; ++field) {
    for (std::string_view rest = view(field->value()); !rest.empty();) {
      const Range range = parse_range(take_until(rest, ','));
      const int fit = specificity(range.type, type);
      if (fit <= closest) continue;
      closest = fit;
      found = {.weight = range.weight, .is_named = fit == 3};
    }
  }
  return found;
}

bool is_own_origin(const net::HttpRequest& request) {
  const std::string_view host = view(request[http::field::host]);
  const auto [first, last] = request.equal_range(http::field::origin);
  return std::all_of(first, last, [host](const auto& field) {
    const std::string_view origin = view(field.value());
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (origin.starts_with(scheme)) return is_same(origin.substr(scheme.size()), host);
    }
    return false;
  });
}

}  // namespace rps::rpc::rest
