#include "stage3_grpc/rest/json_reader.hpp"

#include <bitset>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "core/number.hpp"
#include "core/utf8.hpp"
#include "stage3_grpc/rest/limits.hpp"

namespace rps::rpc::rest {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

constexpr std::size_t fields_max = 64;  // Of a message.

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// ---- Characters ------------------------------------------------------------------------------

constexpr bool is_high_surrogate(unsigned unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
constexpr bool is_low_surrogate(unsigned unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

// The character behind the backslash of an escape other than \u; 0 when it is none.
char unescaped(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

// REQUIRES: `character` is one of Unicode, and no surrogate.
void append_utf8(unsigned character, std::string& out) {
  const auto append = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  const auto append_rest = [&](unsigned shift) { append(0x80 | (character >> shift & 0x3f)); };
  if (character < 0x80) return append(character);
  if (character < 0x800) {
    append(0xc0 | character >> 6);
    return append_rest(0);
  }
  if (character < 0x10000) {
    append(0xe0 | character >> 12);
  } else {
    append(0xf0 | character >> 18);
    append_rest(12);
  }
  append_rest(6);
  append_rest(0);
}

// ---- Numbers ---------------------------------------------------------------------------------

// Nothing when the value is beyond the range of a double, at either end.
// REQUIRES: `text` is a number of JSON.
std::optional<double> to_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  return value;
}

// The number as a whole one; nothing when it is none, or when Number cannot hold it.
// REQUIRES: `text` is a number of JSON.
template <std::integral Number>
std::optional<Number> whole_number(std::string_view text) {
  if (const auto number = parse_number<Number>(text)) return number;
  const std::optional<double> value = to_double(text);  // "1e2", "1.0", "-0"
  if (!value || std::trunc(*value) != *value) return std::nullopt;
  constexpr auto least = static_cast<double>(std::numeric_limits<Number>::min());
  const double past_greatest = std::ldexp(1.0, std::numeric_limits<Number>::digits);
  if (*value < least || *value >= past_greatest) return std::nullopt;
  return static_cast<Number>(*value);
}

// The number that stands in a string: digits behind an optional sign.
template <std::integral Number>
std::optional<Number> quoted_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  return parse_number<Number>(text);
}

// ---- Fields ----------------------------------------------------------------------------------

// Where a value goes: a field, or the end of a repeated one.
class Slot {
 public:
  Slot(Message& message, const FieldDescriptor& field)
      : message_(message), reflection_(*message.GetReflection()), field_(field) {}

  const FieldDescriptor& field() const { return field_; }

  Message& message() const {
    return field_.is_repeated() ? *reflection_.AddMessage(&message_, &field_)
                                : *reflection_.MutableMessage(&message_, &field_);
  }
  void put(std::string_view text) const {
    put(&Reflection::SetString, &Reflection::AddString, std::string(text));
  }
  void put(bool value) const { put(&Reflection::SetBool, &Reflection::AddBool, value); }
  void put(std::int32_t value) const { put(&Reflection::SetInt32, &Reflection::AddInt32, value); }
  void put(std::int64_t value) const { put(&Reflection::SetInt64, &Reflection::AddInt64, value); }
  void put(std::uint32_t value) const {
    put(&Reflection::SetUInt32, &Reflection::AddUInt32, value);
  }
  void put(std::uint64_t value) const {
    put(&Reflection::SetUInt64, &Reflection::AddUInt64, value);
  }
  void put_enum(int number) const {
    put(&Reflection::SetEnumValue, &Reflection::AddEnumValue, number);
  }

 private:
  template <class Value>
  using Setter = void (Reflection::*)(Message*, const FieldDescriptor*, Value) const;

  template <class Value>
  void put(Setter<Value> set, Setter<Value> add, Value value) const {
    (reflection_.*(field_.is_repeated() ? add : set))(&message_, &field_, std::move(value));
  }

  Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor& field_;
};

const FieldDescriptor* find_by_name(const Descriptor& type, std::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    if (field->name() == name || field->json_name() == name) return field;
  }
  return nullptr;
}

std::optional<int> enum_number(const EnumDescriptor& type, std::string_view text) {
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->name() == text) return type.value(i)->number();
  }
  const auto number = quoted_number<std::int32_t>(text);
  const bool is_known = number && type.FindValueByNumber(*number) != nullptr;
  return is_known ? number : std::nullopt;
}

// ---- The reader ------------------------------------------------------------------------------

// Its functions return false when the text is refused; then fault_ says why.
class Reader {
 public:
  // REQUIRES: `text` is UTF-8.
  explicit Reader(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  std::optional<JsonFault> read(Message& out) && {
    skip_space();
    if (!is_next('{')) return skip_value() ? JsonFault::wrong_type : fault_;
    if (!read_message(out)) return fault_;
    skip_space();
    return at_ == end_ ? std::nullopt : std::optional(JsonFault::no_json);
  }

 private:
  // Which fields and oneofs an object has given.
  struct Given {
    std::bitset<fields_max> fields;
    std::bitset<fields_max> oneofs;
  };

  // ---- Tokens ----

  bool fail(JsonFault fault) {
    fault_ = fault;
    return false;
  }

  char next() const { return at_ == end_ ? '\0' : *at_; }
  bool is_next(char c) const { return at_ != end_ && *at_ == c; }
  bool is_number_next() const { return is_next('-') || is_digit(next()); }

  void skip_space() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }

