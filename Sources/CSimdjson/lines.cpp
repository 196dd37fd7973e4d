#include <cstring>

#include "csimdjson.h"
#include "text.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

// Takes line feeds one after the other and makes lines of them.
class Framer {
 public:
  Framer(const uint8_t *bytes, size_t longest, weir_framing &framing, weir_line *lines,
         size_t capacity)
      : bytes_(bytes), longest_(longest), framing_(framing), lines_(lines), capacity_(capacity) {}

  size_t count = 0;

  // The line that begins at `framing.at` and ends at `end`, where a line feed stands if `is_fed`.
  // False where the work stops before it.
  bool line(size_t end, bool is_fed) {
    const size_t start = framing_.at;
    const size_t next = end + (is_fed ? 1 : 0);
    if (is_fed && end > start && bytes_[end - 1] == '\r') end--;
    if (end - start > longest_) {
      framing_.oversized = end - start;
      return false;
    }
    if (is_blank(start, end)) {
      framing_.blank++;
    } else {
      if (count == capacity_) return false;
      const uint64_t number = framing_.number;
      lines_[count++] = {uint32_t(start), uint32_t(end - start),
                         number > UINT32_MAX ? UINT32_MAX : uint32_t(number), 0, 0};
    }
    framing_.at = next;
    framing_.number++;
    return true;
  }

 private:
  const uint8_t *const bytes_;
  const size_t longest_;
  weir_framing &framing_;
  weir_line *const lines_;
  const size_t capacity_;

  bool is_blank(size_t start, size_t end) const {
    while (start < end && weir::is_space(bytes_[start])) start++;
    return start == end;
  }
};

// Takes the line feeds from `framing.at` on; false where the framer stopped.
bool find_with_library(const uint8_t *bytes, size_t length, weir_framing &framing,
                       Framer &framer) {
  while (framing.at < length) {
    const void *hit = std::memchr(bytes + framing.at, '\n', length - framing.at);
    if (!hit) return true;
    if (!framer.line(size_t(static_cast<const uint8_t *>(hit) - bytes), true)) return false;
  }
  return true;
}

#if defined(__x86_64__)
// The same, 64 bytes at a time.
__attribute__((target("avx2"))) bool find_with_avx2(const uint8_t *bytes, size_t length,
                                                    weir_framing &framing, Framer &framer) {
  const __m256i feed = _mm256_set1_epi8('\n');
  size_t at = framing.at;
  for (; at + 64 <= length; at += 64) {
    const auto *p = reinterpret_cast<const __m256i *>(bytes + at);
    const __m256i low = _mm256_cmpeq_epi8(_mm256_loadu_si256(p), feed);
    const __m256i high = _mm256_cmpeq_epi8(_mm256_loadu_si256(p + 1), feed);
    uint64_t hits = uint32_t(_mm256_movemask_epi8(low)) |
                    uint64_t(uint32_t(_mm256_movemask_epi8(high))) << 32;
    for (; hits != 0; hits &= hits - 1)
      if (!framer.line(at + size_t(__builtin_ctzll(hits)), true)) return false;
  }
  for (; at < length; at++)
    if (bytes[at] == '\n' && !framer.line(at, true)) return false;
  return true;
}
#endif

size_t find(bool (*find_feeds)(const uint8_t *, size_t, weir_framing &, Framer &),
            const uint8_t *bytes, size_t length, size_t longest, weir_framing &framing,
            weir_line *lines, size_t capacity) {
  framing.oversized = 0;
  Framer framer(bytes, longest, framing, lines, capacity);
  // What is behind the last line feed is a line too.
  if (find_feeds(bytes, length, framing, framer) && framing.at < length)
    framer.line(length, false);
  return framer.count;
}

}  // namespace

extern "C" size_t weir_find_lines(const uint8_t *bytes, size_t length, size_t longest,
                                  weir_framing *framing, weir_line *lines, size_t capacity) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2) return find(find_with_avx2, bytes, length, longest, *framing, lines, capacity);
#endif
  return find(find_with_library, bytes, length, longest, *framing, lines, capacity);
}

extern "C" size_t weir_find_lines_portably(const uint8_t *bytes, size_t length, size_t longest,
                                           weir_framing *framing, weir_line *lines,
                                           size_t capacity) {
  return find(find_with_library, bytes, length, longest, *framing, lines, capacity);
}

extern "C" size_t weir_last_newline(const uint8_t *bytes, size_t length) {
  const void *hit = memrchr(bytes, '\n', length);
  return hit ? size_t(static_cast<const uint8_t *>(hit) - bytes) + 1 : 0;
}
