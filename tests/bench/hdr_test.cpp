#include "bench/model/hdr.hpp"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include <zlib.h>

#include "bench/model/base64.hpp"
#include "core/random.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using namespace rps;
using namespace rps::model;
using std::chrono::nanoseconds;

namespace {

load::Distribution recorded(std::uint64_t seed, std::uint64_t count) {
  load::Histogram histogram;
  for (std::uint64_t i = 0; i < count; ++i) {
    histogram.record(nanoseconds(rps::mix(seed, i) >> (i % 40 + 24)));
  }
  return load::Distribution(histogram);
}

load::Distribution of(std::initializer_list<nanoseconds> values) {
  load::Histogram histogram;
  for (const nanoseconds value : values) histogram.record(value);
  return load::Distribution(histogram);
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
}

// The lines of percentiles.
std::vector<std::vector<std::string>> rows_of(const std::string& hgrm) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(hgrm);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> row;
    for (std::string word; words >> word;) row.push_back(word);
    if (!row.empty() && is_number(row[0])) rows.push_back(row);
  }
  return rows;
}

using Bytes = std::vector<std::uint8_t>;

// What is inside the compressed part, and the encoding of such an inside.
Bytes unpacked(const std::string& text) {
  const Bytes outer = *parse_base64(text);
  Bytes inner(1'000'000);
  uLongf size = inner.size();
  REQUIRE(::uncompress(inner.data(), &size, outer.data() + 8, outer.size() - 8) == Z_OK);
  inner.resize(size);
  return inner;
}

std::string packed(const Bytes& inner) {
  uLongf size = ::compressBound(inner.size());
  Bytes outer(8 + size);
  REQUIRE(::compress(outer.data() + 8, &size, inner.data(), inner.size()) == Z_OK);
  outer.resize(8 + size);
  const Bytes cookie{0x1c, 0x84, 0x93, 0x14};
  std::ranges::copy(cookie, outer.begin());
  for (std::size_t i = 0; i < 4; ++i) outer[7 - i] = static_cast<std::uint8_t>(size >> (8 * i));
  return to_base64(outer);
}

// Whatever was read can be worked with.
void check_whole(const std::expected<load::Distribution, std::string>& read, std::size_t byte) {
  INFO("byte " << byte);
  if (!read) {
    CHECK(read.error().starts_with("not a histogram"));
    return;
  }
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < read->buckets.size(); ++i) {
    const auto& bucket = read->buckets[i];
    CHECK((bucket.count > 0 && bucket.index < load::Histogram::bucket_count));
    CHECK((i == 0 || bucket.index > read->buckets[i - 1].index));
    total += bucket.count;
  }
  CHECK(total == read->count);
}

// HdrHistogram for JavaScript (hdr-histogram-js 3.0.1, from 1 to 2^43 - 1 with three digits) made
// this of 1, 2, 2, 2047, 2048, 4096, a million and 2^43 - 1.
constexpr std::string_view foreign =
    "HISTFAAAADN4nJNpmSzMwMAgyMDAwMjAwMDMAAGMDAzs/0EAzmdi+S7PxPSXn2l/HdPOj0xMAP93C3s=";

}  // namespace

TEST_CASE("base64: the examples of RFC 4648") {
  const std::vector<std::pair<std::string, std::string>> examples{{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : examples) {
    const std::vector<std::uint8_t> bytes(plain.begin(), plain.end());
    CHECK(to_base64(bytes) == text);
    CHECK(parse_base64(text) == bytes);
  }
}

TEST_CASE("base64: what no encoder writes is refused") {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zm9v=", "====", "=", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9", "Zm9\n", "Zm9-",
        "Zm9_", "Z===", "Zm9vYg==="}) {
    INFO(text);
    CHECK_FALSE(parse_base64(text));
  }
}

TEST_CASE("a distribution survives the encoding, bucket by bucket") {
  for (const std::uint64_t count : {1, 2, 10, 1'000, 50'000}) {
    const load::Distribution before = recorded(count, count);
    const auto after = parse_hdr_base64(to_hdr_base64(before));
    REQUIRE(after);
    CHECK(after->buckets == before.buckets);
    CHECK(after->count == before.count);
    CHECK(after->mean_ns == Approx(before.mean_ns).epsilon(0.001));
    CHECK(after->min_ns <= before.min_ns);
    CHECK(after->max_ns >= before.max_ns);
  }
}

TEST_CASE("the ends of the range, long gaps, lone zeros and great counts survive the encoding") {
  load::Distribution odd =
      of({0ns, 2ns, 3ns, 6ns, 2047ns, 2048ns, 1h, nanoseconds(load::Histogram::value_max)});
  odd.buckets[1].count = (std::uint64_t{1} << 62) - 1;
  odd.buckets[2].count = 1ULL << 34;
  odd.count = 0;
  for (const auto& bucket : odd.buckets) odd.count += bucket.count;
  const auto after = parse_hdr_base64(to_hdr_base64(odd));
  REQUIRE(after);
  CHECK(after->buckets == odd.buckets);
}

TEST_CASE("nothing is a histogram too") {
  const auto after = parse_hdr_base64(to_hdr_base64({}));
  REQUIRE(after);
  CHECK(*after == load::Distribution());
}

TEST_CASE("what another implementation wrote is read") {
  const auto read = parse_hdr_base64(foreign);
  REQUIRE(read);
  CHECK(read->buckets ==
        of({1ns, 2ns, 2ns, 2047ns, 2048ns, 4096ns, 1ms, nanoseconds(load::Histogram::value_max)})
            .buckets);
}

