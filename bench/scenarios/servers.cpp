#include "bench/scenarios/servers.hpp"

#include <fstream>
#include <ranges>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/load/limits.hpp"
#include "bench/scenarios/scrape.hpp"
#include "bench/scenarios/targets.hpp"
#include "core/net/file.hpp"
#include "core/number.hpp"
#include "core/server/unsupported.hpp"

namespace rps::scenarios {

namespace {

// The last line that `program` added to its log behind `begin`, without date, level and name.
std::string last_words(const std::filesystem::path& log, std::streamoff begin,
                       const std::string& program) {
  std::ifstream file(log);
  file.seekg(begin);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  const std::string mark = program + ": ";
  const std::size_t at = last.find(mark);
  return at == std::string::npos ? last : last.substr(at + mark.size());
}

std::streamoff size_of(const std::filesystem::path& file) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(file, failure);
  return failure ? 0 : static_cast<std::streamoff>(size);
}

// The URL in a line about a further port of the server, "admin http://127.0.0.1:41235".
std::string url_behind(const std::string& word, const std::string& line) {
  const std::string url = line.starts_with(word + " ") ? line.substr(word.size() + 1) : line;
  if (!parse_url(url)) {
    throw std::runtime_error("the server's line names no " + word + " port: " + line);
  }
  return url;
}

// `printed` with the address of a relay.
std::string through(const load::Relay& relay, const std::string& printed) {
  return printed.substr(0, printed.find(':')) + "://" + to_string(relay.address());
}

HostPort parse_admin(const std::string& line) {
  const auto url = parse_url(url_behind("admin", line));
  return {.host = url->host, .port = url->port};
}

// Starts a server and waits until it says where it is. Throws as Servers does.
StartedServer start_server(const ServerCommand& command) {
  const std::streamoff log_begin = size_of(command.log);
  StartedServer started{
      .process = std::make_unique<machine::Process>(machine::ProcessOptions{
          .argv = command.argv, .stderr_file = command.log, .cpus = command.cpus}),
      .url = {},
      .url_used = {},
      .admin = {}};
  const Clock::time_point deadline = Clock::now() + load::limits::start_max;
  const auto read_line = [&](const std::string& what) {
    auto line = started.process->read_line(deadline);
    if (line) return *std::move(line);
    const bool is_late = Clock::now() >= deadline;
    const int status = started.process->stop();  // Then its log is whole.
    const std::string program = std::filesystem::path(command.argv.front()).filename();
    if (is_late) {
      throw std::runtime_error(program + " did not print " + what + " within " +
                               duration_text(load::limits::start_max));
    }
    const std::string why = last_words(command.log, log_begin, program);
    const bool has_said_why = WIFEXITED(status) && !why.empty();
    const std::string sentence = program + (has_said_why ? " did not start: " + why
                                                         : " " + machine::describe_end(status) +
                                                               " before it printed " + what);
    if (WIFEXITED(status) && WEXITSTATUS(status) == server::exit_unsupported) {
      throw server::Unsupported(sentence);
    }
    throw std::runtime_error(sentence);
  };
  started.url = read_line("its URL");
  if (command.prints_admin) started.admin = parse_admin(read_line("its admin port"));
  started.url_used = started.url;
  if (!command.port.empty()) {
    started.url_used = url_behind(command.port, read_line("its " + command.port + " port"));
  }
  return started;
}

}  // namespace

Servers::Servers(model::Target target, const Options& options) {
  if (TrialFiles::are_for(target)) {
    files_.emplace(options.scratch);
    target = files_->put_into(std::move(target));
  }
  if (target.server.empty()) {
    url_ = target.url;
    return;
  }
  const bool keeps_log = !options.log_name.empty() && !target.drops_log;
  command_ = {
      .argv = target.server,
      .prints_admin = target.has_observer,
      .port = target.port,
      .log = keeps_log ? options.scratch / (options.log_name + ".log") : std::filesystem::path(),
      .cpus = options.cpus};
  std::vector<std::string> urls;
  for (std::size_t i = 0; i < target.instances; ++i) {
    urls.push_back(started_.emplace_back(start_server(command_)).url_used);
  }
  if (target.slow_by.count() > 0) {
    const Url first = parse_url(urls.front()).value();
    relay_.emplace(HostPort{.host = first.host, .port = first.port}, target.slow_by);
    urls.front() = through(*relay_, urls.front());
  }
  const bool has_scheme = !target.url.empty() && !target.url.starts_with('?');
  const bool is_listed = target.instances > 1 && !has_scheme;
  url_ = join_url(is_listed ? list(urls, options) : join_addresses(urls), target.url);
}

// Writes the file that lists the servers. Its URL.
std::string Servers::list(const std::vector<std::string>& urls, const Options& options) {
  registry_ = std::filesystem::absolute(options.scratch) /
              (options.log_name + "." + std::to_string(::getpid()) + ".services.json");
  const std::string text = nlohmann::json{{"rps", urls}}.dump();
  if (const std::error_code error = net::write_file(registry_, text)) {
    throw std::system_error(error, "cannot write " + registry_.string());
  }
  return "file://" + path_in_url(registry_) + "?service=rps";
}

Servers::~Servers() {
  std::error_code ignored;
  if (!registry_.empty()) std::filesystem::remove(registry_, ignored);
}

std::vector<pid_t> Servers::pids() const {
  std::vector<pid_t> pids;
  for (const StartedServer& each : started_) pids.push_back(each.process->pid());
  return pids;
}

StartedServer Servers::start_first_again() const {
  constexpr std::string_view listen = "--listen=";
  const Url first = parse_url(started_.front().url).value();
  ServerCommand again = command_;
  std::erase_if(again.argv, [&](const std::string& flag) { return flag.starts_with(listen); });
  again.argv.push_back(std::string(listen) + to_string(HostPort{first.host, first.port}));
  again.argv.emplace_back("--admin=127.0.0.1:0");
  again.prints_admin = true;
  return start_server(again);
}

std::optional<bool> Servers::observer_active() const {
  const auto& admin = started_.empty() ? std::nullopt : started_.back().admin;
  if (!admin) return std::nullopt;
  const auto text = http_get(*admin, "/metrics");
  if (!text) return std::nullopt;
  return metric_value(*text, "rps_observer_active").value_or(0) > 0;
}

std::string join_url(const std::string& printed, const std::string& wanted) {
  const std::size_t mark = wanted.find('?');
  const std::string scheme = wanted.substr(0, mark);
  std::string url = scheme.empty() ? printed : scheme + printed.substr(printed.find(':') + 1);
  if (mark == std::string::npos) return url;
  url += url.find('?') == std::string::npos ? '?' : '&';
  return url + wanted.substr(mark + 1);
}

std::string join_addresses(const std::vector<std::string>& urls) {
  constexpr std::string_view mark = "://";
  std::string joined = urls.front();
  for (const std::string& url : urls | std::views::drop(1)) {
    joined += ',' + url.substr(url.find(mark) + mark.size());
  }
  return joined;
}

}  // namespace rps::scenarios