  bool take(char c) {
    const bool is_there = is_next(c);
    at_ += is_there ? 1 : 0;
    return is_there;
  }

  bool take_word(std::string_view word) {
    if (!std::string_view(at_, end_).starts_with(word)) return fail(JsonFault::no_json);
    at_ += word.size();
    return true;
  }

  bool skip_digits() {
    const char* const first = at_;
    while (is_digit(next())) ++at_;
    return at_ != first;
  }

  // The number that is next, as it is spelled.
  std::optional<std::string_view> take_number() {
    const char* const first = at_;
    const auto refuse = [this](JsonFault fault) {
      fail(fault);
      return std::nullopt;
    };
    take('-');
    if (!take('0') && !skip_digits()) return refuse(JsonFault::no_json);
    bool is_integer = true;
    if (take('.')) {
      is_integer = false;
      if (!skip_digits()) return refuse(JsonFault::no_json);
    }
    if (take('e') || take('E')) {
      is_integer = false;
      if (!take('-')) take('+');
      if (!skip_digits()) return refuse(JsonFault::no_json);
    }
    const std::string_view text(first, at_);
    const bool fits = is_integer && text.size() < std::numeric_limits<double>::max_exponent10;
    if (!fits && !to_double(text)) return refuse(JsonFault::number_range);
    return text;
  }

  // The four digits of an escape \u.
  std::optional<unsigned> take_code_unit() {
    constexpr std::ptrdiff_t digits = 4;
    unsigned unit = 0;
    if (end_ - at_ < digits) return std::nullopt;
    const auto [end, error] = std::from_chars(at_, at_ + digits, unit, 16);
    if (error != std::errc{} || end != at_ + digits) return std::nullopt;
    at_ = end;
    return unit;
  }

