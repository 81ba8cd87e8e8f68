#include "core/etcd/module.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include <dlfcn.h>

namespace rps::etcd {

namespace {

// Made by module_entry.cpp, with the same compiler and the same sources.
using MakeDirectory = void (*)(server::Directory& out);

// The module stays loaded: what it has made refers to its code.
server::Directory load() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::string path = program.parent_path() / "rps-etcd.so";
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const made = module != nullptr ? ::dlsym(module, "rps_etcd_directory") : nullptr;
  if (made == nullptr) {
    throw std::invalid_argument(std::string("the module that knows etcd cannot be loaded: ") +
                                ::dlerror());
  }
  server::Directory directory;
  reinterpret_cast<MakeDirectory>(made)(directory);
  return directory;
}

}  // namespace

server::Directory directory_in_module() {
  return {.schemes = {"etcd", "etcds"},
          .read_register = [](const Url& url) { return load().read_register(url); },
          .read_config = [](const Url& url) { return load().read_config(url); },
          .follow_config =
              [](const Url& url, std::string known, server::Directory::Warn warn) {
                return load().follow_config(url, std::move(known), std::move(warn));
              }};
}

}  // namespace rps::etcd
