#include "stage2_jsonrpc/dom.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "stage2_jsonrpc/limits.hpp"

namespace rps::jsonrpc {

namespace {

using Json = nlohmann::json;

Failure parse_failure(std::string_view detail) {
  return malformed(Code::parse_error, detail);
}

Failure invalid_request(std::string_view detail) {
  return malformed(Code::invalid_request, detail);
}

Failure invalid_params(std::string_view detail) {
  return malformed(Code::invalid_params, detail);
}

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The place behind the string that begins at `at`. In text that is no JSON it may be the end.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// The text of a payload as the library reads it, byte by byte. Counts the bytes of the request that
// is read, and ends the text behind a byte too many: the library spends up to 12 ns on each byte,
// more than once, and tells of a string or number only when it has read all of it. White space
// between tokens is not counted; any run of it is read as its first byte, which takes no time.
class Text {
 public:
  // REQUIRES: the text outlives its iterators, and is read once.
  Text(std::string_view bytes, std::size_t call_bytes_max)
      : begin_(bytes.data()), end_(begin_ + bytes.size()), call_bytes_max_(call_bytes_max) {}

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    Iterator(Text& text, const char* at) : text_(&text), at_(at) {}

    char operator*() const { return *at_; }
    Iterator& operator++() {
      at_ = text_->next(at_);
      return *this;
    }
    bool operator==(const Iterator& end) const { return at_ == end.at_ || text_->is_too_long(); }

   private:
    Text* text_;
    const char* at_;
  };

  Iterator begin() { return {*this, begin_}; }
  Iterator end() { return {*this, end_}; }

  // The first byte of a request has been read; or its last, and what follows is of none.
  void begin_call() { bytes_ = 1; }
  void end_call() { bytes_ = 0; }

  // A request was, and the text has ended in it or behind it.
  bool is_too_long() const { return is_too_long_; }

 private:
  const char* next(const char* at) {
    const char c = *at++;
    if (!is_in_string_ && is_space(c)) {
      while (at < end_ && is_space(*at)) ++at;
      return at;
    }
    if (++bytes_ > call_bytes_max_) is_too_long_ = true;
    if (is_escaped_) {
      is_escaped_ = false;
    } else if (c == '"') {
      is_in_string_ = !is_in_string_;
    } else {
      is_escaped_ = is_in_string_ && c == '\\';
    }
    return at;
  }

  const char* begin_;
  const char* end_;
  const std::size_t call_bytes_max_;
  std::size_t bytes_ = 0;
  bool is_too_long_ = false;
  bool is_in_string_ = false;
  bool is_escaped_ = false;
};

// Checks a payload before a tree is built of it, and stops at the first value that is past a limit:
// what a refused payload costs is bounded by the bytes in front of that value. Also remembers the
// members of the objects that are being read. The library keeps the last of two alike; two readers
// of one message could then see two different requests. A pass of its own: the callback that the
// library offers while it builds the tree makes it search all siblings of each object that ends,
// which takes minutes for a megabyte of them.
class PayloadCheck final : public nlohmann::json_sax<Json> {
 public:
  PayloadCheck(Text& text, std::size_t batch_calls_max)
      : text_(text), batch_calls_max_(batch_calls_max) {}

  // What is wrong with the payload, once the library has stopped because it was told so.
  std::optional<Failure> failure() const {
    if (text_.is_too_long()) return invalid_request("the request is too long");
    return failure_;
  }

  bool start_object(std::size_t) override {
    members_.emplace_back();
    return begin_container();
  }
  bool key(string_t& name) override {
    if (members_.back().insert(name).second) return true;
    return stop(parse_failure("a member is given twice"));
  }
  bool end_object() override {
    members_.pop_back();
    return end_container();
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) is_batch_ = true;
    return begin_container();
  }
  bool end_array() override { return end_container(); }

