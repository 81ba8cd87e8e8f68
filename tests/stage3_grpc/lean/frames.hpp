// HTTP/2 frames of a server, written by hand (RFC 9113, section 6; RFC 7541, section 6.2.2).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/message_lite.h>

#include "rps/v1/rps.pb.h"

namespace rps::rpc::frames {

using Headers = std::vector<std::pair<std::string, std::string>>;

enum Type : char { data = 0, headers = 1, rst_stream = 3, settings = 4, goaway = 7 };
enum Flag : char { none = 0, end_stream = 1, end_headers = 4 };

inline std::string number(std::uint32_t value, int bytes) {
  std::string out;
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
  return out;
}

inline std::string frame(Type type, int flags, std::uint32_t stream, const std::string& payload) {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + number(stream, 4) + payload;
}

// Each as a literal that is not kept, with a new name.
inline std::string header_frame(std::uint32_t stream, const Headers& fields, int flags = none) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block.push_back(0);
    block.append(1, static_cast<char>(name.size())).append(name);
    block.append(1, static_cast<char>(value.size())).append(value);
  }
  return frame(headers, flags | end_headers, stream, block);
}

inline const Headers good_head{{":status", "200"}, {"content-type", "application/grpc"}};
inline const Headers good_end{{"grpc-status", "0"}};

inline std::string head(std::uint32_t stream, const Headers& fields = good_head) {
  return header_frame(stream, fields);
}
inline std::string trailers(std::uint32_t stream, const Headers& fields = good_end) {
  return header_frame(stream, fields, end_stream);
}

inline std::string message(const google::protobuf::MessageLite& content) {
  const std::string bytes = content.SerializeAsString();
  return std::string(1, 0) + number(static_cast<std::uint32_t>(bytes.size()), 4) + bytes;
}

inline std::string round_bytes() {
  v1::PlayResponse response;
  response.set_opponent_move(v1::PAPER);
  response.set_result(v1::LOSE);
  response.set_reason("paper covers rock");
  return message(response);
}

inline std::string body(std::uint32_t stream, const std::string& bytes = round_bytes()) {
  return frame(data, none, stream, bytes);
}

}  // namespace rps::rpc::frames
