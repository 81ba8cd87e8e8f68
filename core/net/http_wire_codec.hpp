// What all clients' codecs over HTTP/1.1 have in common: each call is a request, each reply a
// response, in the same order. The connection stays open until the server says that it closes it.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/error.hpp"
#include "core/net/http_response.hpp"
#include "core/net/wire_codec.hpp"

namespace rps::net {

// What a status means when the body of the response does not say it (docs/errors.md).
Error error_of_status(int status);

// Reads responses, whichever HttpResponseReader reads; a codec for one protocol derives from it,
// writes the requests, and reads bodies. The last reply of its stream is one whose header says so
// (`Connection: close`, HTTP/1.0) or whose body ends with the stream. A body that is no reply
// breaks the stream when the status is 200; with another status the error is error_of_status(). An
// error is to be tried again after `Retry-After` if its body names no time. Events cannot come this
// way.
class HttpWireCodec : public WireCodec {
 public:
  Outcome decode(std::string_view bytes, const Expected* expected, std::size_t& consumed,
                 Reply& reply, Event& event) final;
  bool has_last_replies() const final { return true; }
  Outcome decode_end(std::string_view bytes, const Expected& expected, Reply& reply) final;

 protected:
  explicit HttpWireCodec(const HttpResponseReader::Limits& limits) : response_(limits) {}

 private:
  // Reads the body of the response to `expected`. `reply` comes in with nothing but the call's
  // operation. False when the body is no reply; what is in `reply` then means nothing. Views in
  // `reply` are as WireCodec::decode() has them; `body` is valid until the next call.
  virtual bool read_body(int status, std::string_view body, const Expected& expected,
                         Reply& reply) = 0;

  Outcome take_response(const Expected& expected, Reply& reply);

  HttpResponseReader response_;
};

}  // namespace rps::net
