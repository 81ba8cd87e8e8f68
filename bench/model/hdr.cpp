#include "bench/model/hdr.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <vector>

#include <zlib.h>

#include "bench/model/base64.hpp"

namespace rps::model {

namespace {

using Bytes = std::vector<std::uint8_t>;
using Bucket = load::Distribution::Bucket;

constexpr std::uint32_t inner_cookie = 0x1c849303 | 0x10;
constexpr std::uint32_t outer_cookie = 0x1c849304 | 0x10;
constexpr std::uint32_t significant_digits = 3;
constexpr std::uint64_t lowest_discernible = 1;
constexpr auto ratio_one = std::bit_cast<std::uint64_t>(1.0);  // Of its integers to what they mean.
constexpr std::size_t inner_header_size = 40;
constexpr unsigned leb128_bytes_max = 9;  // The ninth holds eight bits.

// No encoding of our buckets is longer, and no text of one.
constexpr std::size_t inner_size_max =
    inner_header_size + load::Histogram::bucket_count * leb128_bytes_max;
constexpr std::size_t text_size_max = inner_size_max * 2;

// ---- Writing

template <class Integer>
void put(Bytes& out, Integer value) {
  for (std::size_t byte = sizeof value; byte > 0; --byte) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (byte - 1))));
  }
}

void put_zigzag(Bytes& out, std::int64_t value) {
  auto rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  for (unsigned byte = 1; byte < leb128_bytes_max && rest >= 0x80; ++byte) {
    out.push_back(static_cast<std::uint8_t>(rest | 0x80));
    rest >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(rest));
}

// A lone zero is written as itself, as the original does.
void put_zeros(Bytes& out, std::uint32_t zeros) {
  if (zeros > 0) put_zigzag(out, zeros == 1 ? 0 : -std::int64_t{zeros});
}

Bytes encoded_counts(const load::Distribution& distribution) {
  Bytes out;
  std::uint32_t next = 0;
  for (const Bucket& bucket : distribution.buckets) {
    put_zeros(out, bucket.index - next);
    put_zigzag(out, static_cast<std::int64_t>(bucket.count));
    next = bucket.index + 1;
  }
  return out;
}

Bytes encoded(const load::Distribution& distribution) {
  const Bytes counts = encoded_counts(distribution);
  Bytes out;
  put(out, inner_cookie);
  put(out, static_cast<std::uint32_t>(counts.size()));
  put(out, std::uint32_t{0});  // The offset of a histogram that was shifted.
  put(out, significant_digits);
  put(out, lowest_discernible);
  put(out, load::Histogram::value_max);
  put(out, ratio_one);
  out.insert(out.end(), counts.begin(), counts.end());
  return out;
}

// ---- Reading