  bool null() override { return count_value(); }
  bool boolean(bool) override { return count_value(); }
  bool number_integer(number_integer_t) override { return count_value(); }
  bool number_unsigned(number_unsigned_t) override { return count_value(); }
  bool number_float(number_float_t, const string_t&) override { return count_value(); }
  bool string(string_t&) override { return count_value(); }
  bool binary(binary_t&) override { return count_value(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool begin_container() {
    if (!count_value()) return false;
    if (++depth_ <= limits::json_depth_max) return true;
    return stop(invalid_request("the JSON is nested too deeply"));
  }

  bool end_container() {
    if (--depth_ == depth_of_calls()) text_.end_call();
    return true;
  }

  std::size_t depth_of_calls() const { return is_batch_ ? 1 : 0; }

  // A value of the payload itself, a call of the batch, or a value inside a call.
  bool count_value() {
    if (depth_ == depth_of_calls()) {
      values_ = 0;
      text_.begin_call();
      if (depth_ == 0 || ++calls_ <= batch_calls_max_) return true;
      return stop(long_batch_failure);
    }
    if (++values_ <= limits::call_values_max) return true;
    return stop(invalid_request("the request has too many values"));
  }

  bool stop(const Failure& failure) {
    failure_ = failure;
    return false;
  }

  Text& text_;
  const std::size_t batch_calls_max_;
  std::optional<Failure> failure_;
  std::vector<std::set<std::string>> members_;  // Of the objects that are open.
  std::size_t depth_ = 0;                       // Containers that are open.
  bool is_batch_ = false;
  std::size_t calls_ = 0;   // Of the batch, so far.
  std::size_t values_ = 0;  // Inside the call that is read, so far.
};

// The JSON value of the whole text, or a failure.
std::expected<Json, Failure> parse(std::string_view text, std::size_t batch_calls_max) {
  const Failure no_json = parse_failure("the payload is not JSON");
  if (text.starts_with("\xEF\xBB\xBF")) return std::unexpected(no_json);  // The library skips it.
  Text bounded(text, limits::call_bytes_max);
  PayloadCheck check(bounded, batch_calls_max);
  if (!Json::sax_parse(bounded.begin(), bounded.end(), &check) || bounded.is_too_long()) {
    return std::unexpected(check.failure().value_or(no_json));
  }
  // The library takes a NUL for the end of the text.
  if (text.contains('\0')) return std::unexpected(no_json);
  Text checked(text, text.size());
  return Json::parse(checked.begin(), checked.end(), nullptr, false);
}

// Walks over the members of an object or the elements of an array, as they are spelled.
// REQUIRES: `text` is valid JSON and a container.
class SpellingWalk {
 public:
  explicit SpellingWalk(std::string_view text) : text_(text), at_(text.find_first_of("{[") + 1) {}

  // The next key or value, or an empty view at the end.
  std::string_view next() {
    while (is_space(text_[at_]) || text_[at_] == ',' || text_[at_] == ':') ++at_;
    const std::size_t start = at_;
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        at_ = skip_string(text_, at_);
        continue;
      }
      if (depth == 0 && is_separator(c)) break;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 || !is_separator(text_[at_]));
    return text_.substr(start, at_ - start);
  }

 private:
  static bool is_separator(char c) {
    return is_space(c) || c == ',' || c == ':' || c == '}' || c == ']';
  }

  std::string_view text_;
  std::size_t at_;
};

// The spelling of an object's member "id". The key itself may be spelled with escapes.
std::string_view id_spelling(std::string_view object) {
  SpellingWalk walk(object);
  while (true) {
    const std::string_view key = walk.next();
    const std::string_view value = walk.next();
    if (key == R"("id")" || (key.contains('\\') && Json::parse(key) == "id")) return value;
    assert(!key.empty());
  }
}

class CallReader {
 public:
  CallReader(const Json& value, std::string_view spelling, std::deque<std::string>& texts)
      : value_(value), spelling_(spelling), texts_(texts) {}

  Call read() && {
    call_.failure = read_envelope();
    if (call_.failure) return call_;
    call_.wants_reply = value_.contains("id");
    call_.failure = read_call();
    return call_;
  }

 private:
  using Result = std::optional<Failure>;

