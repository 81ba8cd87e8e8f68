#include "stage3_grpc/rest/call.hpp"

#include <iterator>

namespace rps::rpc::rest {

std::optional<std::string_view> Call::header(std::string_view name) {
  const auto [first, last] = request_.equal_range({name.data(), name.size()});
  if (std::distance(first, last) != 1) return std::nullopt;
  return std::string_view(first->value().data(), first->value().size());
}

void Call::add_trailer(const std::string& name, const std::string& value) {
  fields_.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace rps::rpc::rest
