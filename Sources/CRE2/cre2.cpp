#include "cre2.h"

#include <re2/re2.h>

#include <cstring>
#include <memory>
#include <new>

struct weir_pattern {
  explicit weir_pattern(const re2::StringPiece &text, const re2::RE2::Options &options)
      : re(text, options) {}
  re2::RE2 re;
};

static re2::StringPiece piece(const uint8_t *bytes, size_t length) {
  return re2::StringPiece(reinterpret_cast<const char *>(bytes), length);
}

weir_pattern *weir_pattern_new(const uint8_t *pattern, size_t length, int64_t memory_max,
                               char *reason, size_t reason_capacity) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory_max);
  // Nobody asks for what the groups found.
  options.set_never_capture(true);
  std::unique_ptr<weir_pattern> made(new (std::nothrow)
                                         weir_pattern(piece(pattern, length), options));
  if (made && made->re.ok()) return made.release();
  if (reason_capacity > 0) {
    const char *const text = made ? made->re.error().c_str() : "out of memory";
    std::strncpy(reason, text, reason_capacity - 1);
    reason[reason_capacity - 1] = 0;
  }
  return nullptr;
}

void weir_pattern_free(weir_pattern *pattern) { delete pattern; }

int weir_pattern_matches(const weir_pattern *pattern, const uint8_t *text, size_t length) {
  return re2::RE2::PartialMatch(piece(text, length), pattern->re) ? 1 : 0;
}
