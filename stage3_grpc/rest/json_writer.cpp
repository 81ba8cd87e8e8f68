#include "stage3_grpc/rest/json_writer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include "core/utf8.hpp"

namespace rps::rpc::rest {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// ---- Strings ---------------------------------------------------------------------------------

struct Span {
  char32_t first;
  char32_t last;
};
// What is not seen: control characters, marks of formatting, and separators that end a line in old
// JavaScript. In order.
constexpr std::array unseen{
    Span{0x7f, 0x9f},       Span{0xad, 0xad},       Span{0x600, 0x603},     Span{0x6dd, 0x6dd},
    Span{0x70f, 0x70f},     Span{0x17b4, 0x17b5},   Span{0x200b, 0x200f},   Span{0x2028, 0x202e},
    Span{0x2060, 0x2064},   Span{0x206a, 0x206f},   Span{0xfeff, 0xfeff},   Span{0xfff9, 0xfffb},
    Span{0x1d173, 0x1d17a}, Span{0xe0001, 0xe0001}, Span{0xe0020, 0xe007f},
};

bool is_unseen(char32_t character) {
  const auto* const span = std::ranges::lower_bound(unseen, character, {}, &Span::last);
  return span != unseen.end() && span->first <= character;
}

// Whether the byte stands in a string as it is, whatever is around it.
constexpr bool is_plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\' && byte != '<' && byte != '>';
}
constexpr std::array<bool, 256> plain_bytes = [] {
  std::array<bool, 256> made{};
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = is_plain(static_cast<unsigned char>(i));
  return made;
}();

// REQUIRES: `text` is one character of UTF-8.
char32_t decoded(std::string_view text) {
  const auto byte = [&](std::size_t i) { return char32_t{static_cast<unsigned char>(text[i])}; };
  if (text.size() == 1) return byte(0);
  char32_t character = byte(0) & (0x7fU >> text.size());
  for (std::size_t i = 1; i < text.size(); ++i) character = character << 6 | (byte(i) & 0x3f);
  return character;
}

void append_code_unit(char32_t unit, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.append("\\u");
  for (const unsigned shift : {12, 8, 4, 0}) out.push_back(digits[unit >> shift & 0xf]);
}

void append_escape(char32_t character, std::string& out) {
  switch (character) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\b': out.append("\\b"); return;
    case '\f': out.append("\\f"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default: break;
  }
  if (character >= 0x10000) {
    append_code_unit(0xd800 + ((character - 0x10000) >> 10), out);
    character = 0xdc00 + (character & 0x3ff);
  }
  append_code_unit(character, out);
}

// ---- Values ----------------------------------------------------------------------------------

void append_number(std::integral auto number, std::string& out) {
  std::array<char, 20> text;  // The longest is -9223372036854775808.
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(std::string_view(text.data(), end));
}

void append_quoted(std::integral auto number, std::string& out) {
  out.push_back('"');
  append_number(number, out);
  out.push_back('"');
}

// "1.500s": as many digits behind the point as are needed, in threes.
void append_duration(const google::protobuf::Duration& duration, std::string& out) {
  const std::int64_t seconds = duration.seconds();
  const int nanos = duration.nanos();
  out.append(seconds < 0 || nanos < 0 ? "\"-" : "\"");
  append_number(seconds < 0 ? -seconds : seconds, out);
  if (nanos != 0) {
    std::string digits = std::to_string(1'000'000'000 + (nanos < 0 ? -nanos : nanos));
    digits[0] = '.';
    while (digits.ends_with("000")) digits.resize(digits.size() - 3);
    out.append(digits);
  }
  out.append("s\"");
}

void append_members(const Message& message, bool is_first, std::string& out);

// The members of the message inside stand beside its type. An Any without bytes has its type only.
void append_any(const google::protobuf::Any& any, std::string& out) {
  out.push_back('{');
  if (!any.type_url().empty()) {
    out.append("\"@type\":");
    append_json(any.type_url(), out);
  }
  if (!any.value().empty()) {
    const std::string& url = any.type_url();
    const Descriptor* const type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
            url.substr(url.rfind('/') + 1));
    assert(type != nullptr);
    const auto* const empty =
        type != nullptr ? google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)
                        : nullptr;
    if (empty != nullptr) {
      const std::unique_ptr<Message> inner(empty->New());
      const bool is_parsed = inner->ParseFromString(any.value());
      assert(is_parsed);
      if (is_parsed) append_members(*inner, false, out);
    }
  }
  out.push_back('}');
}

