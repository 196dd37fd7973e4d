// JSON numbers: validated in full, and read where somebody wants the value.
#pragma once
#include <cstdint>

#include "text.hpp"

namespace weir {

struct Number {
  enum Kind {
    invalid,
    integer,      // fits int64
    big_integer,  // does not
    real,
    beyond,       // no finite double, or one that the exact reader should work out
  } kind;
  union {
    int64_t whole;
    double value;  // of a real; of a big integer the nearest double
  };
};

// Reads [p, p + length), which must be all of the token. `big` asks for the value of a
// big integer too.
Number read_number(const uint8_t *p, uint32_t length, bool big);

// Whether [p, p + length) is a number.
bool valid_number_slowly(const uint8_t *p, uint32_t length);

// For every byte of `v` that is no digit, the upper bit.
inline uint64_t non_digits(uint64_t v) {
  const uint64_t x = v ^ 0x3030303030303030u;  // digits are 0 to 9 now
  return (((x & 0x7F7F7F7F7F7F7F7Fu) + 0x7676767676767676u) | x) & 0x8080808080808080u;
}

// The same two, quick for short numbers. 8 bytes from `p` on must be readable.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

inline bool valid_number(const uint8_t *p, uint32_t length) {
  const uint32_t sign = *p == '-';
  const uint32_t digits = length - sign;
  if (digits - 1 >= 8) return valid_number_slowly(p, length);
  p += sign;
  const uint64_t odd = non_digits(load8(p)) & (~uint64_t(0) >> (64 - 8 * digits));
  if (odd == 0) return digits == 1 || *p != '0';
  // One point, with digits on both sides of it.
  const uint32_t place = uint32_t(__builtin_ctzll(odd)) / 8;
  if ((odd & (odd - 1)) == 0 && p[place] == '.' && place > 0 && place + 1 < digits)
    return place == 1 || *p != '0';
  return valid_number_slowly(p - sign, length);
}

// Reads an integer of up to 8 digits without a sign; false where it is something else.
inline bool read_short_integer(const uint8_t *p, uint32_t length, int64_t &value) {
  if (length - 1 >= 8) return false;
  // Right-aligned, with zeros before it.
  const uint32_t shift = 64 - 8 * length;
  const uint64_t text = load8(p);
  if ((non_digits(text) << shift) != 0 || (*p == '0' && length > 1)) return false;
  uint64_t v = (text << shift) & 0x0F0F0F0F0F0F0F0Fu;
  // Neighbours are joined to numbers of two, four, eight digits.
  v = (v * 10 + (v >> 8)) & 0x00FF00FF00FF00FFu;
  v = (v * 100 + (v >> 16)) & 0x0000FFFF0000FFFFu;
  value = int64_t((v * 10000 + (v >> 32)) & 0xFFFFFFFFu);
  return true;
}

#else

inline bool valid_number(const uint8_t *p, uint32_t length) {
  return valid_number_slowly(p, length);
}
inline bool read_short_integer(const uint8_t *, uint32_t, int64_t &) { return false; }

#endif

}  // namespace weir
