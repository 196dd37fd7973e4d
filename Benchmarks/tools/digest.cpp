// Says what records a program wrote, whatever their order and their spelling of JSON.
//
//   digest SERIES LIST
//
// Reads the shards of JSON lines named in the file LIST (zstd), one path a line. Every record must
// have exactly the fields of a moderation decision, each of its type. Prints one JSON object:
//
// - records: how many lines there are; distinct: how many different event_id
// - digest: the sum of a 128-bit hash (XXH3) of all fields of each record. Equal sums mean equal
//   records, in any order; a sum and not an exclusive or, so that two equal records do not cancel.
// - bytes: of text
//
// and writes the CSV file SERIES: by market, queue and day (UTC), of the record with the highest
// revision of each event, how many there are (n), violations, and the sum of handle_ms.
//
// Fields are hashed by value: a time in milliseconds since 1970 in whatever form it is written
// (RFC 3339, with a blank instead of the T, without an offset, a number), a number by its bits, a
// string by its bytes after unescaping. `qa` may be null, absent, or an object of nulls: engines
// with typed columns cannot tell these apart.
#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <unordered_map>

#include "shard.hpp"

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

[[noreturn]] void refuse(std::string_view why, std::string_view line) {
  fail(std::string(why) + ": " + std::string(line));
}

