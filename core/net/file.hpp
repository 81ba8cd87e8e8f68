// Reading and writing whole files.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace rps::net {

// The bytes of a regular file; those of /proc and /sys, whose length is unknown before they are
// read, are regular too. Never waits for another program: a pipe, a socket and a device are refused
// without a byte being read, because they may have no end.
// The error says what is wrong with the file and is to be put behind its name: "is larger than
// 1MiB", "cannot be read: No such file or directory".
std::expected<std::string, std::string> read_file(const std::filesystem::path& path,
                                                  std::size_t bytes_max = std::size_t{64} << 20);

// Writes all of `text` to descriptor `fd`, and waits where the descriptor is non-blocking. The
// error is the system's; some of the text may have been written then.
std::error_code write_all(int fd, std::string_view text);

// Makes `text` the content of the file. What the file held before stays there until all of `text`
// has been written to "PATH.PID.new" beside it, which then takes its place: a failure destroys
// nothing, and of two processes that write it at once the later one wins.
// A symbolic link stays one. What is no regular file, such as a pipe, is written to as it is.
std::error_code write_file(const std::filesystem::path& path, std::string_view text);

// Why write_file() could not begin; no error when it could. Leaves everything as it was. That a
// disk is full shows only when it is written to.
std::error_code try_write_file(const std::filesystem::path& path);

}  // namespace rps::net
