// The parameters of the harness's own URLs.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "core/url.hpp"

namespace rps::load {

// Refuses a parameter that is none of `known`, and one that is given twice. Throws
// std::invalid_argument with a sentence.
void check_parameters(const Url& url, std::initializer_list<std::string_view> known);

// The size that the parameter `name` tells, from 1 byte to 1 MiB. Throws
// std::invalid_argument when it is missing or no such number.
std::size_t read_bytes(const Url& url, std::string_view name);

// For a URL that names a host and port and nothing behind them, or a file and no host. Throw
// std::invalid_argument.
void check_is_address(const Url& url);
void check_is_file(const Url& url);

}  // namespace rps::load
