#include "escapes.hpp"

#include <cstring>

namespace {

// The value of a hexadecimal digit, or 255.
uint32_t hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 255u;
}

// The value of four digits that are known to be hexadecimal.
uint32_t unit(const uint8_t *p) {
  return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

uint8_t *append_utf8(uint32_t v, uint8_t *out) {
  if (v < 0x80) {
    *out++ = uint8_t(v);
    return out;
  }
  if (v < 0x800) {
    *out++ = uint8_t(0xC0 | v >> 6);
  } else {
    if (v < 0x10000) {
      *out++ = uint8_t(0xE0 | v >> 12);
    } else {
      *out++ = uint8_t(0xF0 | v >> 18);
      *out++ = uint8_t(0x80 | (v >> 12 & 63));
    }
    *out++ = uint8_t(0x80 | (v >> 6 & 63));
  }
  *out++ = uint8_t(0x80 | (v & 63));
  return out;
}

const uint8_t *find_backslash(const uint8_t *from, const uint8_t *to) {
  return static_cast<const uint8_t *>(std::memchr(from, '\\', size_t(to - from)));
}

}  // namespace

bool weir::valid_escapes(const uint8_t *from, const uint8_t *to) {
  while ((from = find_backslash(from, to))) {
    if (to - from < 2) return false;
    switch (from[1]) {
      case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        from += 2;
        break;
      case 'u':
        if (to - from < 6) return false;
        for (int i = 2; i < 6; i++)
          if (hex_digit(from[i]) > 15) return false;
        from += 6;
        break;
      default: return false;
    }
  }
  return true;
}

ptrdiff_t weir::unescape(const uint8_t *from, const uint8_t *to, uint8_t *out) {
  const uint8_t *const begin = out;
  while (from < to) {
    const uint8_t *hit = find_backslash(from, to);
    const size_t plain = size_t((hit ? hit : to) - from);
    std::memcpy(out, from, plain);
    out += plain;
    from += plain;
    if (!hit) break;
    const uint8_t c = from[1];
    from += 2;
    switch (c) {
      case 'b': *out++ = '\b'; break;
      case 'f': *out++ = '\f'; break;
      case 'n': *out++ = '\n'; break;
      case 'r': *out++ = '\r'; break;
      case 't': *out++ = '\t'; break;
      case 'u': {
        uint32_t v = unit(from);
        from += 4;
        if (v >= 0xD800 && v < 0xE000) {
          if (v >= 0xDC00 || to - from < 6 || from[0] != '\\' || from[1] != 'u') return -1;
          const uint32_t low = unit(from + 2);
          if (low < 0xDC00 || low >= 0xE000) return -1;
          v = 0x10000 + ((v - 0xD800) << 10) + (low - 0xDC00);
          from += 6;
        }
        out = append_utf8(v, out);
        break;
      }
      default: *out++ = c;
    }
  }
  return out - begin;
}
