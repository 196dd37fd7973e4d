#include "dictionary.hpp"

namespace weir {

const Dictionary::Entry *Dictionary::add(const Fingerprint &print, const uint8_t *p) {
  credit_ -= 2;
  if (credit_ <= 0) close();
  if (!is_closed_ && 2 * size_ >= table_.size()) grow();
  if (is_closed_ || size_ == most_entries) return nullptr;
  Entry *entry = insert({print, uint32_t(size_ + 1), nullptr}, p);
  if (!entry) return nullptr;
  entry->address = keep(p, print.length);
  size_++;
  return entry;
}

// The strings stay: cells point at them.
void Dictionary::close() {
  is_closed_ = true;
  table_ = {};
}

// Null where too many strings fall on one place: that one stays without a code.
Dictionary::Entry *Dictionary::insert(const Entry &entry, const uint8_t *p) {
  size_t i = entry.print.hash(p) >> shift_;
  for (int tries = 0; tries < most_tries; tries++, i = (i + 1) & (table_.size() - 1)) {
    if (table_[i].code != 0) continue;
    table_[i] = entry;
    return &table_[i];
  }
  return nullptr;
}

void Dictionary::grow() {
  std::vector<Entry> old(table_.empty() ? 128 : 2 * table_.size());
  old.swap(table_);
  shift_ = 64 - __builtin_ctzll(table_.size());
  for (const Entry &e : old)
    if (e.code != 0 && !insert(e, e.address)) {
      // It would get a second code when it comes again.
      close();
      return;
    }
}

// The copies are followed by bytes that may be read with them.
const uint8_t *Dictionary::keep(const uint8_t *p, uint32_t length) {
  constexpr size_t chunk = 4096, slack = 8;
  if (left_ < length + slack) {
    chunks_.emplace_back(new uint8_t[chunk]());
    free_ = chunks_.back().get();
    left_ = chunk;
  }
  uint8_t *const to = free_;
  std::memcpy(to, p, length);
  free_ += length;
  left_ -= length;
  return to;
}

}  // namespace weir