// Takes big-endian integers and counts off the front; nothing once they have run out.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::span<const std::uint8_t> rest() const { return bytes_; }
  bool at_end() const { return bytes_.empty(); }

  template <class Integer>
  std::optional<Integer> take() {
    if (bytes_.size() < sizeof(Integer)) return std::nullopt;
    Integer value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) {
      value = static_cast<Integer>(value << 8 | bytes_[i]);
    }
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }

  std::optional<std::int64_t> take_zigzag() {
    std::uint64_t value = 0;
    for (unsigned byte = 0; byte < leb128_bytes_max; ++byte) {
      const auto bits = take<std::uint8_t>();
      if (!bits) return std::nullopt;
      const bool is_last = byte + 1 == leb128_bytes_max || *bits < 0x80;
      const unsigned kept = byte + 1 == leb128_bytes_max ? 0xFF : 0x7F;
      value |= static_cast<std::uint64_t>(*bits & kept) << (7 * byte);
      if (is_last) break;
    }
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

std::unexpected<std::string> refused(std::string_view why) {
  return std::unexpected("not a histogram that can be read here: " + std::string(why));
}

std::expected<Bytes, std::string> decompressed(std::span<const std::uint8_t> bytes) {
  Input input(bytes);
  const auto cookie = input.take<std::uint32_t>();
  const auto length = input.take<std::uint32_t>();
  if (!cookie || !length) return refused("it ends in its header");
  if (*cookie != outer_cookie) return refused("it is not in the V2 compressed encoding");
  if (*length != input.rest().size()) return refused("its length is not the one it tells");

  Bytes inner(inner_size_max);
  uLongf inner_size = inner.size();
  uLong used = input.rest().size();
  const int result = ::uncompress2(inner.data(), &inner_size, input.rest().data(), &used);
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
  if (result == Z_BUF_ERROR) return refused("it is cut off, or longer than any of ours");
  if (result != Z_OK || used != *length) return refused("its compressed part is damaged");
  inner.resize(inner_size);
  return inner;
}

std::expected<void, std::string> check_header(Input& input) {
  const auto cookie = input.take<std::uint32_t>();
  const auto length = input.take<std::uint32_t>();
  const auto offset = input.take<std::uint32_t>();
  const auto digits = input.take<std::uint32_t>();
  const auto lowest = input.take<std::uint64_t>();
  const auto highest = input.take<std::uint64_t>();
  const auto ratio = input.take<std::uint64_t>();
  if (!ratio || !highest) return refused("it ends in its header");
  if (*cookie != inner_cookie) return refused("its counts are not in the V2 encoding");
  if (*length != input.rest().size()) return refused("it does not hold as much as it tells");
  if (*digits != significant_digits) return refused("it does not have three significant digits");
  if (*lowest != lowest_discernible) return refused("its lowest value is not one");
  // The port to JavaScript writes a 1 for the offset, and the ratio as an integer; it means
  // neither.
  const bool is_plain = *offset == 0 && *ratio == ratio_one;
  const bool is_javascript = *offset == 1 && *ratio == 1;
  if (!is_plain && !is_javascript) return refused("its values are shifted or scaled");
  return {};
}

std::expected<std::vector<Bucket>, std::string> read_counts(Input& input) {
  std::vector<Bucket> buckets;
  std::uint64_t index = 0;
  while (!input.at_end()) {
    const auto count = input.take_zigzag();
    if (!count) return refused("it ends inside a count");
    const std::uint64_t skipped = *count < 0 ? -static_cast<std::uint64_t>(*count) : 1;
    const std::uint64_t room = load::Histogram::bucket_count - index;
    if (skipped > room) return refused("its values go beyond 2.4 hours");
    if (*count > 0) {
      buckets.push_back({.index = static_cast<std::uint32_t>(index),
                         .count = static_cast<std::uint64_t>(*count)});
    }
    index += skipped;
  }
  return buckets;
}

double middle_of(const Bucket& bucket) {
  const std::uint64_t first = load::Histogram::first_value_of(bucket.index);
  // As the original does: the middle of 2^n values is above the two in the middle.
  const std::uint64_t half = (load::Histogram::last_value_of(bucket.index) - first + 1) / 2;
  return static_cast<double>(first + half);
}

// Nothing when there are more values than can be counted.
std::optional<load::Distribution> distribution_of(std::vector<Bucket> buckets) {
  load::Distribution result;
  if (buckets.empty()) return result;
  double sum = 0;
  for (const Bucket& bucket : buckets) {
    if (__builtin_add_overflow(result.count, bucket.count, &result.count)) return std::nullopt;
    sum += middle_of(bucket) * static_cast<double>(bucket.count);
  }
  result.mean_ns = sum / static_cast<double>(result.count);
  result.min_ns = static_cast<double>(load::Histogram::first_value_of(buckets.front().index));
  result.max_ns = static_cast<double>(load::Histogram::last_value_of(buckets.back().index));
  result.buckets = std::move(buckets);
  return result;
}

// ---- The text

// printf's format is part of the format that plotters read.
[[gnu::format(printf, 2, 3)]] void append(std::string& out, const char* format, ...) {
  std::array<char, 256> line;
  std::va_list arguments;
  va_start(arguments, format);
  const int size = std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  if (size > 0) out.append(line.data(), std::min<std::size_t>(line.size() - 1, size));
}

// From one reported percentile to the next: as far as 1/ticks of what was left to 100 % when the
// rest was last halved.
double next_level(double level, unsigned ticks_per_half_distance) {
  const double halvings = std::floor(std::log2(100.0 / (100.0 - level))) + 1;
  return level + 100.0 / (ticks_per_half_distance * std::exp2(halvings));
}

double deviation_of(const load::Distribution& distribution) {
  if (distribution.count == 0) return 0;
  double sum = 0;
  for (const Bucket& bucket : distribution.buckets) {
    const double off = middle_of(bucket) - distribution.mean_ns;
    sum += off * off * static_cast<double>(bucket.count);
  }
  return std::sqrt(sum / static_cast<double>(distribution.count));
}

}  // namespace

