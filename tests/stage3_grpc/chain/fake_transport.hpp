// A call without a transport: what it has, and what was asked of it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "stage3_grpc/chain/call_info.hpp"

namespace rps::rpc::chain {

struct FakeTransport final : Transport {
  std::optional<std::string_view> header(std::string_view name) override {
    ++headers_asked;
    const auto [begin, end] = headers.equal_range(std::string(name));
    if (begin == end || std::next(begin) != end) return std::nullopt;
    return begin->second;
  }
  std::string_view peer() override {
    ++peers_asked;
    return address;
  }
  std::shared_ptr<const std::string> certificate_identity() override { return certificate; }
  void add_trailer(const std::string& name, const std::string& value) override {
    trailers.emplace(name, value);
  }

  CallInfo call() { return {.transport = *this, .method = "/service/Method"}; }

  std::multimap<std::string, std::string> headers;
  std::string address = "ipv4:127.0.0.1:4242";
  std::shared_ptr<const std::string> certificate;
  std::multimap<std::string, std::string> trailers;
  int headers_asked = 0;
  int peers_asked = 0;
};

}  // namespace rps::rpc::chain
