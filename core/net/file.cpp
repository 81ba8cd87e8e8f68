#include "core/net/file.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "core/net/fd.hpp"

namespace rps::net {

std::expected<std::string, std::error_code> read_file(const std::filesystem::path& path,
                                                      std::size_t bytes_max) {
  const auto failed = [] {
    return std::unexpected(std::error_code(errno, std::system_category()));
  };
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failed();
  std::string text;
  std::array<char, 16'384> chunk;
  for (;;) {
    const ssize_t size = ::read(file.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed();
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
    if (text.size() > bytes_max) {
      return std::unexpected(std::make_error_code(std::errc::file_too_large));
    }
  }
}

}  // namespace rps::net
