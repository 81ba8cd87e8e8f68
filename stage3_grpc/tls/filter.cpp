#include "stage3_grpc/tls/filter.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "stage3_grpc/boundary/blocked_sockets.hpp"
#include "stage3_grpc/tls/identity.hpp"
#include "stage3_grpc/tls/openssl.hpp"

namespace rps::rpc::tls {

namespace {

constexpr std::size_t record_bytes_max = SSL3_RT_MAX_PLAIN_LENGTH;

// The bytes that a socket holds beside those that were just read, as the kernel reports them with a
// message where the socket has the option TCP_INQ. 1, as for "perhaps some", where it does not.
int bytes_left(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != IPPROTO_TCP || part->cmsg_type != TCP_CM_INQ) continue;
    int count = 0;
    std::memcpy(&count, CMSG_DATA(part), sizeof count);
    return count;
  }
  return 1;
}

// Says to gRPC that nothing can be read until the socket's next edge, as the kernel would.
void report_empty(msghdr& message, std::size_t room) {
  constexpr int none = 0;
  if (!message.msg_control || room < CMSG_SPACE(sizeof none)) return;
  message.msg_controllen = CMSG_SPACE(sizeof none);
  cmsghdr* const part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = IPPROTO_TCP;
  part->cmsg_type = TCP_CM_INQ;
  part->cmsg_len = CMSG_LEN(sizeof none);
  std::memcpy(CMSG_DATA(part), &none, sizeof none);
}

// The next bytes of a message's buffers, up to one record; puts them together in `scratch` when
// they are in several pieces.
class Records {
 public:
  explicit Records(const msghdr& message) : pieces_(message.msg_iov, message.msg_iovlen) {}

  // Empty at the end.
  std::string_view next() {
    const std::string_view first = take(record_bytes_max);
    std::string_view more = first.empty() ? first : take(record_bytes_max - first.size());
    if (more.empty()) return first;
    std::size_t size = first.copy(scratch_.data(), first.size());
    while (!more.empty()) {
      size += more.copy(scratch_.data() + size, more.size());
      more = take(record_bytes_max - size);
    }
    return {scratch_.data(), size};
  }

 private:
  // What is left of the next piece that is not empty, up to `size_max`.
  std::string_view take(std::size_t size_max) {
    while (!pieces_.empty() && at_ == pieces_.front().iov_len) {
      pieces_ = pieces_.subspan(1);
      at_ = 0;
    }
    if (pieces_.empty()) return {};
    const std::size_t size = std::min(size_max, pieces_.front().iov_len - at_);
    const std::string_view bytes(static_cast<const char*>(pieces_.front().iov_base) + at_, size);
    at_ += size;
    return bytes;
  }

  std::span<const iovec> pieces_;
  std::size_t at_ = 0;
  std::array<char, record_bytes_max> scratch_;
};

Failure failure_of(const SSL& connection) {
  if (SSL_get_verify_result(&connection) != X509_V_OK) return Failure::certificate;
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  return reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ? Failure::certificate
                                                           : Failure::protocol;
}

// REQUIRES: a call for `connection` has just failed.
std::string reason_of(const SSL& connection) {
  const long verified = SSL_get_verify_result(&connection);
  std::string reason = last_reason();
  if (verified == X509_V_OK) return reason;
  return std::string("client certificate: ") + X509_verify_cert_error_string(verified);
}

}  // namespace

// One connection. OpenSSL's objects are not safe for two threads, and gRPC reads and writes at
// once: so every function locks.
class Connection final : public boundary::BlockedSocket {
 public:
  Connection(int fd, SSL_CTX& context, std::shared_ptr<Witness> witness);

  ssize_t receive(msghdr& message);
  ssize_t send(const msghdr& message);
  void flush() override;
  void end();

  // Afterwards the descriptor and the witness are not used any more.
  void close();

 private:
  static const BIO_METHOD* socket_method();
  static int read_socket(BIO* bio, char* to, std::size_t size, std::size_t* count);
  static int write_socket(BIO* bio, const char* from, std::size_t size, std::size_t* count);
  static long control_socket(BIO* bio, int what, long number, void* pointer);

