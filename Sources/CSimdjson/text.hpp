// Short texts as numbers, so that keys and values are compared without a loop.
#pragma once
#include <cstdint>
#include <cstring>

namespace weir {

inline uint64_t load8(const uint8_t *p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

inline uint32_t load4(const uint8_t *p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}

// The bits of the first `count` bytes of a loaded number; count is 0 to 7.
inline uint64_t low_bytes(uint32_t count) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return (uint64_t(1) << (8 * count)) - 1;
#else
  return ~(~uint64_t(0) >> (8 * count));
#endif
}

// What tells most texts apart: length, first and last eight bytes. Up to 16 bytes it is the text.
struct Fingerprint {
  uint64_t head, tail;
  uint32_t length;

  // 8 bytes from `p` on must be readable, however short the text is.
  static Fingerprint of(const uint8_t *p, uint32_t length) {
    // Without a branch: lengths are mixed in most columns.
    const uint32_t tail_at = length >= 8 ? length - 8 : 0;
    const uint64_t mask = length >= 8 ? ~uint64_t(0) : low_bytes(length);
    return {load8(p) & mask, load8(p + tail_at) & mask, length};
  }

  bool operator==(const Fingerprint &o) const {
    return head == o.head && tail == o.tail && length == o.length;
  }

  // Of the whole text at `p`, whose fingerprint this is. Good in its upper bits.
  uint64_t hash(const uint8_t *p) const {
    constexpr uint64_t odd = 0x9E3779B97F4A7C15u;
    uint64_t x = (head ^ length) * odd + tail * 0xD6E8FEB86659FD93u;
    for (uint32_t at = 8; at + 8 < length; at += 8) x = (x ^ x >> 32 ^ load8(p + at)) * odd;
    return (x ^ x >> 32) * odd;
  }
};

// Whether two texts of one fingerprint are the same.
inline bool same_middle(const uint8_t *a, const uint8_t *b, uint32_t length) {
  return length <= 16 || std::memcmp(a + 8, b + 8, length - 16) == 0;
}

// Whether one of the eight bytes of `v` is a quote or a backslash.
inline bool has_quote_or_backslash(uint64_t v) {
  constexpr uint64_t ones = 0x0101010101010101u, upper = 0x8080808080808080u;
  const uint64_t quote = v ^ ones * '"', backslash = v ^ ones * '\\';
  // A byte that is zero borrows, and had no upper bit before.
  return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & upper;
}

inline bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace weir
