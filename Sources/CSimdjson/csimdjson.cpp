#include "csimdjson.h"

#include <simdjson.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

namespace {

struct Node {
  std::string key;
  int32_t slot, first_child, child_count;
};

// What one line has shown so far; reset for each.
struct Row {
  weir_cell *cells;
  size_t stride;
  size_t index;
  uint8_t *arena;
  size_t arena_used;
  int32_t duplicate_slot;

  weir_cell &at(int32_t slot) { return cells[size_t(slot) * stride + index]; }
};

}  // namespace

struct weir_scanner {
  simdjson::dom::parser parser;
  std::vector<Node> nodes;
  std::vector<uint8_t> types;
  std::vector<uint32_t> seen;  // per node: the line that saw it last, to find doubled keys
  uint32_t line_stamp = 0;
  size_t root_count = 0;

  // The node of `key` among the siblings [first, first + count), starting the search at `guess`:
  // records of one shard keep their keys in one order.
  int32_t find(std::string_view key, int32_t first, int32_t count, int32_t guess) const {
    for (int32_t tries = 0, i = guess; tries < count; tries++) {
      const Node &n = nodes[size_t(first + i)];
      if (n.key.size() == key.size() && std::memcmp(n.key.data(), key.data(), key.size()) == 0)
        return i;
      if (++i == count) i = 0;
    }
    return -1;
  }

  int32_t first_slot(const Node &n) const {
    if (n.slot >= 0) return n.slot;
    return n.child_count > 0 ? first_slot(nodes[size_t(n.first_child)]) : 0;
  }

  void set_null_below(const Node &n, Row &row) {
    for (int32_t i = 0; i < n.child_count; i++) {
      const Node &c = nodes[size_t(n.first_child + i)];
      if (c.slot >= 0) row.at(c.slot).kind = WEIR_NULL;
      set_null_below(c, row);
    }
  }

  static void set(weir_cell &c, uint8_t kind, uint64_t bits, uint32_t length) {
    c.bits = bits;
    c.length = length;
    c.kind = kind;
  }

  void take(element value, weir_cell &c, Row &row) {
    switch (value.type()) {
      case element_type::STRING: {
        std::string_view s = value.get_string().value_unsafe();
        uint8_t *to = row.arena + row.arena_used;
        std::memcpy(to, s.data(), s.size());
        row.arena_used += s.size();
        set(c, WEIR_STRING, reinterpret_cast<uint64_t>(to), uint32_t(s.size()));
        break;
      }
      case element_type::INT64:
        set(c, WEIR_INT, uint64_t(value.get_int64().value_unsafe()), 0);
        break;
      case element_type::UINT64:  // above int64: kept apart by length 1
        set(c, WEIR_OTHER, value.get_uint64().value_unsafe(), 1);
        break;
      case element_type::DOUBLE: {
        double d = value.get_double().value_unsafe();
        uint64_t bits;
        std::memcpy(&bits, &d, 8);
        set(c, WEIR_NUMBER, bits, 0);
        break;
      }
      case element_type::BOOL:
        set(c, WEIR_BOOL, value.get_bool().value_unsafe() ? 1 : 0, 0);
        break;
      case element_type::NULL_VALUE:
        set(c, WEIR_NULL, 0, 0);
        break;
      default:
        set(c, WEIR_OTHER, 0, 0);
    }
  }

  void walk(object o, int32_t first, int32_t count, Row &row) {
    int32_t next = 0;
    for (auto field : o) {
      int32_t i = find(field.key, first, count, next);
      if (i < 0) continue;
      next = i + 1 == count ? 0 : i + 1;
      const size_t index = size_t(first + i);
      const Node &n = nodes[index];
      if (seen[index] == line_stamp) {
        if (row.duplicate_slot < 0) row.duplicate_slot = first_slot(n);
        continue;
      }
      seen[index] = line_stamp;
      if (n.slot >= 0) take(field.value, row.at(n.slot), row);
      if (n.child_count > 0) {
        object inner;
        if (field.value.is_null()) {
          set_null_below(n, row);
        } else if (!field.value.get(inner)) {
          walk(inner, n.first_child, n.child_count, row);
        }
      }
    }
  }

