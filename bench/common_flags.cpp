#include "bench/common_flags.hpp"

#include <fstream>
#include <iostream>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "bench/load/environment.hpp"

namespace rps::load {

namespace {

namespace fs = std::filesystem;

fs::path own_directory() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

void warn(const std::string& text) {
  std::cerr << "rps-bench: WARNING: " << text << '\n';
}

}  // namespace

void CommonFlags::add_to(CLI::App& command) {
  command.add_option("--server-cpu", server_cpu_, "CPU of the servers; the first if not given");
  command.add_option("--load-cpu", load_cpu_, "CPU of the harness; the last if not given");
  command.add_option("--bin", binaries_, "Where the servers are; beside rps-bench if not given");
  command.add_option("--out", out_, "Where the report goes; `report` there if not given");
  command.add_flag("--quiet", quiet_, "No progress");
}

std::optional<CpuPlan> CommonFlags::take_cpus() const {
  const auto cpus = plan_cpus(usable_cpus(), server_cpu_, load_cpu_);
  if (!cpus) {
    std::cerr << "rps-bench: " << cpus.error() << '\n';
    return std::nullopt;
  }
  if (const std::string warning = build_warning(); !warning.empty()) warn(warning);
  if (cpus->shared()) warn("server and load share one CPU");
  pin_process(::getpid(), cpus->load);
  return *cpus;
}

fs::path CommonFlags::binaries() const {
  return binaries_.empty() ? own_directory() : fs::path(binaries_);
}

fs::path CommonFlags::out() const {
  const fs::path directory = out_.empty() ? own_directory() / "report" : fs::path(out_);
  fs::create_directories(directory);
  return directory;
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace rps::load
