#include "core/server/descriptors.hpp"

#include <algorithm>

#include <spdlog/logger.h>
#include <sys/resource.h>

#include "core/server/limits.hpp"

namespace rps::server {

std::size_t reserve_descriptors(std::size_t connections_max, spdlog::logger& log) {
  const rlim_t wanted = connections_max + limits::other_descriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return connections_max;
  rlimit raised = limit;
  raised.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  if (limit.rlim_cur >= wanted) return connections_max;
  const rlim_t others = std::min<rlim_t>(limits::other_descriptors, limit.rlim_cur / 2);
  log.warn("only {} connections may be open: the process may have {} descriptors",
           limit.rlim_cur - others, limit.rlim_cur);
  return limit.rlim_cur - others;
}

}  // namespace rps::server