std::string to_hdr_base64(const load::Distribution& distribution) {
  const Bytes inner = encoded(distribution);
  uLongf size = ::compressBound(inner.size());
  Bytes compressed(size);
  if (::compress2(compressed.data(), &size, inner.data(), inner.size(), Z_BEST_COMPRESSION) !=
      Z_OK) {
    throw std::bad_alloc();  // Nothing else can fail: the room is what compressBound() says.
  }
  Bytes out;
  put(out, outer_cookie);
  put(out, static_cast<std::uint32_t>(size));
  out.insert(out.end(), compressed.begin(), compressed.begin() + static_cast<std::ptrdiff_t>(size));
  return to_base64(out);
}

std::expected<load::Distribution, std::string> parse_hdr_base64(std::string_view text) {
  if (text.size() > text_size_max) return refused("it is longer than any of ours");
  const auto bytes = parse_base64(text);
  if (!bytes) return refused("it is not base64");
  const auto inner = decompressed(*bytes);
  if (!inner) return std::unexpected(inner.error());
  Input input(*inner);
  if (const auto header = check_header(input); !header) return std::unexpected(header.error());
  auto buckets = read_counts(input);
  if (!buckets) return std::unexpected(buckets.error());
  auto distribution = distribution_of(std::move(*buckets));
  if (!distribution) return refused("its counts are too many to add up");
  return *std::move(distribution);
}

std::string to_hgrm(const load::Distribution& distribution, double unit_ns,
                    unsigned ticks_per_half_distance) {
  std::string out;
  append(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  const auto total = static_cast<double>(distribution.count);
  std::uint64_t seen = 0;
  double level = 0;
  double last_value = 0;
  for (const Bucket& bucket : distribution.buckets) {
    seen += bucket.count;
    last_value = static_cast<double>(load::Histogram::last_value_of(bucket.index)) / unit_ns;
    // A percentile is reported at the first value that reaches it, several at one value as several
    // lines; the last value's once, and then as 100 %.
    const bool is_last = seen == distribution.count;
    while (100.0 * static_cast<double>(seen) / total >= level) {
      append(out, "%12.3f %2.12f %10llu %14.2f\n", last_value, level / 100,
             static_cast<unsigned long long>(seen), 1 / (1 - level / 100));
      level = next_level(level, ticks_per_half_distance);
      if (is_last) break;
    }
  }
  if (seen > 0) {
    append(out, "%12.3f %2.12f %10llu\n", last_value, 1.0, static_cast<unsigned long long>(seen));
  }
  append(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", distribution.mean_ns / unit_ns,
         deviation_of(distribution) / unit_ns);
  append(out, "#[Max     = %12.3f, Total count    = %12llu]\n", distribution.max_ns / unit_ns,
         static_cast<unsigned long long>(distribution.count));
  append(out, "#[Buckets = %12u, SubBuckets     = %12u]\n",
         load::Histogram::value_bits - load::Histogram::linear_bits + 1,
         1U << load::Histogram::linear_bits);
  return out;
}

}  // namespace rps::model