  bool read_kernel(std::span<char> to, std::size_t& count);
  std::size_t send_kernel(std::string_view bytes);
  void write_kernel(std::string_view bytes);
  bool send_unsent();
  bool has_read_all() const;
  bool shake_hands();
  void be_open();
  bool keep_early(std::string_view text);
  std::size_t read_text(std::span<char> to);
  bool write_text(std::string_view text);
  void take_failure(int result);
  void fail(Failure why, const std::string& reason);
  void say_goodbye();
  void discard_input() const;

  const int fd_;
  const std::shared_ptr<Witness> witness_;
  std::mutex mutex_;  // Guards what follows.
  SslPointer ssl_;
  std::string early_;                 // Text from before the end of the handshake.
  std::string unsent_;                // Encrypted.
  std::size_t silent_bytes_ = 0;      // Received since the last text.
  std::shared_ptr<const void> kept_;  // The witness's.
  int error_ = 0;                     // The errno of all further calls.
  bool is_open_ = false;              // The handshake is complete.
  bool is_empty_ = false;             // The kernel has told that it holds nothing more.
  bool is_at_end_ = false;            // The peer sends nothing more.
  bool is_ending_ = false;            // close_notify was sent.
  bool is_told_ = false;              // The witness knows of the failure.
  bool is_closed_ = false;
};

Connection::Connection(int fd, SSL_CTX& context, std::shared_ptr<Witness> witness)
    : fd_(fd), witness_(std::move(witness)), ssl_(SSL_new(&context)) {
  BIO* const socket = ssl_ ? BIO_new(socket_method()) : nullptr;
  if (!socket) throw std::bad_alloc();
  BIO_set_data(socket, this);
  BIO_set_init(socket, 1);
  SSL_set_bio(ssl_.get(), socket, socket);  // Owns it from now on.
  SSL_set_accept_state(ssl_.get());
}

// Never freed, like the threads that may use it.
const BIO_METHOD* Connection::socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (!made) throw std::bad_alloc();
    BIO_meth_set_read_ex(made, read_socket);
    BIO_meth_set_write_ex(made, write_socket);
    BIO_meth_set_ctrl(made, control_socket);
    return made;
  }();
  return method;
}

int Connection::read_socket(BIO* bio, char* to, std::size_t size, std::size_t* count) {
  auto& connection = *static_cast<Connection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (connection.read_kernel({to, size}, *count)) return 1;
  if (connection.error_ == 0 && !connection.is_at_end_) BIO_set_retry_read(bio);
  return 0;
}

int Connection::write_socket(BIO* bio, const char* from, std::size_t size, std::size_t* count) {
  static_cast<Connection*>(BIO_get_data(bio))->write_kernel({from, size});
  *count = size;
  return 1;
}