  // Behind "\u".
  bool take_unicode_escape() {
    const auto unit = take_code_unit();
    if (!unit || is_low_surrogate(*unit)) return false;
    if (!is_high_surrogate(*unit)) {
      append_utf8(*unit, scrap_);
      return true;
    }
    const auto low = take('\\') && take('u') ? take_code_unit() : std::nullopt;
    if (!low || !is_low_surrogate(*low)) return false;
    append_utf8(0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00), scrap_);
    return true;
  }

  // Behind the backslash.
  bool take_escape() {
    if (take('u')) return take_unicode_escape();
    const char c = unescaped(next());
    if (c == 0) return false;
    scrap_.push_back(c);
    ++at_;
    return true;
  }

  // The text of the string that is next, valid until the next one is taken.
  std::optional<std::string_view> take_string() {
    const auto refuse = [this] {
      fail(JsonFault::no_json);
      return std::nullopt;
    };
    if (!take('"')) return refuse();
    scrap_.clear();
    for (;;) {
      const char* const first = at_;
      while (at_ != end_ && *at_ != '"' && *at_ != '\\' &&
             static_cast<unsigned char>(*at_) >= 0x20) {
        ++at_;
      }
      const std::string_view plain(first, at_);
      if (take('"')) {
        if (scrap_.empty()) return plain;
        return scrap_.append(plain);
      }
      scrap_.append(plain);
      if (!take('\\') || !take_escape()) return refuse();
    }
  }

  // ---- Containers ----

  // Calls `read_member` with the name of each member; it reads the value. REQUIRES: '{' is next.
  template <class ReadMember>
  bool read_object(ReadMember read_member) {
    const auto read_one = [&] {
      const auto name = take_string();
      if (!name) return false;
      skip_space();
      if (!take(':')) return fail(JsonFault::no_json);
      skip_space();
      return read_member(*name);
    };
    return read_container('}', read_one);
  }

  // Calls `read_one` in front of each member or element. REQUIRES: the opening bracket is next.
  template <class ReadOne>
  bool read_container(char closing, ReadOne read_one) {
    ++at_;
    if (++depth_ > limits::json_depth_max) return fail(JsonFault::too_deep);
    skip_space();
    if (!take(closing)) {
      do {
        skip_space();
        if (!read_one()) return false;
        skip_space();
      } while (take(','));
      if (!take(closing)) return fail(JsonFault::no_json);
    }
    --depth_;
    return true;
  }

  bool skip_value() {
    switch (next()) {
      case '{': return read_object([this](std::string_view) { return skip_value(); });
      case '[': return read_container(']', [this] { return skip_value(); });
      case '"': return take_string().has_value();
      case 't': return take_word("true");
      case 'f': return take_word("false");
      case 'n': return take_word("null");
      default: return take_number().has_value();
    }
  }

  // ---- Values ----

  // REQUIRES: '{' is next.
  bool read_message(Message& out) {
    Given given;
    return read_object([&](std::string_view name) { return read_member(out, name, given); });
  }

  bool read_member(Message& out, std::string_view name, Given& given) {
    if (name.empty()) return fail(JsonFault::empty_name);
    const FieldDescriptor* const field = find_by_name(*out.GetDescriptor(), name);
    if (field == nullptr) return skip_value();
    const auto index = static_cast<std::size_t>(field->index());
    if (given.fields[index]) return fail(JsonFault::given_twice);
    given.fields.set(index);
    if (is_next('n')) return take_word("null");
    if (const OneofDescriptor* const oneof = field->real_containing_oneof()) {
      const auto place = static_cast<std::size_t>(oneof->index());
      if (given.oneofs[place]) return fail(JsonFault::oneof_given_twice);
      given.oneofs.set(place);
    }
    const Slot slot(out, *field);
    if (!field->is_repeated()) return read_value(slot);
    if (!is_next('[')) return fail(JsonFault::no_array);
    return read_container(']', [&] {
      if (is_next('n') || is_next('[')) return fail(JsonFault::no_element);
      return read_value(slot);
    });
  }

  bool read_value(const Slot& slot) {
    switch (slot.field().cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: return read_string(slot);
      case FieldDescriptor::CPPTYPE_BOOL: return read_boolean(slot);
      case FieldDescriptor::CPPTYPE_INT32: return read_integer<std::int32_t>(slot);
      case FieldDescriptor::CPPTYPE_INT64: return read_integer<std::int64_t>(slot);
      case FieldDescriptor::CPPTYPE_UINT32: return read_integer<std::uint32_t>(slot);
      case FieldDescriptor::CPPTYPE_UINT64: return read_integer<std::uint64_t>(slot);
      case FieldDescriptor::CPPTYPE_ENUM: return read_enum(slot);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return is_next('{') ? read_message(slot.message()) : fail(JsonFault::wrong_type);
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT: break;
    }
    return fail(JsonFault::wrong_type);
  }

  bool read_string(const Slot& slot) {
    if (!is_next('"')) return fail(JsonFault::wrong_type);
    const auto text = take_string();
    if (text) slot.put(*text);
    return text.has_value();
  }

  bool read_boolean(const Slot& slot) {
    if (is_next('"')) return fail(JsonFault::text_for_boolean);
    if (!is_next('t') && !is_next('f')) return fail(JsonFault::wrong_type);
    const bool value = is_next('t');
    if (!take_word(value ? "true" : "false")) return false;
    slot.put(value);
    return true;
  }

  template <std::integral Number>
  bool read_integer(const Slot& slot) {
    const bool is_quoted = is_next('"');
    if (!is_quoted && !is_number_next()) return fail(JsonFault::wrong_type);
    const auto text = is_quoted ? take_string() : take_number();
    if (!text) return false;
    const auto number = is_quoted ? quoted_number<Number>(*text) : whole_number<Number>(*text);
    if (!number) return fail(JsonFault::wrong_number);
    slot.put(*number);
    return true;
  }

  bool read_enum(const Slot& slot) {
    const bool is_name = is_next('"');
    if (!is_name && !is_number_next()) return fail(JsonFault::wrong_type);
    const auto text = is_name ? take_string() : take_number();
    if (!text) return false;
    const auto number =
        is_name ? enum_number(*slot.field().enum_type(), *text) : whole_number<std::int32_t>(*text);
    if (number) slot.put_enum(*number);
    return number || is_name || fail(JsonFault::wrong_number);
  }

  const char* at_;
  const char* const end_;
  std::size_t depth_ = 0;  // Objects and arrays that are open.
  std::string scrap_;      // The string that was taken last, if it has escapes.
  std::optional<JsonFault> fault_;
};

const FieldDescriptor* find_unknown(const Descriptor& message, std::set<const Descriptor*>& seen) {
  if (!seen.insert(&message).second) return nullptr;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor* const field = message.field(i);
    const FieldDescriptor::CppType type = field->cpp_type();
    if (static_cast<std::size_t>(i) >= fields_max || field->is_map() ||
        field->type() == FieldDescriptor::TYPE_BYTES || type == FieldDescriptor::CPPTYPE_DOUBLE ||
        type == FieldDescriptor::CPPTYPE_FLOAT) {
      return field;
    }
    if (type != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const Descriptor& inner = *field->message_type();
    if (inner.file()->package() == "google.protobuf") return field;
    if (const FieldDescriptor* const unknown = find_unknown(inner, seen)) return unknown;
  }
  return nullptr;
}

}  // namespace

std::optional<JsonFault> read_json(std::string_view text, Message& out) {
  if (!is_utf8(text)) return JsonFault::no_json;
  return Reader(text).read(out);
}

const FieldDescriptor* field_without_json(const Descriptor& message) {
  std::set<const Descriptor*> seen;
  return find_unknown(message, seen);
}

}  // namespace rps::rpc::rest
