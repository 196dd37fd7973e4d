#include "numbers.hpp"

#include <charconv>
#include <cmath>

namespace {

using weir::Number;

// A number taken apart: sign, digits without leading zeros, point and exponent.
struct Parts {
  bool negative = false;
  bool is_integer = true;
  uint64_t digits = 0;       // the first 19 significant ones
  uint32_t digit_count = 0;  // significant ones in all
  int64_t exponent = 0;      // of ten, for the last of all digits
};

// Reads a run of digits; null where there is none.
const uint8_t *read_digits(const uint8_t *p, const uint8_t *end, Parts &parts) {
  const uint8_t *const begin = p;
  for (; p < end && uint8_t(*p - '0') < 10; p++) {
    if (parts.digit_count == 0 && *p == '0') continue;
    if (parts.digit_count++ < 19) parts.digits = parts.digits * 10 + (*p - '0');
  }
  return p > begin ? p : nullptr;
}

// Takes apart what must be all of the token; false where it is no number.
bool take_apart(const uint8_t *p, const uint8_t *end, Parts &parts) {
  if (p < end && *p == '-') {
    parts.negative = true;
    p++;
  }
  const uint8_t *const begin = p;
  p = read_digits(p, end, parts);
  if (!p || (*begin == '0' && p - begin > 1)) return false;
  if (p < end && *p == '.') {
    parts.is_integer = false;
    const uint8_t *const fraction = p + 1;
    p = read_digits(fraction, end, parts);
    if (!p) return false;
    parts.exponent = -(p - fraction);
  }
  if (p < end && (*p | 0x20) == 'e') {
    parts.is_integer = false;
    p++;
    bool down = false;
    if (p < end && (*p == '+' || *p == '-')) down = *p++ == '-';
    int64_t exponent = 0;
    const uint8_t *const first = p;
    for (; p < end && uint8_t(*p - '0') < 10; p++)
      if (exponent < 1'000'000'000) exponent = exponent * 10 + (*p - '0');
    if (p == first) return false;
    parts.exponent += down ? -exponent : exponent;
  }
  return p == end;
}

// Powers of ten that a double holds exactly.
constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

Number real(const Parts &parts, const uint8_t *p, const uint8_t *end, Number::Kind kind) {
  Number number{kind, {}};
  if (parts.digit_count <= 19 && parts.digits < uint64_t(1) << 53 && parts.exponent >= -22 &&
      parts.exponent <= 22) {
    // Both are exact, so that the one rounding of the operation is the right one (Clinger 1990).
    const double digits = double(parts.digits);
    const double value = parts.exponent < 0 ? digits / powers[-parts.exponent]
                                            : digits * powers[parts.exponent];
    number.value = parts.negative ? -value : value;
    return number;
  }
  const char *const last = reinterpret_cast<const char *>(end);
  const auto result =
      std::from_chars(reinterpret_cast<const char *>(p), last, number.value);
  if (result.ec != std::errc() || result.ptr != last || !std::isfinite(number.value))
    number.kind = Number::beyond;
  return number;
}

}  // namespace

Number weir::read_number(const uint8_t *p, uint32_t length, bool big) {
  Number number{Number::invalid, {}};
  Parts parts;
  const uint8_t *const end = p + length;
  if (!take_apart(p, end, parts)) return number;
  if (!parts.is_integer) return real(parts, p, end, Number::real);
  const uint64_t most = uint64_t(INT64_MAX) + (parts.negative ? 1 : 0);
  if (parts.digit_count <= 19 && parts.digits <= most) {
    number.kind = Number::integer;
    number.whole = int64_t(parts.negative ? 0 - parts.digits : parts.digits);
    return number;
  }
  if (big) return real(parts, p, end, Number::big_integer);
  number.kind = Number::big_integer;
  return number;
}

bool weir::valid_number_slowly(const uint8_t *p, uint32_t length) {
  Parts parts;
  return take_apart(p, p + length, parts);
}