long Connection::control_socket(BIO* bio, int what, long, void*) {
  if (what == BIO_CTRL_EOF) {
    return static_cast<Connection*>(BIO_get_data(bio))->is_at_end_ ? 1 : 0;
  }
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

// False when there is nothing: for now, at the end, or because of error_.
bool Connection::read_kernel(std::span<char> to, std::size_t& count) {
  if (error_ != 0 || is_at_end_ || is_empty_) return false;
  if (silent_bytes_ >= silent_bytes_max) {
    fail(Failure::protocol, "records without data");
    return false;
  }
  iovec piece{.iov_base = to.data(), .iov_len = std::min(to.size(), silent_bytes_max)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{.msg_iov = &piece,
                 .msg_iovlen = 1,
                 .msg_control = control.data(),
                 .msg_controllen = control.size()};
  ssize_t size = 0;
  do {
    size = boundary::receive_from_kernel(fd_, message, 0);
  } while (size < 0 && errno == EINTR);
  if (size > 0) {
    count = static_cast<std::size_t>(size);
    silent_bytes_ += count;
    // The count is 0 also when a reset came behind these bytes, and no further edge tells of that.
    // During the handshake nothing else would find it out.
    is_empty_ = is_open_ && bytes_left(message) == 0;
    return true;
  }
  is_at_end_ = size == 0;
  is_empty_ = size < 0 && errno == EAGAIN;
  if (size < 0 && !is_empty_) error_ = errno;
  return false;
}

// How many of the bytes the kernel takes; sets error_ when it takes none any more.
std::size_t Connection::send_kernel(std::string_view bytes) {
  std::size_t at = 0;
  while (error_ == 0 && at < bytes.size()) {
    iovec piece{.iov_base = const_cast<char*>(bytes.data()) + at, .iov_len = bytes.size() - at};
    const msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
    const ssize_t count = boundary::send_to_kernel(fd_, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      at += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  return at;
}

// Keeps what the kernel does not take.
void Connection::write_kernel(std::string_view bytes) {
  if (unsent_.empty()) bytes.remove_prefix(send_kernel(bytes));
  if (error_ != 0 || bytes.empty()) return;
  if (unsent_.size() + bytes.size() > unsent_bytes_max) {
    return fail(Failure::protocol, "too much waits to be sent");
  }
  unsent_ += bytes;
  set_blocked(true);
}

// False when some is left, or could not be sent.
bool Connection::send_unsent() {
  if (!unsent_.empty()) unsent_.erase(0, send_kernel(unsent_));
  if (error_ != 0 || unsent_.empty()) unsent_ = {};
  set_blocked(!unsent_.empty());
  return error_ == 0 && unsent_.empty();
}

// Neither the kernel nor OpenSSL holds anything.
bool Connection::has_read_all() const {
  return is_empty_ && SSL_has_pending(ssl_.get()) == 0;
}

ssize_t Connection::receive(msghdr& message) {
  const std::size_t room = std::exchange(message.msg_controllen, 0);
  message.msg_flags = 0;
  const std::lock_guard lock(mutex_);
  is_empty_ = false;
  std::size_t count = 0;
  if (is_open_ || shake_hands()) {
    for (const iovec& piece : std::span(message.msg_iov, message.msg_iovlen)) {
      const std::size_t size = read_text({static_cast<char*>(piece.iov_base), piece.iov_len});
      count += size;
      if (size < piece.iov_len) break;
    }
  }
  if (count != 0) {
    if (has_read_all()) report_empty(message, room);
    return static_cast<ssize_t>(count);
  }
  if (error_ != 0) return boundary::fail_with(error_);
  return is_at_end_ ? 0 : boundary::fail_with(EAGAIN);
}

// True when the handshake is complete.
bool Connection::shake_hands() {
  if (error_ != 0 || is_at_end_) return false;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    be_open();
  } else {
    take_failure(result);
  }
  return is_open_ && error_ == 0;
}

void Connection::be_open() {
  is_open_ = true;
  silent_bytes_ = 0;
  const X509Pointer certificate(SSL_get1_peer_certificate(ssl_.get()));
  kept_ = witness_->accepted(fd_, certificate ? identity_of(*certificate) : std::string());
  if (!early_.empty()) write_text(std::exchange(early_, {}));
}

// Less than there is room for, when nothing more can be had now.
std::size_t Connection::read_text(std::span<char> to) {
  std::size_t total = 0;
  while (total < to.size() && error_ == 0 && !has_read_all()) {
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), to.data() + total, to.size() - total, &count);
    if (result != 1) {
      take_failure(result);
      break;
    }
    total += count;
    silent_bytes_ = 0;
  }
  return total;
}

ssize_t Connection::send(const msghdr& message) {
  const std::lock_guard lock(mutex_);
  Records records(message);
  std::size_t sent = 0;
  if (error_ == 0 && is_ending_) return boundary::fail_with(EPIPE);
  if (error_ == 0 && is_open_ && !send_unsent() && error_ == 0) return boundary::fail_with(EAGAIN);
  while (error_ == 0 && (!is_open_ || unsent_.empty())) {
    const std::string_view text = records.next();
    if (text.empty()) break;
    if (!(is_open_ ? write_text(text) : keep_early(text))) break;
    sent += text.size();
  }
  if (error_ != 0) return boundary::fail_with(error_);
  return static_cast<ssize_t>(sent);
}

// Nothing waits when it is called, and the socket takes all, so that a failure is final.
bool Connection::write_text(std::string_view text) {
  ERR_clear_error();
  std::size_t count = 0;
  if (SSL_write_ex(ssl_.get(), text.data(), text.size(), &count) == 1) return true;
  fail(Failure::protocol, reason_of(*ssl_));
  return false;
}

bool Connection::keep_early(std::string_view text) {
  if (early_.size() + text.size() > early_bytes_max) {
    fail(Failure::protocol, "too much was to be sent before the end of the handshake");
    return false;
  }
  early_ += text;
  return true;
}

// REQUIRES: a call of OpenSSL has just returned `result`, which is no success. What it wants is
// read later; the end and the errors of the socket are known already.
void Connection::take_failure(int result) {
  const int kind = SSL_get_error(ssl_.get(), result);
  if (kind == SSL_ERROR_WANT_READ || error_ != 0) return;
  if (kind == SSL_ERROR_ZERO_RETURN) is_at_end_ = true;
  if (is_at_end_) return;
  const Failure why = failure_of(*ssl_);
  fail(why, reason_of(*ssl_));
}

// Ends the connection. OpenSSL has sent the alert, if there is one.
void Connection::fail(Failure why, const std::string& reason) {
  if (error_ != 0) return;
  error_ = ECONNRESET;
  is_told_ = true;
  if (is_open_) {
    witness_->broken(fd_, reason);
  } else {
    witness_->refused(fd_, why, reason);
  }
  discard_input();
}

// If bytes are left when the descriptor is closed, the kernel sends RST, at which the peer forgets
// what it has not read yet: the alert.
void Connection::discard_input() const {
  std::array<char, 4096> scrap;
  iovec piece{.iov_base = scrap.data(), .iov_len = scrap.size()};
  for (std::size_t i = 0; i < silent_bytes_max / scrap.size(); ++i) {
    msghdr message{.msg_iov = &piece, .msg_iovlen = 1};
    if (boundary::receive_from_kernel(fd_, message, MSG_DONTWAIT) <= 0) return;
  }
}

void Connection::flush() {
  const std::lock_guard lock(mutex_);
  if (!is_closed_) send_unsent();
}

void Connection::end() {
  const std::lock_guard lock(mutex_);
  say_goodbye();
}

void Connection::close() {
  const std::lock_guard lock(mutex_);
  say_goodbye();
  if (!is_open_ && !is_told_) {
    witness_->refused(fd_, Failure::closed, "the connection ended during the handshake");
  }
  set_blocked(false);
  kept_.reset();
  ssl_.reset();
  is_closed_ = true;
}

// At best: what the kernel does not take is lost when the descriptor is closed.
void Connection::say_goodbye() {
  if (!is_open_ || error_ != 0 || std::exchange(is_ending_, true)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

namespace {

class TlsFilter final : public boundary::SocketFilter {
 public:
  explicit TlsFilter(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~TlsFilter() override { connection_->close(); }
  TlsFilter(const TlsFilter&) = delete;
  TlsFilter& operator=(const TlsFilter&) = delete;

  ssize_t receive(int, msghdr& message, int) override { return connection_->receive(message); }
  ssize_t send(int, const msghdr& message, int) override { return connection_->send(message); }
  void before_shutdown() override { connection_->end(); }

 private:
  const std::shared_ptr<Connection> connection_;  // A thread may flush it after close().
};

}  // namespace

std::unique_ptr<boundary::SocketFilter> make_filter(int fd, SSL_CTX& context,
                                                    std::shared_ptr<Witness> witness) {
  return std::make_unique<TlsFilter>(std::make_shared<Connection>(fd, context, std::move(witness)));
}

}  // namespace rps::rpc::tls
