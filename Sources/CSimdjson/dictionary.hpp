// The distinct strings of one column, numbered as they come.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "text.hpp"

namespace weir {

// Gives a string its code and the one address that all of its kind share. A column with too many
// distinct strings gives up by itself.
class Dictionary {
 public:
  static constexpr uint32_t longest = 64;       // bytes of a string that is looked up
  static constexpr size_t most_entries = 4095;  // distinct strings

  struct Entry {
    Fingerprint print{};
    uint32_t code = 0;  // 0: free
    const uint8_t *address = nullptr;
  };

  // The entry of [p, p + length), or null where it has no code.
  const Entry *find(const uint8_t *p, uint32_t length) {
    if (length > longest || is_closed_) return nullptr;
    const Fingerprint print = Fingerprint::of(p, length);
    if (!table_.empty()) {
      size_t i = print.hash(p) >> shift_;
      for (int tries = 0; tries < most_tries; tries++, i = (i + 1) & (table_.size() - 1)) {
        const Entry &e = table_[i];
        if (e.code == 0) break;
        if (e.print == print && same_middle(e.address, p, length)) {
          credit_ += credit_ < most_credit;
          return &e;
        }
      }
    }
    return add(print, p);
  }

  // Whether it gave up: there are no codes any more.
  bool is_closed() const { return is_closed_; }

  // The largest code given.
  uint32_t size() const { return uint32_t(size_); }

 private:
  static constexpr int most_tries = 16;
  // A string seen before gives one, a new one takes two: below two in three it does not pay.
  static constexpr int32_t most_credit = 2 * (most_entries + 1);

  const Entry *add(const Fingerprint &print, const uint8_t *p);
  Entry *insert(const Entry &entry, const uint8_t *p);
  void grow();
  void close();
  const uint8_t *keep(const uint8_t *p, uint32_t length);

  std::vector<Entry> table_;
  int shift_ = 64;
  size_t size_ = 0;
  int32_t credit_ = most_credit;
  bool is_closed_ = false;
  std::vector<std::unique_ptr<uint8_t[]>> chunks_;
  uint8_t *free_ = nullptr;
  size_t left_ = 0;
};

}  // namespace weir
