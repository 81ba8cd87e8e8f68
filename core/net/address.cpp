#include "core/net/address.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <memory>

#include <netinet/in.h>

#include "core/number.hpp"

namespace rps::net {

namespace {

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

// All addresses of the target, with getaddrinfo's `flags`; or its error code.
std::expected<AddressList, int> ask_system(const HostPort& target, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(target.port);
  const int failure = ::getaddrinfo(target.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) return std::unexpected(failure);
  return AddressList(found);
}

// Begins with the family of the first one.
void take_families_in_turns(std::vector<Address>& addresses) {
  const auto is_of_first = [family = addresses.front().storage.ss_family](const Address& address) {
    return address.storage.ss_family == family;
  };
  for (std::size_t i = 1; i < addresses.size(); ++i) {
    const bool wants_first = i % 2 == 0;
    const auto from = addresses.begin() + static_cast<std::ptrdiff_t>(i);
    const auto found = std::find_if(from, addresses.end(), [&](const Address& address) {
      return is_of_first(address) == wants_first;
    });
    if (found == addresses.end()) return;
    std::rotate(from, found, found + 1);
  }
}

}  // namespace

Address to_address(const addrinfo& info) {
  Address address;
  assert(info.ai_addrlen <= sizeof address.storage);
  std::memcpy(&address.storage, info.ai_addr, info.ai_addrlen);
  address.size = info.ai_addrlen;
  return address;
}

std::string peer_text(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (::getpeername(fd, name, &size) != 0 ||
      ::getnameinfo(name, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "a peer that has gone";
  }
  return to_string(
      HostPort{.host = host.data(), .port = parse_number<std::uint16_t>(port.data()).value_or(0)});
}

std::optional<Address> parse_address(const HostPort& target) {
  const auto found = ask_system(target, AI_NUMERICHOST);
  if (!found) return std::nullopt;
  return to_address(**found);
}

FoundAddresses look_up(const HostPort& target) {
  const auto found = ask_system(target, 0);
  if (!found) {
    return std::unexpected("cannot resolve " + target.host + " port " +
                           std::to_string(target.port) + " (" + ::gai_strerror(found.error()) +
                           ")");
  }
  std::vector<Address> addresses;
  for (const addrinfo* at = found->get(); at != nullptr; at = at->ai_next) {
    const Address next = to_address(*at);
    if (std::ranges::find(addresses, next) == addresses.end()) addresses.push_back(next);
  }
  take_families_in_turns(addresses);
  return addresses;
}

}  // namespace rps::net
