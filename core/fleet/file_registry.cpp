#include "core/fleet/file_registry.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>

#include "core/net/file.hpp"

namespace rps::fleet {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

std::expected<std::string, std::string> read_text(const fs::path& path) {
  return net::read_file(path, limits::registry_file_bytes_max);
}

}  // namespace

// ---- Reading -------------------------------------------------------------------------------

std::expected<std::vector<std::string>, std::string> parse_services(std::string_view text,
                                                                    std::string_view service) {
  const Json services = Json::parse(text, nullptr, false);
  if (!services.is_object()) return std::unexpected("is no JSON object");
  const auto found = services.find(service);
  const std::string name = "\"" + std::string(service) + "\"";
  if (found == services.end()) return std::unexpected("knows no service " + name);
  if (!found->is_array()) return std::unexpected("names no array of URLs for " + name);
  std::vector<std::string> urls;
  for (const Json& entry : *found) {
    if (!entry.is_string() || !is_instance_url(entry.get_ref<const std::string&>())) {
      return std::unexpected("lists under " + name + " what is no URL with host and port: " +
                             entry.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    const std::string& url = entry.get_ref<const std::string&>();
    if (std::ranges::find(urls, url) == urls.end()) urls.push_back(url);
  }
  if (urls.size() > limits::instances_max) {
    return std::unexpected("lists more than " + std::to_string(limits::instances_max) +
                           " instances of " + name);
  }
  return urls;
}

FileRegistry::FileRegistry(Options options, Clock::time_point now)
    : options_(std::move(options)),
      urls_(
          {options_.path},
          [path = options_.path, service = options_.service]() -> Urls {
            const auto text = read_text(path);
            return text ? parse_services(*text, service) : std::unexpected(text.error());
          },
          {.look_period = options_.reread_period}, now) {
  const Urls& urls = urls_.content();
  if (!urls) throw std::runtime_error(options_.path.string() + " " + urls.error());
  listing_ = {.version = 1, .urls = *urls};
}

bool FileRegistry::poll(Clock::time_point now) {
  if (!urls_.poll(now)) return false;
  const Urls& urls = urls_.content();
  const std::string service = "\"" + options_.service + "\"";
  if (!urls) {
    options_.warn(options_.path.string() + " " + urls.error() + "; the last list of " + service +
                  " stays");
  } else if (urls->empty()) {
    options_.warn(options_.path.string() + " lists no instance of " + service + " any longer");
  }
  if (!urls || *urls == listing_.urls) return false;
  listing_.urls = *urls;
  ++listing_.version;
  return true;
}

// ---- Writing -------------------------------------------------------------------------------

namespace {

// Holds the lock for as long as it lives.
net::Fd lock_beside(const fs::path& path) {
  const std::string name = path.string() + ".lock";
  net::Fd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) throw_errno("cannot lock " + name);
  return lock;
}

Json read_services(const fs::path& path) {
  if (!fs::exists(path)) return Json::object();
  const auto text = read_text(path);
  if (!text) throw std::runtime_error(path.string() + " " + text.error());
  Json services = Json::parse(*text, nullptr, false);
  if (!services.is_object()) throw std::runtime_error(path.string() + " is no JSON object");
  return services;
}

void replace_file(const fs::path& path, const std::string& text) {
  const std::error_code error = net::write_file(path, text);
  if (error) throw std::system_error(error, "cannot write " + path.string());
}

// Changes the list of one service: `change` says whether it did.
void change_services(const fs::path& path, const std::string& service,
                     const std::function<bool(Json& urls)>& change) {
  const net::Fd lock = lock_beside(path);
  Json services = read_services(path);
  Json& urls = services[service];
  if (urls.is_null()) urls = Json::array();
  if (!urls.is_array()) throw std::runtime_error(path.string() + " lists " + service + " oddly");
  if (change(urls)) replace_file(path, services.dump(2) + "\n");
}

}  // namespace

void FileRegistrar::add(const std::string& service, const std::string& url) {
  if (!is_instance_url(url)) throw std::invalid_argument("no URL with host and port: " + url);
  change_services(path_, service, [&](Json& urls) {
    if (std::ranges::find(urls, Json(url)) != urls.end()) return false;
    urls.push_back(url);
    return true;
  });
}

void FileRegistrar::remove(const std::string& service, const std::string& url) {
  change_services(path_, service, [&](Json& urls) {
    const auto found = std::ranges::find(urls, Json(url));
    if (found == urls.end()) return false;
    urls.erase(found);
    return true;
  });
}

}  // namespace rps::fleet
