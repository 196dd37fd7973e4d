// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein 2012), of one input or of several side by
// side: its rounds wait for each other, those of eight keys in one vector do not take longer than those
// of one.
#include <cstring>

#include "csimdjson.h"
#include "text.hpp"

namespace {

using weir::load8;

// `Word` is a number of 64 bits or a vector of them.
template <typename Word>
class SipHash {
 public:
  __attribute__((always_inline)) explicit SipHash(const uint64_t secret[2]) {
    v0_ += secret[0] ^ 0x736f6d6570736575;
    v1_ += secret[1] ^ 0x646f72616e646f6d ^ 0xee;
    v2_ += secret[0] ^ 0x6c7967656e657261;
    v3_ += secret[1] ^ 0x7465646279746573;
  }

  __attribute__((always_inline)) void add(const Word &word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }

  __attribute__((always_inline)) void finish(Word &high, Word &low) {
    v2_ ^= Word{} + uint64_t(0xee);
    for (int i = 0; i < 4; i++) round();
    low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= Word{} + uint64_t(0xdd);
    for (int i = 0; i < 4; i++) round();
    high = v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  Word v0_{}, v1_{}, v2_{}, v3_{};

  template <int bits>
  __attribute__((always_inline)) static void turn(Word &x) {
    x = x << bits | x >> (64 - bits);
  }

  __attribute__((always_inline)) void round() {
    v0_ += v1_;
    turn<13>(v1_);
    v1_ ^= v0_;
    turn<32>(v0_);
    v2_ += v3_;
    turn<16>(v3_);
    v3_ ^= v2_;
    v0_ += v3_;
    turn<21>(v3_);
    v3_ ^= v0_;
    v2_ += v1_;
    turn<17>(v1_);
    v1_ ^= v2_;
    turn<32>(v2_);
  }
};

weir_hash hash(const uint64_t secret[2], const uint8_t *bytes, size_t length) {
  SipHash<uint64_t> state(secret);
  size_t at = 0;
  for (; at + 8 <= length; at += 8) state.add(load8(bytes + at));
  uint64_t last = 0;
  if (at < length) std::memcpy(&last, bytes + at, length - at);
  state.add(last | uint64_t(length) << 56);
  weir_hash result;
  state.finish(result.high, result.low);
  return result;
}

// What stands before the text in the bytes of a key: its kind, and its length in four bytes.
constexpr size_t front = 5;
// A text of so many bytes can be loaded eight bytes at a time from its beginning and up to its end.
constexpr uint32_t shortest = 8;

size_t whole_words(const weir_cell &cell) { return (front + cell.length) / 8; }

weir_hash hash_short(const uint64_t secret[2], const weir_cell &cell) {
  uint8_t key[front + shortest] = {WEIR_STRING};
  std::memcpy(key + 1, &cell.length, 4);
  if (cell.length > 0)
    std::memcpy(key + front, reinterpret_cast<const uint8_t *>(cell.bits), cell.length);
  return hash(secret, key, front + cell.length);
}

// One lane of a vector; a number has one.
template <typename Word>
__attribute__((always_inline)) inline void set(Word &word, int lane, uint64_t value) {
  word[lane] = value;
}
__attribute__((always_inline)) inline void set(uint64_t &word, int, uint64_t value) { word = value; }

template <typename Word>
__attribute__((always_inline)) inline uint64_t get(const Word &word, int lane) {
  return word[lane];
}
__attribute__((always_inline)) inline uint64_t get(const uint64_t &word, int) { return word; }

// The keys of `lanes` rows, each with a text of at least `shortest` bytes, all of `words` whole words.
template <typename Word, int lanes>
__attribute__((always_inline)) inline void hash_side_by_side(const uint64_t secret[2],
                                                             const weir_cell *cells,
                                                             const uint32_t *rows, size_t words,
                                                             weir_hash *hashes) {
  SipHash<Word> state(secret);
  const uint8_t *text[lanes];
  Word first, last;
  for (int i = 0; i < lanes; i++) {
    const weir_cell &cell = cells[rows[i]];
    text[i] = reinterpret_cast<const uint8_t *>(cell.bits);
    const uint64_t length = front + cell.length;
    set(first, i, WEIR_STRING | uint64_t(cell.length) << 8 | load8(text[i]) << 40);
    const unsigned left = length % 8;
    const uint64_t end = load8(text[i] + cell.length - 8);
    set(last, i, length << 56 | (left > 0 ? end >> (64 - 8 * left) : 0));
  }
  state.add(first);
  for (size_t at = 8; at < 8 * words; at += 8) {
    Word word;
    for (int i = 0; i < lanes; i++) set(word, i, load8(text[i] + at - front));
    state.add(word);
  }
  state.add(last);
  Word high, low;
  state.finish(high, low);
  for (int i = 0; i < lanes; i++) hashes[i] = {get(high, i), get(low, i)};
}

void hash_alone(const uint64_t secret[2], const weir_cell *cells, uint32_t row,
                weir_hash *result) {
  if (cells[row].length < shortest)
    *result = hash_short(secret, cells[row]);
  else
    hash_side_by_side<uint64_t, 1>(secret, cells, &row, whole_words(cells[row]), result);
}

void hash_portably(const uint64_t secret[2], const weir_cell *cells, const uint32_t *rows,
                   size_t count, weir_hash *hashes) {
  for (size_t i = 0; i < count; i++) hash_alone(secret, cells, rows[i], hashes + i);
}

#if defined(__x86_64__)
typedef uint64_t Eight __attribute__((vector_size(64)));

__attribute__((target("avx512f"))) void hash_with_avx512(const uint64_t secret[2],
                                                         const weir_cell *cells,
                                                         const uint32_t *rows, size_t count,
                                                         weir_hash *hashes) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const size_t words = whole_words(cells[rows[i]]);
    bool is_even = true;
    for (size_t j = i; j < i + 8; j++) {
      const weir_cell &cell = cells[rows[j]];
      is_even &= cell.length >= shortest && whole_words(cell) == words;
    }
    if (is_even)
      hash_side_by_side<Eight, 8>(secret, cells, rows + i, words, hashes + i);
    else
      hash_portably(secret, cells, rows + i, 8, hashes + i);
  }
  hash_portably(secret, cells, rows + i, count - i, hashes + i);
}
#endif

// How many of the rows hold a string, up to the first that does not.
size_t leading_strings(const weir_cell *cells, const uint32_t *rows, size_t count) {
  size_t i = 0;
  while (i < count && cells[rows[i]].kind == WEIR_STRING) i++;
  return i;
}

}  // namespace

extern "C" weir_hash weir_siphash(const uint64_t secret[2], const uint8_t *bytes, size_t length) {
  return hash(secret, bytes, length);
}

extern "C" size_t weir_siphash_strings(const uint64_t secret[2], const weir_cell *cells,
                                       const uint32_t *rows, size_t count, weir_hash *hashes) {
  count = leading_strings(cells, rows, count);
#if defined(__x86_64__)
  static const bool has_avx512 = __builtin_cpu_supports("avx512f");
  if (has_avx512) {
    hash_with_avx512(secret, cells, rows, count, hashes);
    return count;
  }
#endif
  hash_portably(secret, cells, rows, count, hashes);
  return count;
}

extern "C" size_t weir_siphash_strings_portably(const uint64_t secret[2], const weir_cell *cells,
                                                const uint32_t *rows, size_t count,
                                                weir_hash *hashes) {
  count = leading_strings(cells, rows, count);
  hash_portably(secret, cells, rows, count, hashes);
  return count;
}
