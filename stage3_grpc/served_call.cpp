#include "stage3_grpc/served_call.hpp"

#include <iterator>

#include <grpcpp/server_context.h>

namespace rps::rpc {

std::optional<std::string_view> ServedCall::header(std::string_view name) {
  const auto [begin, end] =
      context_.client_metadata().equal_range(grpc::string_ref(name.data(), name.size()));
  if (std::distance(begin, end) != 1) return std::nullopt;
  return std::string_view(begin->second.data(), begin->second.size());
}

std::string_view ServedCall::peer() {
  if (!peer_) peer_ = context_.peer();
  return *peer_;
}

std::shared_ptr<const std::string> ServedCall::certificate_identity() {
  const std::shared_ptr<const Peer> found = shared_.peers.find(peer());
  if (!found || found->identity.empty()) return nullptr;
  return {found, &found->identity};
}

void ServedCall::add_trailer(const std::string& name, const std::string& value) {
  context_.AddTrailingMetadata(name, value);
}

}  // namespace rps::rpc
