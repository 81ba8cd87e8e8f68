// Reading whole files.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <system_error>

namespace rps::net {

// The bytes of a file. Files in /proc and /sys, whose length is unknown before they are read, work
// too.
// The error is the system's, or std::errc::file_too_large for more than `bytes_max` bytes.
std::expected<std::string, std::error_code> read_file(const std::filesystem::path& path,
                                                      std::size_t bytes_max = std::size_t{64}
                                                                              << 20);

}  // namespace rps::net
