#include "stage3_grpc/lean/connection.hpp"

#include <array>
#include <cassert>
#include <cstring>
#include <ranges>

#include "stage3_grpc/lean/nghttp2.hpp"

namespace rps::rpc {

namespace {

// What the peer may send before it must hear that it was read: nghttp2 tells it after half of that,
// so the many small answers of a connection share one WINDOW_UPDATE.
constexpr std::int32_t connection_window_bytes = 1 << 30;
constexpr std::uint32_t stream_window_bytes = 1 << 20;

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

LeanCall* call_of(nghttp2_session* session, std::int32_t stream) {
  return static_cast<LeanCall*>(nghttp2_session_get_stream_user_data(session, stream));
}

ssize_t read_request(nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t room,
                     std::uint32_t* flags, nghttp2_data_source* source, void*) {
  auto& call = *static_cast<LeanCall*>(source->ptr);
  const std::string_view bytes = call.take_request(room);
  std::memcpy(buffer, bytes.data(), bytes.size());
  if (call.is_request_taken()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes.size());
}

}  // namespace

std::vector<nghttp2_nv> LeanHeaders::make(std::string_view path) const {
  std::vector<nghttp2_nv> headers{
      header(":method", "POST"),       header(":scheme", scheme_),
      header(":path", path),           header(":authority", authority_),
      header("te", "trailers"),        header("content-type", "application/grpc"),
      header("user-agent", "rps-lean")};
  if (!authorization_.empty()) headers.push_back(header("authorization", authorization_));
  return headers;
}

// What nghttp2 tells while it reads and writes. `user` is the connection.
struct LeanConnection::Callbacks {
  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                       std::size_t value_size, std::uint8_t, void*) {
    LeanCall* const call = call_of(session, frame->hd.stream_id);
    if (call != nullptr) call->on_header(view(name, name_size), view(value, value_size));
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t stream,
                     const std::uint8_t* bytes, std::size_t size, void*) {
    LeanCall* const call = call_of(session, stream);
    if (call != nullptr) call->on_data(view(bytes, size));
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& self = *static_cast<LeanConnection*>(user);
    if (frame->hd.type == NGHTTP2_SETTINGS) self.has_settings_ = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) self.is_leaving_ = true;
    return 0;
  }

  static int on_frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    LeanCall* const call = call_of(session, frame->hd.stream_id);
    if (call != nullptr) call->has_left = true;
    return 0;
  }

  // Also of a request that GOAWAY overtook before it was sent.
  static int on_stream_close(nghttp2_session* session, std::int32_t stream, std::uint32_t error,
                             void* user) {
    LeanCall* const call = call_of(session, stream);
    auto& self = *static_cast<LeanConnection*>(user);
    if (call != nullptr) self.end(*call, self.fate_of(*call, error));
    return 0;
  }
};

LeanConnection::LeanConnection(const LeanHeaders& headers, LeanMessages& messages,
                               std::size_t depth)
    : headers_(headers), messages_(messages), calls_(depth) {
  for (LeanCall& call : std::views::reverse(calls_)) idle_.push_back(&call);
  unsent_.reserve(depth);
  ended_.reserve(depth);

  nghttp2_session_callbacks* raw = nullptr;
  check(nghttp2_session_callbacks_new(&raw));
  const std::unique_ptr<nghttp2_session_callbacks, void (*)(nghttp2_session_callbacks*)> callbacks(
      raw, nghttp2_session_callbacks_del);
  nghttp2_session_callbacks_set_on_header_callback(raw, Callbacks::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, Callbacks::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(raw, Callbacks::on_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(raw, Callbacks::on_frame_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(raw, Callbacks::on_stream_close);
  nghttp2_session* session = nullptr;
  check(nghttp2_session_client_new(&session, raw, this));
  session_.reset(session);

  const std::array<nghttp2_settings_entry, 2> settings{
      {{.settings_id = NGHTTP2_SETTINGS_ENABLE_PUSH, .value = 0},
       {.settings_id = NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, .value = stream_window_bytes}}};
  check(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
  check(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                              connection_window_bytes));
}

std::size_t LeanConnection::begin(std::uint64_t id, const Command& command,
                                  Clock::time_point sent_at) {
  assert(has_room());
  LeanCall& call = *idle_.back();
  idle_.pop_back();
  call.begin(id, command, messages_);
  call.sent_at = sent_at;
  submit(call);
  return static_cast<std::size_t>(&call - calls_.data());
}

// nghttp2 sends RST_STREAM before all that it still has to send of the stream, and drops the rest.
void LeanConnection::cancel(std::size_t handle) {
  LeanCall& call = calls_[handle];
  assert(call.stream != 0);
  nghttp2_session_set_stream_user_data(session_.get(), call.stream, nullptr);
  // It fails only without memory; then the peer's answer comes, and belongs to nobody.
  (void)nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, call.stream, NGHTTP2_CANCEL);
  call.stream = 0;
  release(call);
}

void LeanConnection::begin_again(LeanCall& ended) {
  assert(has_room());
  LeanCall& call = *idle_.back();
  idle_.pop_back();
  call.take_over(ended);
  submit(call);
}

void LeanConnection::submit(LeanCall& call) {
  const nghttp2_data_provider body{.source = {.ptr = &call}, .read_callback = read_request};
  const std::vector<nghttp2_nv>& headers = headers_.of(call.operation());
  const std::int32_t stream =
      nghttp2_submit_request(session_.get(), nullptr, headers.data(), headers.size(), &body, &call);
  if (stream < 0) {  // No numbers left, or no memory.
    is_leaving_ = true;
    if (call.sent_at == Clock::time_point{}) call.sent_at = Clock::now();
    end(call, Fate::not_processed);
    return;
  }
  call.stream = stream;
  unsent_.push_back(&call);
}

bool LeanConnection::write(std::string& out, Clock::time_point now) {
  stamp_unsent(now);
  for (;;) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) return false;
    if (size == 0) return true;
    out += view(bytes, static_cast<std::size_t>(size));
  }
}

bool LeanConnection::read(std::string_view bytes) {
  const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return nghttp2_session_mem_recv(session_.get(), data, bytes.size()) >= 0;
}

// A call that is sent again keeps the time when it was sent first.
void LeanConnection::stamp_unsent(Clock::time_point now) {
  for (LeanCall* const call : unsent_) {
    if (call->sent_at == Clock::time_point{}) call->sent_at = now;
  }
  unsent_.clear();
}

// What it means for the call that its stream is closed with this error code.
LeanConnection::Fate LeanConnection::fate_of(const LeanCall& call, std::uint32_t error) const {
  if (error == NGHTTP2_NO_ERROR) return Fate::answered;
  if (!call.has_left) return Fate::not_processed;
  if (error != NGHTTP2_REFUSED_STREAM) return Fate::broken;
  return is_leaving_ ? Fate::not_processed : Fate::refused;
}

void LeanConnection::end(LeanCall& call, Fate fate) {
  call.stream = 0;
  ended_.push_back({.call = &call, .fate = fate});
}

void LeanConnection::release(LeanCall& call) {
  idle_.push_back(&call);
}

void LeanConnection::abandon(Clock::time_point now) {
  is_leaving_ = true;
  stamp_unsent(now);
  for (LeanCall& call : calls_) {
    if (call.stream != 0) end(call, call.has_left ? Fate::broken : Fate::not_processed);
  }
}

}  // namespace rps::rpc