/// Days from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
int64_t days_from_civil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const unsigned of_era = unsigned(year - era * 400);
  const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + int64_t(of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

/// Reads digits and punctuation of a time.
struct TimeReader {
  std::string_view text;
  bool good = true;

  bool at(char c) {
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
  }
  void want(char c) { good &= at(c); }
  int digits(size_t count) {
    int value = 0;
    for (size_t i = 0; i < count; i++) {
      if (text.empty() || text[0] < '0' || text[0] > '9') return good = false, 0;
      value = value * 10 + (text[0] - '0');
      text.remove_prefix(1);
    }
    return value;
  }
};

/// Milliseconds since 1970; more than milliseconds must be zeros. Without an offset it is UTC.
int64_t milliseconds(std::string_view text, std::string_view line) {
  TimeReader in{text};
  const int year = in.digits(4);
  in.want('-');
  const int month = in.digits(2);
  in.want('-');
  const int day = in.digits(2);
  if (!in.at('T')) in.want(' ');
  const int hour = in.digits(2);
  in.want(':');
  const int minute = in.digits(2);
  in.want(':');
  const int second = in.digits(2);
  int64_t fraction = 0;
  if (in.at('.')) {
    int scale = 100;
    while (!in.text.empty() && in.text[0] >= '0' && in.text[0] <= '9') {
      const int digit = in.digits(1);
      in.good &= scale > 0 || digit == 0;
      fraction += digit * scale;
      scale /= 10;
    }
  }
  int64_t offset = 0;
  if (!in.at('Z') && !in.text.empty()) {
    const int sign = in.at('-') ? -1 : 1;
    if (sign > 0) in.want('+');
    offset = in.digits(2) * 60;
    if (!in.text.empty()) {
      in.at(':');
      offset += in.digits(2);
    }
    offset *= sign;
  }
  if (!in.good || !in.text.empty()) refuse("no time", line);
  const int64_t days = days_from_civil(year, unsigned(month), unsigned(day));
  return ((days * 24 + hour) * 60 + minute - offset) * 60000 + second * 1000 + fraction;
}

/// The canonical form of one record, to be hashed.
class Canonical {
 public:
  void clear() { bytes_.clear(); }
  void number(uint64_t value) {
    bytes_.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_.append(value);
  }
  XXH128_hash_t hash() const { return XXH3_128bits(bytes_.data(), bytes_.size()); }

 private:
  std::string bytes_;
};

/// What the series need of a record.
struct Kept {
  uint64_t event;
  uint32_t cell;
  uint32_t revision;
  int64_t handle_ms;
  bool is_violation;
};

class Digest {
 public:
  void line(const char *text, size_t length) {
    bytes_ += length + 1;
    const std::string_view line(text, length);
    object record;
    if (parser_.parse(text, length, false).get(record)) refuse("no JSON object", line);
    record_.clear();
    const std::string_view event = string(record, "event_id", line);
    string(record, "content_id", line);
    const int64_t time = time_of(record, line);
    record_.number(uint64_t(time));
    const std::string_view market = string(record, "market", line);
    const std::string_view queue = string(record, "queue", line);
    for (const char *key : {"team", "moderator_id", "policy"}) string(record, key, line);
    const std::string_view decision = string(record, "decision", line);
    integer(record, "severity", line);
    model(record, line);
    quality(record, line);
    boolean(record, "appealed", line);
    const int64_t handle = integer(record, "handle_ms", line);
    for (const char *key : {"lang", "note"}) string(record, key, line);
    tags(record, line);
    const int64_t revision = integer(record, "revision", line);
    size_t fields = 0;
    for (auto field : record) fields += field.key != "qa";
    if (fields != 17) refuse("a field too many", line);

    const XXH128_hash_t hash = record_.hash();
    const uint64_t low = low_ + hash.low64;
    high_ += hash.high64 + (low < low_);
    low_ = low;
    kept_.push_back({XXH3_64bits(event.data(), event.size()), cell(market, queue, time),
                     uint32_t(revision), handle, decision == "violation"});
  }

  void finish(const std::string &series) {
    std::sort(kept_.begin(), kept_.end(), [](const Kept &a, const Kept &b) {
      return a.event != b.event ? a.event < b.event : a.revision > b.revision;
    });
    struct Sums {
      uint64_t n = 0, violations = 0;
      int64_t handle_ms = 0;
    };
    std::vector<Sums> sums(names_.size());
    uint64_t distinct = 0;
    for (size_t i = 0; i < kept_.size(); i++) {
      if (i > 0 && kept_[i].event == kept_[i - 1].event) continue;
      distinct++;
      Sums &sum = sums[kept_[i].cell];
      sum.n++;
      sum.violations += kept_[i].is_violation;
      sum.handle_ms += kept_[i].handle_ms;
    }
    std::ofstream out(series);
    out << "market,queue,ts,n,violations,handle_ms_sum\n";
    for (size_t i = 0; i < sums.size(); i++) {
      if (sums[i].n == 0) continue;
      out << names_[i] << ',' << sums[i].n << ',' << sums[i].violations << ','
          << sums[i].handle_ms << '\n';
    }
    out.close();
    if (!out) fail("cannot write " + series);
    std::printf("{\"records\": %zu, \"distinct\": %llu, \"digest\": \"%016llx%016llx\", "
                "\"bytes\": %llu}\n",
                kept_.size(), static_cast<unsigned long long>(distinct),
                static_cast<unsigned long long>(high_), static_cast<unsigned long long>(low_),
                static_cast<unsigned long long>(bytes_));
  }

 private:
  template <class Value>
  Value get(const object &from, const char *key, std::string_view line) {
    Value value;
    if (from[key].get(value)) refuse(std::string("no ") + key, line);
    return value;
  }
  std::string_view string(const object &from, const char *key, std::string_view line) {
    const std::string_view value = get<std::string_view>(from, key, line);
    record_.text(value);
    return value;
  }
  int64_t integer(const object &from, const char *key, std::string_view line) {
    const int64_t value = get<int64_t>(from, key, line);
    record_.number(uint64_t(value));
    return value;
  }
  void boolean(const object &from, const char *key, std::string_view line) {
    record_.number(get<bool>(from, key, line));
  }

  /// A number is milliseconds already.
  int64_t time_of(const object &record, std::string_view line) {
    int64_t time;
    if (!record["ts"].get(time)) return time;
    return milliseconds(get<std::string_view>(record, "ts", line), line);
  }

  void model(const object &record, std::string_view line) {
    const object model = get<object>(record, "model", line);
    if (model.size() != 3) refuse("model has a field too many", line);
    string(model, "name", line);
    string(model, "label", line);
    const double score = get<double>(model, "score", line);
    uint64_t bits;
    std::memcpy(&bits, &score, sizeof bits);
    record_.number(bits);
  }

  void quality(const object &record, std::string_view line) {
    element value;
    object quality;
    size_t fields = 0;
    if (!record["qa"].get(value) && !value.is_null()) {
      if (value.get(quality)) refuse("qa is no object", line);
      for (auto field : quality) fields += !field.value.is_null();
    }
    record_.number(fields);
    if (fields == 0) return;
    if (fields != 2) refuse("qa has a field too many or too few", line);
    string(quality, "label", line);
    string(quality, "reviewer", line);
  }

  void tags(const object &record, std::string_view line) {
    const simdjson::dom::array tags = get<simdjson::dom::array>(record, "tags", line);
    record_.number(tags.size());
    for (element tag : tags) {
      std::string_view text;
      if (tag.get(text)) refuse("a tag is no string", line);
      record_.text(text);
    }
  }

  /// The number of a (market, queue, day).
  uint32_t cell(std::string_view market, std::string_view queue, int64_t time) {
    const int64_t day = time >= 0 ? time / 86400000 : (time - 86399999) / 86400000;
    key_.assign(market).append(1, '\0').append(queue).append(1, '\0').append(
        reinterpret_cast<const char *>(&day), sizeof day);
    const auto found = cells_.find(key_);
    if (found != cells_.end()) return found->second;
    const uint32_t cell = uint32_t(names_.size());
    cells_.emplace(key_, cell);
    names_.push_back(std::string(market) + ',' + std::string(queue) + ',' + date(day));
    return cell;
  }

  static std::string date(int64_t day) {
    const time_t seconds = day * 86400;
    tm parts;
    char text[32];
    gmtime_r(&seconds, &parts);
    std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
    return text;
  }

  simdjson::dom::parser parser_;
  Canonical record_;
  uint64_t high_ = 0, low_ = 0, bytes_ = 0;
  std::vector<Kept> kept_;
  std::string key_;
  std::unordered_map<std::string, uint32_t> cells_;
  std::vector<std::string> names_;
};

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) fail("usage: digest SERIES LIST");
  std::ifstream list(arguments[2]);
  Digest digest;
  ShardReader reader(simdjson::SIMDJSON_PADDING);
  for (std::string path; std::getline(list, path);)
    reader.lines(path, [&](const char *text, size_t length) { digest.line(text, length); });
  digest.finish(arguments[1]);
}
