#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "csimdjson.h"
#include "scanner.hpp"
#include "walk.hpp"

using weir::Node;
using weir::Row;

namespace {

// Lines are looked at in groups of about so many bytes: large enough that the first stage is not
// called too often, small enough that text and structure stay in the nearest caches.
constexpr size_t group_bytes = 16 * 1024;
// A larger distance between two lines (blank lines, records over the limit) ends a group.
constexpr size_t gap_bytes = 256;
// Structure of longer lines is given back to the system when the batch is done.
constexpr size_t kept_bytes = 1024 * 1024;

uint8_t accepted_kinds(uint8_t type) {
  switch (type) {
    case WEIR_TYPE_STRING:
    case WEIR_TYPE_TIMESTAMP: return 1 << WEIR_STRING;
    case WEIR_TYPE_INT: return 1 << WEIR_INT;
    case WEIR_TYPE_NUMBER: return 1 << WEIR_NUMBER;
    case WEIR_TYPE_BOOL: return 1 << WEIR_BOOL;
    default:
      return 1 << WEIR_STRING | 1 << WEIR_INT | 1 << WEIR_NUMBER | 1 << WEIR_BOOL |
             1 << WEIR_OTHER;
  }
}

// One call of weir_scan.
class Scan {
 public:
  Scan(weir_scanner &scanner, const uint8_t *base, weir_line *lines, weir_cell *cells,
       size_t stride, const weir::Store &store)
      : scanner_(scanner), base_(base), lines_(lines), cells_(cells), stride_(stride),
        store_(store) {}

  // Lines with another status than OK.
  size_t failed = 0;

  void lines(size_t count) {
    for (size_t first = 0; first < count;) {
      const size_t last = end_of_group(first, count);
      if (!group(first, last) && last - first > 1)
        // One of them is to blame: each for itself.
        for (size_t i = first; i < last; i++) group(i, i + 1);
      first = last;
    }
  }

 private:
  weir_scanner &scanner_;
  const uint8_t *const base_;
  weir_line *const lines_;
  weir_cell *const cells_;
  const size_t stride_;
  const weir::Store store_;

  size_t end_of(size_t line) const { return size_t(lines_[line].start) + lines_[line].length; }

  size_t end_of_group(size_t first, size_t count) const {
    size_t last = first + 1;
    while (last < count && end_of(last) - lines_[first].start <= group_bytes &&
           lines_[last].start - end_of(last - 1) <= gap_bytes &&
           base_[lines_[last].start - 1] == '\n')
      last++;
    return last;
  }

  // False where the first stage refuses the text of several lines: nothing was done then.
  bool group(size_t first, size_t last) {
    const uint8_t *const text = base_ + lines_[first].start;
    const size_t length = end_of(last - 1) - lines_[first].start;
    weir::Structure structure;
    if (!scanner_.find_structure(text, length, structure)) {
      if (last - first == 1) refuse(lines_[first]);
      return false;
    }
    const uint32_t *at = structure.begin;
    const bool has_escapes = std::memchr(text, '\\', length);
    for (size_t i = first; i < last; i++) {
      const uint32_t start = lines_[i].start - lines_[first].start;
      const uint32_t end = start + lines_[i].length;
      while (at < structure.end && *at < start) at++;
      Row row;
      row.index = i;
      row.start = start;
      row.stamp = scanner_.next_stamp();
      const uint32_t *const behind =
          has_escapes && std::memchr(text + start, '\\', end - start)
              ? weir::Walk<true>(scanner_.tree, text, structure.end, store_).record(at, row)
              : weir::Walk<false>(scanner_.tree, text, structure.end, store_).record(at, row);
      // The record must end where the line does, no later and no earlier.
      if (behind && behind[-1] < end && (behind >= structure.end || *behind >= end)) {
        at = behind;
        if (row.filled == scanner_.required && !row.is_odd)
          lines_[i].status = WEIR_LINE_OK;
        else
          check(lines_[i], i);
      } else {
        refuse(lines_[i]);
      }
    }
    return true;
  }

