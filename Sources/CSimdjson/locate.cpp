#include <cstring>

#include "csimdjson.h"
#include "scanner.hpp"

namespace {

// A cursor over JSON that is known to be valid.
struct Trusted {
  const uint8_t *at, *end;

  void space() {
    while (at < end && weir::is_space(*at)) at++;
  }
  // From the opening quote to behind the closing one. True where it holds an escape.
  bool string() {
    at++;
    bool escaped = false;
    for (;;) {
      while (end - at >= 8 && !weir::has_quote_or_backslash(weir::load8(at))) at += 8;
      while (*at != '"' && *at != '\\') at++;
      if (*at++ == '"') return escaped;
      escaped = true;
      at++;
    }
  }
  void value() {
    if (*at == '"') {
      string();
    } else if (*at == '{' || *at == '[') {
      size_t depth = 0;
      do {
        if (*at == '"') {
          string();
          continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
      } while (depth > 0);
    } else {
      while (at < end && *at != ',' && *at != '}' && *at != ']' && !weir::is_space(*at)) at++;
    }
  }
};

// The node of the key between two quotes, or null.
const weir::Node *find(const weir::Level &level, const uint8_t *key, const uint8_t *key_end,
                       const uint8_t *end, bool is_escaped) {
  if (is_escaped) return level.find_escaped(key, key_end);
  const uint32_t length = uint32_t(key_end - key);
  if (end - key >= 8) return level.find(key, length);
  // A short key at the end of memory: nothing may be read behind it.
  uint8_t copy[8] = {};
  std::memcpy(copy, key, length);
  return level.find(copy, length);
}

void locate(const weir_scanner &s, Trusted &cursor, const uint8_t *line, const weir::Level &level,
            uint32_t *starts, uint32_t *lengths) {
  cursor.at++;  // {
  for (;;) {
    cursor.space();
    if (*cursor.at == '}') {
      cursor.at++;
      return;
    }
    if (*cursor.at == ',') {
      cursor.at++;
      cursor.space();
    }
    const uint8_t *key = cursor.at + 1;
    const bool is_escaped = cursor.string();
    const weir::Node *const node = find(level, key, cursor.at - 1, cursor.end, is_escaped);
    cursor.space();
    cursor.at++;  // :
    cursor.space();
    const uint8_t *const start = cursor.at;
    if (!node) {
      cursor.value();
      continue;
    }
    if (node->level >= 0 && *cursor.at == '{') {
      locate(s, cursor, line, s.tree.levels[size_t(node->level)], starts, lengths);
    } else {
      cursor.value();
    }
    if (node->slot >= 0 && lengths[node->slot] == 0) {
      starts[node->slot] = uint32_t(start - line);
      lengths[node->slot] = uint32_t(cursor.at - start);
    }
  }
}

}  // namespace

extern "C" void weir_locate(const weir_scanner *s, const uint8_t *line, size_t length, uint32_t *starts,
                            uint32_t *lengths) {
  for (size_t i = 0; i < s->types.size(); i++) lengths[i] = 0;
  Trusted cursor{line, line + length};
  cursor.space();
  locate(*s, cursor, line, s->tree.levels[0], starts, lengths);
}