  Result read_envelope() {
    if (!value_.is_object()) return invalid_request("a request is an object");
    if (const auto id = value_.find("id"); id != value_.end()) {
      if (!id->is_string() && !id->is_number() && !id->is_null()) {
        return invalid_request("an id is a string, a number or null");
      }
      const std::string_view text = id_spelling(spelling_);
      if (text.size() > limits::id_text_bytes_max) return invalid_request("the id is too long");
      call_.id = text;
    }
    if (value_.value("jsonrpc", Json()) != "2.0") {
      return invalid_request("the member jsonrpc is not 2.0");
    }
    const auto method = value_.find("method");
    if (method == value_.end() || !method->is_string()) {
      return invalid_request("the method is not a string");
    }
    const auto params = value_.find("params");
    if (params != value_.end() && !params->is_structured()) {
      return invalid_request("the params are neither an object nor an array");
    }
    read_trace();
    return {};
  }

  // A trace context that is none is ignored, as its standard wants.
  void read_trace() {
    const auto text = value_.find("traceparent");
    if (text == value_.end() || !text->is_string()) return;
    call_.trace = parse_traceparent(text->get_ref<const std::string&>());
  }

  Result read_call() {
    const std::string& method = value_["method"].get_ref<const std::string&>();
    call_.is_discover = method == "rpc.discover";
    if (call_.is_discover) return read_discover();
    const auto operation = parse_player_operation(method);
    if (!operation) return unknown_method_failure;
    call_.command.operation = *operation;
    const auto params = value_.find("params");
    if (params == value_.end()) return {};
    return params->is_object() ? read_named(*params) : read_positional(*params);
  }

  Result read_discover() {
    const auto params = value_.find("params");
    if (params == value_.end() || params->empty()) return {};
    return invalid_params("rpc.discover takes no parameters");
  }

  Result read_named(const Json& params) {
    unsigned seen = 0;
    for (const auto& [name, value] : params.items()) {
      const auto param = parse_param(call_.command.operation, name);
      if (!param) return invalid_params("a parameter has an unknown name");
      const unsigned bit = 1U << static_cast<unsigned>(*param);
      if ((seen & bit) != 0) return invalid_params("the move is given twice");
      seen |= bit;
      if (auto failure = read_param(*param, value)) return failure;
    }
    return {};
  }

  Result read_positional(const Json& params) {
    const auto order = params_of(call_.command.operation);
    if (params.size() > order.size()) return invalid_params("there are too many parameters");
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (auto failure = read_param(order[i], params[i])) return failure;
    }
    return {};
  }

  Result read_param(Param param, const Json& value) {
    if (param != Param::best_of) {
      if (!value.is_string()) return invalid_params("a parameter is not a string");
      texts_.push_back(value.get_ref<const std::string&>());
      assign(call_.command, param, texts_.back());
      return {};
    }
    const auto best_of = read_best_of(value);
    if (!best_of) return invalid_params("best_of is not a small positive integer");
    call_.command.best_of = *best_of;
    return {};
  }

  static std::optional<std::uint32_t> read_best_of(const Json& value) {
    if (value.is_number_float()) return best_of_from(value.get<double>());
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > UINT32_MAX) return std::nullopt;
    return value.get<std::uint32_t>();
  }

  const Json& value_;
  std::string_view spelling_;
  std::deque<std::string>& texts_;
  Call call_;
};

}  // namespace

void read_dom(std::string_view payload, std::size_t batch_calls_max, Calls& calls) {
  calls.clear();
  const auto refuse = [&](const Failure& failure) { calls.list.push_back({.failure = failure}); };

  const auto value = parse(payload, batch_calls_max);
  if (!value) return refuse(value.error());
  if (!value->is_array()) {
    calls.list.push_back(CallReader(*value, payload, calls.texts).read());
    return;
  }
  if (value->empty()) return refuse(invalid_request("a batch has at least one call"));
  calls.is_batch = true;
  SpellingWalk walk(payload);
  for (const Json& element : *value) {
    calls.list.push_back(CallReader(element, walk.next(), calls.texts).read());
  }
}

}  // namespace rps::jsonrpc