  void refuse(weir_line &line) {
    line.status = WEIR_LINE_REFUSED;
    failed++;
  }

  // Holds the cells of one row against the declared types.
  void check(weir_line &line, size_t index) {
    line.status = WEIR_LINE_OK;
    for (size_t slot = 0; slot < scanner_.types.size(); slot++) {
      const uint8_t kind = cells_[slot * stride_ + index].kind;
      const uint8_t type = scanner_.types[slot];
      if (kind == WEIR_MISSING || kind == WEIR_NULL) {
        if (type & WEIR_TYPE_NULLABLE) continue;
        line.status = WEIR_LINE_MISSING;
      } else {
        if (accepted_kinds(type & 127) >> kind & 1) continue;
        line.status = WEIR_LINE_WRONG_TYPE;
      }
      line.slot = uint16_t(slot);
      failed++;
      return;
    }
  }
};

}  // namespace

uint32_t weir_scanner::next_stamp() {
  if (++stamp == 0) {
    for (Node &n : tree.nodes) n.seen = 0;
    stamp = 1;
  }
  return stamp;
}

bool weir_scanner::find_structure(const uint8_t *text, size_t length, weir::Structure &structure) {
  if (!parser || parser->capacity() < length + 64) {
    const size_t capacity = std::max(length + 64, group_bytes + 64);
    parser.reset();
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1,
                                                                                parser)) {
      parser.reset();
      return false;
    }
  }
  if (parser->stage1(text, length, simdjson::stage1_mode::regular)) return false;
  uint32_t *const begin = parser->structural_indexes.get();
  structure.begin = begin;
  structure.end = begin + parser->n_structural_indexes;
  // Behind the end stands what lies in no line.
  std::fill_n(begin + parser->n_structural_indexes, weir::Walk<true>::slack, uint32_t(length));
  return true;
}

extern "C" weir_scanner *weir_scanner_new(const weir_path_node *nodes, size_t node_count,
                                          size_t root_count, const uint8_t *types,
                                          size_t slot_count) {
  auto *s = new (std::nothrow) weir_scanner;
  if (!s) return nullptr;
  s->tree.build(nodes, node_count, root_count);
  s->types.assign(types, types + slot_count);
  s->dictionaries.resize(slot_count);
  for (Node &n : s->tree.nodes) {
    if (n.slot < 0) continue;
    const uint8_t type = types[n.slot];
    n.type = type & 127;
    n.is_required = !(type & WEIR_TYPE_NULLABLE);
    n.accepted = accepted_kinds(n.type) | (n.is_required ? 0 : 1 << WEIR_NULL);
    if (n.type == WEIR_TYPE_STRING || n.type == WEIR_TYPE_ANY)
      n.dictionary = &s->dictionaries[size_t(n.slot)];
    s->required += n.is_required;
  }
  return s;
}

extern "C" void weir_scanner_free(weir_scanner *scanner) { delete scanner; }

extern "C" size_t weir_scan(weir_scanner *s, const uint8_t *base, weir_line *lines, size_t count,
                            weir_cell *cells, size_t stride, weir_place *places,
                            weir_allocate allocate, void *context) {
  for (Node &n : s->tree.nodes) {
    if (n.slot < 0) continue;
    if (n.dictionary && n.dictionary->is_closed()) n.dictionary = nullptr;
    n.column = cells + size_t(n.slot) * stride;
    n.places = places ? places + size_t(n.slot) * stride : nullptr;
  }
  Scan scan(*s, base, lines, cells, stride, {allocate, context});
  scan.lines(count);
  if (s->parser && s->parser->capacity() > kept_bytes) s->parser.reset();
  return scan.failed;
}

extern "C" uint32_t weir_largest_code(const weir_scanner *scanner, size_t slot) {
  for (const Node &n : scanner->tree.nodes)
    if (n.slot == int32_t(slot)) return n.dictionary ? n.dictionary->size() : 0;
  return 0;
}

extern "C" const char *weir_simdjson_implementation(void) {
  static const std::string name = simdjson::get_active_implementation()->name();
  return name.c_str();
}