  // Holds the cells of one row against the declared types.
  void check(weir_line &line, Row &row) {
    for (size_t s = 0; s < types.size(); s++) {
      weir_cell &c = row.at(int32_t(s));
      const uint8_t type = types[s] & 127;
      uint16_t status = WEIR_LINE_OK;
      if (c.kind == WEIR_MISSING || c.kind == WEIR_NULL) {
        if (!(types[s] & WEIR_TYPE_NULLABLE)) status = WEIR_LINE_MISSING;
      } else {
        const bool big = c.kind == WEIR_OTHER && c.length == 1;
        switch (type) {
          case WEIR_TYPE_STRING:
          case WEIR_TYPE_TIMESTAMP:
            if (c.kind != WEIR_STRING) status = WEIR_LINE_WRONG_TYPE;
            break;
          case WEIR_TYPE_INT:
            if (big) status = WEIR_LINE_OUT_OF_RANGE;
            else if (c.kind != WEIR_INT) status = WEIR_LINE_WRONG_TYPE;
            break;
          case WEIR_TYPE_NUMBER: {
            if (c.kind == WEIR_NUMBER) break;
            if (c.kind != WEIR_INT && !big) { status = WEIR_LINE_WRONG_TYPE; break; }
            double d = big ? double(c.bits) : double(int64_t(c.bits));
            std::memcpy(&c.bits, &d, 8);
            c.kind = WEIR_NUMBER;
            c.length = 0;
            break;
          }
          case WEIR_TYPE_BOOL:
            if (c.kind != WEIR_BOOL) status = WEIR_LINE_WRONG_TYPE;
            break;
          default:
            if (big) status = WEIR_LINE_OUT_OF_RANGE;
        }
      }
      if (status != WEIR_LINE_OK) {
        line.status = status;
        line.slot = uint16_t(s);
        return;
      }
    }
    line.status = WEIR_LINE_OK;
  }
};

extern "C" weir_scanner *weir_scanner_new(const weir_path_node *nodes, size_t node_count,
                                          size_t root_count, const uint8_t *types,
                                          size_t slot_count) {
  auto *s = new (std::nothrow) weir_scanner;
  if (!s) return nullptr;
  for (size_t i = 0; i < node_count; i++)
    s->nodes.push_back({std::string(reinterpret_cast<const char *>(nodes[i].key),
                                    nodes[i].key_length),
                        nodes[i].slot, nodes[i].first_child, nodes[i].child_count});
  s->types.assign(types, types + slot_count);
  s->seen.assign(node_count, 0);
  s->root_count = root_count;
  return s;
}

extern "C" void weir_scanner_free(weir_scanner *scanner) { delete scanner; }

extern "C" size_t weir_scan(weir_scanner *s, const uint8_t *base, weir_line *lines, size_t count,
                            weir_cell *cells, size_t stride, uint8_t *arena) {
  Row row{cells, stride, 0, arena, 0, -1};
  for (size_t i = 0; i < count; i++) {
    weir_line &line = lines[i];
    row.index = i;
    row.duplicate_slot = -1;
    for (size_t slot = 0; slot < s->types.size(); slot++) {
      weir_cell &c = row.at(int32_t(slot));
      c.bits = 0;
      c.length = 0;
      c.kind = WEIR_MISSING;
    }
    element root;
    object o;
    if (s->parser.parse(base + line.start, line.length, false).get(root)) {
      line.status = WEIR_LINE_REFUSED;
    } else if (root.get(o)) {
      line.status = WEIR_LINE_NOT_OBJECT;
    } else {
      if (++s->line_stamp == 0) {
        std::fill(s->seen.begin(), s->seen.end(), 0);
        s->line_stamp = 1;
      }
      s->walk(o, 0, int32_t(s->root_count), row);
      if (row.duplicate_slot >= 0) {
        line.status = WEIR_LINE_DUPLICATE_KEY;
        line.slot = uint16_t(row.duplicate_slot);
      } else {
        s->check(line, row);
      }
    }
  }
  return row.arena_used;
}

namespace {

// A cursor over JSON that is known to be valid.
struct Trusted {
  const uint8_t *at, *end;

  void space() {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
  }
  // From the opening quote to behind the closing one. True where it holds an escape.
  bool string() {
    at++;
    bool escaped = false;
    while (*at != '"') {
      if (*at == '\\') {
        escaped = true;
        at++;
      }
      at++;
    }
    at++;
    return escaped;
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
      while (at < end && *at != ',' && *at != '}' && *at != ']' && *at != ' ' && *at != '\t' &&
             *at != '\r' && *at != '\n')
        at++;
    }
  }
};