TEST_CASE("every truncation is refused with a sentence") {
  const std::string whole = to_hdr_base64(recorded(1, 300));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = parse_hdr_base64(std::string_view(whole).substr(0, size));
    REQUIRE_FALSE(read);
    CHECK(read.error().starts_with("not a histogram"));
  }
  const auto bytes = *parse_base64(whole);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::uint8_t> cut(bytes.begin(),
                                        bytes.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE_FALSE(parse_hdr_base64(to_base64(cut)));
  }
}

TEST_CASE("every flipped bit is refused, or meant nothing") {
  const load::Distribution before = recorded(2, 300);
  const std::string whole = to_hdr_base64(before);
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto read = parse_hdr_base64(damaged);
    if (read) CHECK(read->buckets == before.buckets);
    refused += read ? 0 : 1;
  }
  CHECK(refused > whole.size() * 8 - 8);  // The compressed part does not use its last byte whole.
}

TEST_CASE("noise is refused, and so is what is too long to be one of ours") {
  std::string noise;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    noise += static_cast<char>('A' + rps::below(26, rps::mix(9, i)));
    CHECK_FALSE(parse_hdr_base64(noise));
  }
  CHECK_FALSE(parse_hdr_base64(std::string(4'000'000, 'A')));
  CHECK_FALSE(
      parse_hdr_base64(packed(Bytes(10'000'000))));  // Ten megabytes of zeros in ten kilobytes.
}

// The checksum of the compressed part would hide what reading its inside does.
TEST_CASE("damage inside, under a right checksum, is refused or makes another whole histogram") {
  const Bytes inner = unpacked(to_hdr_base64(recorded(4, 200)));
  for (std::size_t byte = 0; byte < inner.size(); ++byte) {
    for (const unsigned damage : {0x01U, 0x80U, 0xFFU, 0x55U}) {
      Bytes damaged = inner;
      damaged[byte] = static_cast<std::uint8_t>(damaged[byte] ^ damage);
      check_whole(parse_hdr_base64(packed(damaged)), byte);
    }
  }
  for (std::size_t size = 0; size < inner.size(); ++size) {
    const Bytes cut(inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(parse_hdr_base64(packed(cut)));
  }
}

TEST_CASE("counts beyond the range, or too many to add up, are refused") {
  const Bytes header = unpacked(to_hdr_base64({}));
  const auto with_counts = [&](const Bytes& counts) {
    Bytes inner = header;
    inner[7] = static_cast<std::uint8_t>(counts.size());
    inner.insert(inner.end(), counts.begin(), counts.end());
    return parse_hdr_base64(packed(inner));
  };
  const Bytes most{0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};   // 2^63 - 1
  const Bytes least{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};  // -2^63
  CHECK(with_counts(most)->count == (std::uint64_t{1} << 63) - 1);
  CHECK_FALSE(with_counts(least));
  Bytes thrice;
  for (int i = 0; i < 3; ++i) thrice.insert(thrice.end(), most.begin(), most.end());
  CHECK(with_counts(thrice).error().find("too many") != std::string::npos);
  // As many zeros as there are buckets, one more, and a value behind them.
  static_assert(load::Histogram::bucket_count == 34'816);
  CHECK(with_counts({0xFF, 0x9F, 0x04})->count == 0);
  CHECK_FALSE(with_counts({0x81, 0xA0, 0x04}));
  CHECK_FALSE(with_counts({0xFF, 0x9F, 0x04, 0x02}));
  CHECK_FALSE(with_counts({0x80}));
  CHECK(with_counts({0x00, 0x00})->count == 0);
}

TEST_CASE("hgrm: one value is every percentile") {
  const std::string text = to_hgrm(of({5us}), 1e3);
  CHECK(text ==
        "       Value     Percentile TotalCount 1/(1-Percentile)\n"
        "\n"
        "       5.003 0.000000000000          1           1.00\n"
        "       5.003 1.000000000000          1\n"
        "#[Mean    =        5.000, StdDeviation   =        0.002]\n"
        "#[Max     =        5.000, Total count    =            1]\n"
        "#[Buckets =           33, SubBuckets     =         2048]\n");
}

TEST_CASE("hgrm: percentiles ascend in steps that halve, values and counts with them") {
  const load::Distribution kept = recorded(3, 100'000);
  const auto rows = rows_of(to_hgrm(kept, 1e3));
  REQUIRE(rows.size() > 60);
  CHECK(rows[1][1] == "0.100000000000");
  CHECK(rows[5][1] == "0.500000000000");
  CHECK(rows[6][1] == "0.550000000000");
  CHECK(rows[10][1] == "0.750000000000");
  CHECK(rows[11][1] == "0.775000000000");
  CHECK(rows[10][3] == "4.00");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    CHECK(std::stod(rows[i][0]) >= std::stod(rows[i - 1][0]));
    CHECK(std::stod(rows[i][1]) > std::stod(rows[i - 1][1]));
    CHECK(std::stoull(rows[i][2]) >= std::stoull(rows[i - 1][2]));
  }
  for (const auto& row : rows) {
    const double value = std::stod(row[0]) * 1e3;
    CHECK(value == Approx(kept.quantile_ns(std::stod(row[1]))).epsilon(0.001).margin(1));
  }
  CHECK(rows.back()[1] == "1.000000000000");
  CHECK(rows.back()[2] == "100000");
}

TEST_CASE("hgrm: of nothing there is a head and a foot") {
  const std::string text = to_hgrm({}, 1e6);
  CHECK(rows_of(text).empty());
  CHECK(text.find("Total count    =            0]") != std::string::npos);
}
