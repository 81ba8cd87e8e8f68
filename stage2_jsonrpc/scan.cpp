#include "stage2_jsonrpc/scan.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

namespace {

// A string, and an integer, that has as many bytes is unusual. So no request that is usual has more
// than limits::call_bytes_max (its id, its traceparent and three parameters, and names), and what
// makes one unusual is found within so many bytes of a token.
constexpr std::ptrdiff_t plain_bytes_max = 256;
constexpr std::ptrdiff_t integer_bytes_max = 21;
static_assert(5 * plain_bytes_max + 512 < limits::call_bytes_max);

// Walks over one payload. Every function returns false, and the scan ends, on anything unusual.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool payload(std::size_t batch_calls_max, Calls& calls) {
    skip_space();
    if (!take('[')) return call(calls.add()) && at_end();
    calls.is_batch = true;
    do {
      if (calls.list.size() == batch_calls_max) return false;
      if (!call(calls.add())) return false;
    } while (take(','));
    return take(']') && at_end();
  }

 private:
  // The members of a request, as bits of what has been seen.
  enum Member : unsigned { version = 1, id = 2, method = 4, params = 8, trace = 16 };

  bool call(Call& call) {
    call.wants_reply = false;
    if (!take('{')) return false;
    unsigned seen = 0;
    do {
      std::string_view key;
      if (!plain_string(key) || !take(':')) return false;
      const unsigned member = member_named(key);
      if (member == 0 || (seen & member) != 0 || !value(member, seen, call)) return false;
      seen |= member;
    } while (take(','));
    return (seen & (version | method)) == (version | method) && take('}');
  }

  static unsigned member_named(std::string_view key) {
    if (key == "jsonrpc") return version;
    if (key == "id") return id;
    if (key == "method") return method;
    if (key == "params") return params;
    if (key == "traceparent") return trace;
    return 0;
  }

  bool value(unsigned member, unsigned seen, Call& call) {
    std::string_view text;
    switch (member) {
      case version: return plain_string(text) && text == "2.0";
      case id: call.wants_reply = true; return id_text(call.id);
      case method: {
        if (!plain_string(text)) return false;
        const auto operation = parse_player_operation(text);
        if (operation) call.command.operation = *operation;
        return operation.has_value();
      }
      case trace:
        if (!plain_string(text)) return false;
        call.trace = parse_traceparent(text);
        return true;
      default:
        if ((seen & method) == 0) return false;
        if (take('{')) return named_params(call.command);
        return take('[') && positional_params(call.command);
    }
  }

  // A string or an integer, as it is spelled.
  bool id_text(std::string_view& text) {
    if (at_ < end_ && *at_ == '"') {
      if (!plain_string(text)) return false;
      text = {text.data() - 1, text.size() + 2};  // The quotes belong to the spelling.
      return text.size() <= limits::id_text_bytes_max;
    }
    std::uint64_t number = 0;
    return unsigned_integer(number, text);
  }

  bool named_params(Command& command) {
    if (take('}')) return true;
    unsigned seen = 0;
    do {
      std::string_view key;
      if (!plain_string(key) || !take(':')) return false;
      const auto param = parse_param(command.operation, key);
      if (!param) return false;
      const unsigned bit = 1U << static_cast<unsigned>(*param);
      if ((seen & bit) != 0 || !param_value(*param, command)) return false;
      seen |= bit;
    } while (take(','));
    return take('}');
  }

  bool positional_params(Command& command) {
    if (take(']')) return true;
    const auto order = params_of(command.operation);
    std::size_t count = 0;
    do {
      if (count == order.size() || !param_value(order[count], command)) return false;
      ++count;
    } while (take(','));
    return take(']');
  }

  bool param_value(Param param, Command& command) {
    std::string_view text;
    if (param != Param::best_of) {
      if (!plain_string(text)) return false;
      assign(command, param, text);
      return true;
    }
    std::uint64_t number = 0;
    if (!unsigned_integer(number, text) || number > UINT32_MAX) return false;
    command.best_of = static_cast<std::uint32_t>(number);
    return true;
  }

  // Each of the following leaves `at_` behind the spaces that follow what it took.

  bool plain_string(std::string_view& text) {
    if (at_ == end_ || *at_ != '"') return false;
    const char* const start = ++at_;
    const char* const stop = at_ + std::min(end_ - at_, plain_bytes_max);
    while (at_ < stop && *at_ != '"') {
      if (*at_ < ' ' || *at_ > '~' || *at_ == '\\') return false;
      ++at_;
    }
    if (at_ == stop) return false;
    text = {start, static_cast<std::size_t>(at_ - start)};
    ++at_;
    skip_space();
    return true;
  }

  bool unsigned_integer(std::uint64_t& number, std::string_view& text) {
    const auto [stop, error] =
        std::from_chars(at_, at_ + std::min(end_ - at_, integer_bytes_max), number);
    if (error != std::errc{} || (*at_ == '0' && stop - at_ > 1)) return false;
    if (stop < end_ && (*stop == '.' || *stop == 'e' || *stop == 'E')) return false;
    text = {at_, static_cast<std::size_t>(stop - at_)};
    at_ = stop;
    skip_space();
    return true;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    skip_space();
    return true;
  }

  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool at_end() const { return at_ == end_; }

  const char* at_;
  const char* end_;
};

}  // namespace

bool scan(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  calls.clear();
  return Scanner(payload).payload(batch_calls_max, calls);
}

}  // namespace rps::jsonrpc
