#include "core/etcd/directory.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <grpc/support/log.h>

#include "core/etcd/config_key.hpp"
#include "core/etcd/connection.hpp"
#include "core/etcd/registration.hpp"
#include "core/fleet/service_name.hpp"

namespace rps::etcd {

namespace {

// `further` is what the flag's URL may have besides endpoint_parameters.
void check_parameters(const Url& url, std::span<const std::string_view> further) {
  std::set<std::string_view> seen;
  for (const auto& [name, value] : url.query) {
    const bool is_known = std::ranges::find(further, name) != further.end() ||
                          std::ranges::find(endpoint_parameters, name) != endpoint_parameters.end();
    if (!is_known) throw std::invalid_argument("an etcd URL of this flag knows no '" + name + "'");
    if (!seen.insert(name).second) {
      throw std::invalid_argument("'" + name + "' stands twice in the etcd URL");
    }
  }
}

server::Directory::Register read_register(const Url& url) {
  constexpr std::array<std::string_view, 1> further{"service"};
  check_parameters(url, further);
  return [endpoint = read_endpoint(url), prefix = read_prefix(url),
          service = fleet::read_service(url.find("service").value_or("rps"))](server::Entry entry) {
    return std::make_unique<EtcdRegistration>(endpoint, prefix, service, std::move(entry));
  };
}

ConfigKey::Name read_config_key(const Url& url) {
  check_parameters(url, {});
  return {.endpoint = read_endpoint(url), .key = read_key(url)};
}

}  // namespace

server::Directory directory() {
  gpr_set_log_function([](gpr_log_func_args*) {});
  return {.schemes = {"etcd", "etcds"},
          .read_register = read_register,
          .read_config = [](const Url& url) { return ConfigKey::read(read_config_key(url)); },
          .follow_config =
              [](const Url& url, std::string known, server::Directory::Warn warn) {
                return std::make_unique<ConfigKey>(read_config_key(url), std::move(known),
                                                   std::move(warn));
              }};
}

}  // namespace rps::etcd
