#include "bench/scenarios/trial_files.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "bench/machine/process.hpp"
#include "bench/scenarios/targets.hpp"
#include "core/clock.hpp"
#include "core/net/file.hpp"
#include "core/server/unsupported.hpp"

namespace rps::scenarios {

namespace {

constexpr std::string_view mark = "{files}";

constexpr std::chrono::seconds certificates_max{60};

// The SHA-256 of "rps-bench", all operations, and a name.
constexpr std::string_view callers =
    "dcfe57d00975ad8d49fc3c04476ad2a2ce3dd596a118404cd272594ad82c58b0 * rps-bench\n";

std::string replace(std::string text, const std::string& path) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + path.size())) {
    text.replace(at, mark.size(), path);
  }
  return text;
}

// Throws std::system_error.
std::filesystem::path make_folder(const std::filesystem::path& scratch) {
  std::string name = std::filesystem::absolute(scratch) / "trial.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::system_category(), "cannot make " + name);
  }
  return name;
}

void require_openssl() {
  try {
    machine::Process({.argv = {"openssl", "version"}, .stderr_file = {}, .cpus = {}});
  } catch (const std::system_error& failure) {
    throw server::Unsupported(std::string("no certificates can be made: ") + failure.what());
  }
}

// The script's exit code is the last line that the shell prints.
void make_certificates(const std::filesystem::path& folder) {
  require_openssl();
  machine::Process script(
      {.argv = {"sh", "-c", "\"$0\" \"$1\" 2>&1; echo $?", RPS_MAKE_CERTIFICATES, folder.string()},
       .stderr_file = {},
       .cpus = {}});
  std::string words;
  std::string code;
  const Clock::time_point deadline = Clock::now() + certificates_max;
  while (auto line = script.read_line(deadline)) {
    words = std::exchange(code, *std::move(line));
  }
  if (code != "0") {
    throw std::runtime_error(RPS_MAKE_CERTIFICATES " made no certificates: " + words);
  }
}

}  // namespace

TrialFiles::TrialFiles(const std::filesystem::path& scratch) : folder_(make_folder(scratch)) {
  try {
    make_certificates(folder_);
    if (const std::error_code error = net::write_file(folder_ / "callers", callers)) {
      throw std::system_error(error, "cannot write " + (folder_ / "callers").string());
    }
  } catch (...) {
    remove();
    throw;
  }
}

TrialFiles::~TrialFiles() {
  remove();
}

void TrialFiles::remove() noexcept {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool TrialFiles::are_for(const model::Target& target) {
  const auto has_mark = [](std::string_view text) { return text.contains(mark); };
  return has_mark(target.url) || std::ranges::any_of(target.server, has_mark);
}

model::Target TrialFiles::put_into(model::Target target) const {
  for (std::string& word : target.server) word = replace(std::move(word), folder_.string());
  target.url = replace(std::move(target.url), path_in_url(folder_));
  return target;
}

}  // namespace rps::scenarios