// Reads one value of a field: the only one, or an element.
class Value {
 public:
  Value(const Message& message, const FieldDescriptor& field, int index)
      : message_(message), reflection_(*message.GetReflection()), field_(field), index_(index) {}

  void append(std::string& out) const {
    switch (field_.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: return append_text(out);
      case FieldDescriptor::CPPTYPE_BOOL:
        out.append(get(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false");
        return;
      case FieldDescriptor::CPPTYPE_INT32:
        return append_number(get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32), out);
      case FieldDescriptor::CPPTYPE_INT64:
        return append_quoted(get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64), out);
      case FieldDescriptor::CPPTYPE_UINT32:
        return append_number(get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32), out);
      case FieldDescriptor::CPPTYPE_UINT64:
        return append_quoted(get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64), out);
      case FieldDescriptor::CPPTYPE_ENUM: return append_enum(out);
      case FieldDescriptor::CPPTYPE_MESSAGE: return append_json(message(), out);
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT: break;
    }
    assert(false);
  }

  const Message& message() const {
    return field_.is_repeated() ? reflection_.GetRepeatedMessage(message_, &field_, index_)
                                : reflection_.GetMessage(message_, &field_);
  }

 private:
  template <class Type>
  using Getter = Type (Reflection::*)(const Message&, const FieldDescriptor*) const;
  template <class Type>
  using RepeatedGetter = Type (Reflection::*)(const Message&, const FieldDescriptor*, int) const;

  template <class Type>
  Type get(Getter<Type> one, RepeatedGetter<Type> element) const {
    return field_.is_repeated() ? (reflection_.*element)(message_, &field_, index_)
                                : (reflection_.*one)(message_, &field_);
  }

  void append_text(std::string& out) const {
    std::string scrap;
    append_json(field_.is_repeated()
                    ? reflection_.GetRepeatedStringReference(message_, &field_, index_, &scrap)
                    : reflection_.GetStringReference(message_, &field_, &scrap),
                out);
  }

  // The name; of a value that has none, the number.
  void append_enum(std::string& out) const {
    const int number = get(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue);
    const EnumValueDescriptor* const value = field_.enum_type()->FindValueByNumber(number);
    if (value == nullptr) return append_number(number, out);
    out.push_back('"');
    out.append(value->name());
    out.push_back('"');
  }

  const Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor& field_;
  const int index_;
};

void append_repeated(const Message& message, const FieldDescriptor& field, std::string& out) {
  const int size = message.GetReflection()->FieldSize(message, &field);
  out.push_back(field.is_map() ? '{' : '[');
  for (int i = 0; i < size; ++i) {
    if (i > 0) out.push_back(',');
    const Value value(message, field, i);
    if (!field.is_map()) {
      value.append(out);
      continue;
    }
    const Message& entry = value.message();
    Value(entry, *field.message_type()->map_key(), 0).append(out);
    out.push_back(':');
    Value(entry, *field.message_type()->map_value(), 0).append(out);
  }
  out.push_back(field.is_map() ? '}' : ']');
}

// `is_first`: no member stands in front.
void append_members(const Message& message, bool is_first, std::string& out) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) continue;
    out.append(is_first ? "\"" : ",\"").append(field.name()).append("\":");
    is_first = false;
    if (field.is_repeated()) {
      append_repeated(message, field, out);
    } else {
      Value(message, field, 0).append(out);
    }
  }
}

}  // namespace

void append_json(const Message& message, std::string& out) {
  const auto type = message.GetDescriptor()->well_known_type();
  if (type == Descriptor::WELLKNOWNTYPE_ANY) {
    return append_any(dynamic_cast<const google::protobuf::Any&>(message), out);
  }
  if (type == Descriptor::WELLKNOWNTYPE_DURATION) {
    return append_duration(dynamic_cast<const google::protobuf::Duration&>(message), out);
  }
  out.push_back('{');
  append_members(message, true, out);
  out.push_back('}');
}

void append_json(std::string_view text, std::string& out) {
  out.push_back('"');
  for (;;) {
    const auto* const special = std::ranges::find_if_not(
        text, [](char c) { return plain_bytes[static_cast<unsigned char>(c)]; });
    out.append(text.begin(), special);
    text.remove_prefix(static_cast<std::size_t>(special - text.begin()));
    if (text.empty()) break;
    const std::size_t size = utf8_length(text);
    const char32_t character = size == 0 ? 0xfffd : decoded(text.substr(0, size));
    if (size == 0 || character < 0x80 || is_unseen(character)) {
      append_escape(character, out);
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  out.push_back('"');
}

}  // namespace rps::rpc::rest