// The bytes of a key with its escapes resolved; lone surrogates cannot match a planned key.
std::string unescape(const uint8_t *from, const uint8_t *to) {
  std::string out;
  auto hex = [](const uint8_t *p) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
      uint8_t c = p[i];
      v = v * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return v;
  };
  while (from < to) {
    if (*from != '\\') {
      out.push_back(char(*from++));
      continue;
    }
    uint8_t c = from[1];
    from += 2;
    switch (c) {
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': {
        uint32_t v = hex(from);
        from += 4;
        if (v >= 0xD800 && v < 0xDC00 && to - from >= 6 && from[0] == '\\' && from[1] == 'u') {
          uint32_t low = hex(from + 2);
          if (low >= 0xDC00 && low < 0xE000) {
            v = 0x10000 + ((v - 0xD800) << 10) + (low - 0xDC00);
            from += 6;
          }
        }
        if (v < 0x80) {
          out.push_back(char(v));
        } else if (v < 0x800) {
          out.push_back(char(0xC0 | v >> 6));
          out.push_back(char(0x80 | (v & 63)));
        } else if (v < 0x10000) {
          out.push_back(char(0xE0 | v >> 12));
          out.push_back(char(0x80 | (v >> 6 & 63)));
          out.push_back(char(0x80 | (v & 63)));
        } else {
          out.push_back(char(0xF0 | v >> 18));
          out.push_back(char(0x80 | (v >> 12 & 63)));
          out.push_back(char(0x80 | (v >> 6 & 63)));
          out.push_back(char(0x80 | (v & 63)));
        }
        break;
      }
      default: out.push_back(char(c));
    }
  }
  return out;
}

void locate(const weir_scanner &s, Trusted &cursor, const uint8_t *line, int32_t first,
            int32_t count, uint32_t *starts, uint32_t *lengths) {
  int32_t next = 0;
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
    const bool escaped = cursor.string();
    const uint8_t *key_end = cursor.at - 1;
    cursor.space();
    cursor.at++;  // :
    cursor.space();
    int32_t i;
    if (escaped) {
      i = s.find(unescape(key, key_end), first, count, next);
    } else {
      i = s.find(std::string_view(reinterpret_cast<const char *>(key), size_t(key_end - key)),
                 first, count, next);
    }
    const uint8_t *start = cursor.at;
    if (i < 0) {
      cursor.value();
      continue;
    }
    next = i + 1 == count ? 0 : i + 1;
    const Node &n = s.nodes[size_t(first + i)];
    if (n.child_count > 0 && *cursor.at == '{') {
      locate(s, cursor, line, n.first_child, n.child_count, starts, lengths);
    } else {
      cursor.value();
    }
    if (n.slot >= 0 && lengths[n.slot] == 0) {
      starts[n.slot] = uint32_t(start - line);
      lengths[n.slot] = uint32_t(cursor.at - start);
    }
  }
}

}  // namespace

extern "C" void weir_locate(const weir_scanner *s, const uint8_t *line, size_t length,
                            uint32_t *starts, uint32_t *lengths) {
  for (size_t i = 0; i < s->types.size(); i++) lengths[i] = 0;
  Trusted cursor{line, line + length};
  cursor.space();
  locate(*s, cursor, line, 0, int32_t(s->root_count), starts, lengths);
}

extern "C" size_t weir_count_newlines(const uint8_t *bytes, size_t length) {
  size_t n = 0;
  // Counts of a byte in 32 lanes, so that the compiler uses vectors of bytes.
  while (length >= 32) {
    uint8_t lanes[32] = {};
    for (int round = 0; round < 255 && length >= 32; round++, bytes += 32, length -= 32)
      for (int i = 0; i < 32; i++) lanes[i] += bytes[i] == '\n';
    for (uint8_t lane : lanes) n += lane;
  }
  for (size_t i = 0; i < length; i++) n += bytes[i] == '\n';
  return n;
}

extern "C" size_t weir_last_newline(const uint8_t *bytes, size_t length) {
  const void *hit = memrchr(bytes, '\n', length);
  return hit ? size_t(static_cast<const uint8_t *>(hit) - bytes) + 1 : 0;
}

extern "C" const char *weir_simdjson_implementation(void) {
  static const std::string name = simdjson::get_active_implementation()->name();
  return name.c_str();
}
