#include "core/net/file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/net/fd.hpp"
#include "core/number.hpp"

namespace rps::net {

namespace {

namespace fs = std::filesystem;

std::error_code last_error() {
  return {errno, std::system_category()};
}

std::unexpected<std::string> unreadable(int error) {
  return std::unexpected("cannot be read: " + std::system_category().message(error));
}

}  // namespace

std::expected<std::string, std::string> read_file(const fs::path& path, std::size_t bytes_max) {
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for a writer.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return unreadable(errno);
  if (S_ISDIR(status.st_mode)) return unreadable(EISDIR);
  if (!S_ISREG(status.st_mode)) return std::unexpected("is no regular file");
  std::string text;
  std::array<char, 16'384> chunk;
  for (;;) {
    const ssize_t size = ::read(file.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return unreadable(errno);
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
    if (text.size() > bytes_max) {
      return std::unexpected("is larger than " + size_text(bytes_max));
    }
  }
}

std::error_code write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(fd, text.data(), text.size());
    if (size >= 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return last_error();
    }
  }
  return {};
}

// ---- Writing a file -------------------------------------------------------------------------

namespace {

// The new content of a file, until it takes the place of the old one. Goes with its owner if it
// never does.
class Draft {
 public:
  explicit Draft(const fs::path& path) : target_(behind_links(path)), path_(target_) {
    path_ += "." + std::to_string(::getpid()) + ".new";
    struct stat old{};
    const bool is_there = ::stat(target_.c_str(), &old) == 0;
    const mode_t mode = is_there ? old.st_mode & 07777 : 0666;
    fd_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!fd_) error_ = last_error();
    if (fd_ && is_there) ::fchmod(fd_.get(), mode);
  }
  ~Draft() {
    if (fd_) ::unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // Why there is none.
  std::error_code error() const { return error_; }

  std::error_code publish(std::string_view text) {
    if (const std::error_code error = write_all(fd_.get(), text)) return error;
    // Some file systems tell only when a file is closed that it could not be stored.
    if (::close(fd_.get()) != 0) return last_error();
    fd_.release();
    if (::rename(path_.c_str(), target_.c_str()) == 0) return {};
    const std::error_code error = last_error();
    ::unlink(path_.c_str());
    return error;
  }

 private:
  static fs::path behind_links(const fs::path& path) {
    std::error_code failure;
    fs::path target = fs::canonical(path, failure);
    return failure ? path : target;
  }

  fs::path target_;
  fs::path path_;
  Fd fd_;
  std::error_code error_;
};

// A device, a pipe, a folder: what a draft may not replace.
bool is_special(const fs::path& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  return fs::exists(status) && !fs::is_regular_file(status);
}

std::error_code write_special(const fs::path& path, std::string_view text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file ? write_all(file.get(), text) : last_error();
}

}  // namespace

std::error_code write_file(const fs::path& path, std::string_view text) {
  if (is_special(path)) return write_special(path, text);
  Draft draft(path);
  return draft.error() ? draft.error() : draft.publish(text);
}

std::error_code try_write_file(const fs::path& path) {
  if (!is_special(path)) return Draft(path).error();
  if (fs::is_directory(path)) return std::make_error_code(std::errc::is_a_directory);
  return ::access(path.c_str(), W_OK) == 0 ? std::error_code() : last_error();
}

}  // namespace rps::net
