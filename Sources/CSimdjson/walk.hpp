// The walk over the structure of one line: the whole grammar of JSON is checked, the planned values
// become cells.
#pragma once
#include <cstddef>
#include <cstdint>

#include "escapes.hpp"
#include "numbers.hpp"
#include "paths.hpp"

namespace weir {

// What one line has shown so far.
struct Row {
  size_t index = 0;
  uint32_t stamp = 0;
  // Bytes of the text before the line.
  uint32_t start = 0;
  // Required slots that have a value of their type.
  uint32_t filled = 0;
  // Whether a value is not of its type.
  bool is_odd = false;
};

// Where unescaped strings go.
struct Store {
  weir_allocate allocate;
  void *context;
};

// `structure` is what simdjson's first stage finds in `text`: the places of all brackets, braces,
// colons and commas outside of strings, of the opening quotes, and of the first bytes of the other
// values. It has also checked that the text is UTF-8, that strings are closed, and that no control
// character stands in one. From there the walk is sound: what it takes is valid and has the value that
// the exact reader finds. It is not complete: what it refuses is for the exact reader to say.
//
// A method gets the place in the structure where it begins and returns the one behind, or null.
template <bool has_escapes>
class Walk {
 public:
  using Place = const uint32_t *;

  // Entries behind the structure that may be read: a method looks ahead this far between two checks.
  static constexpr size_t slack = 8;
  static constexpr unsigned deepest = 60;

  Walk(Tree &tree, const uint8_t *text, Place end, const Store &store)
      : tree_(tree), text_(text), end_(end), store_(store) {}

  // The record whose structure begins at `at`.
  Place record(Place at, Row &row) const {
    if (at >= end_ || text_[*at] != '{') return nullptr;
    return object(at + 1, tree_.levels[0], 0, row);
  }

 private:
  Tree &tree_;
  const uint8_t *const text_;
  const Place end_;
  const Store &store_;

  // From behind the brace of a planned object.
  Place object(Place at, Level &level, unsigned depth, Row &row) const {
    if (text_[*at] == '}') return at + 1;
    Spelling *before = level.start();
    while (at + 2 < end_) {  // key, colon and value are there
      const uint32_t quote = at[0], colon = at[1];
      Spelling *const foretold = before->next;
      Node *node = foretold->node;
      if (foretold->is(text_ + quote, colon - quote)) {
        before = foretold;
      } else {
        before = level.meet(text_ + quote, text_ + colon, before, node);
        if (!before) return nullptr;
      }
      at = node ? take(at + 2, *node, depth, row) : skip(at + 2);
      if (!at) return nullptr;
      const uint8_t next = text_[*at++];
      if (next == ',') continue;
      return next == '}' && at <= end_ ? at : nullptr;
    }
    return nullptr;
  }

  // A value that nobody asked for.
  __attribute__((always_inline)) Place skip(Place at) const {
    const uint8_t first = text_[*at];
    return first == '{' || first == '[' ? skip_nested(at) : skip_scalar(at);
  }

  __attribute__((always_inline)) Place skip_scalar(Place at) const {
    const uint8_t *const p = text_ + at[0];
    switch (*p) {
      case '"':
        if (has_escapes && !valid_escapes(p + 1, closing_quote(at[1]))) return nullptr;
        return at + 1;
      case 't': return at[0] + 4 == end_of(at) && load4(p) == load4(u8("true")) ? at + 1 : nullptr;
      case 'n': return at[0] + 4 == end_of(at) && load4(p) == load4(u8("null")) ? at + 1 : nullptr;
      case 'f':
        return at[0] + 5 == end_of(at) && load4(p + 1) == load4(u8("alse")) ? at + 1 : nullptr;
      default: return valid_number(p, end_of(at) - at[0]) ? at + 1 : nullptr;
    }
  }

  // An object or array that nobody asked for.
  Place skip_nested(Place at) const {
    // One bit a level: whether it is an object. The lowest is the innermost.
    uint64_t objects = 1;
    bool is_object = text_[*at++] == '{';
    if (text_[*at] == (is_object ? '}' : ']')) return at + 1;
    while (at < end_) {
      if (is_object) {
        if (text_[at[0]] != '"' || text_[at[1]] != ':') return nullptr;
        if (has_escapes && !valid_escapes(text_ + at[0] + 1, closing_quote(at[1]))) return nullptr;
        at += 2;
        if (at >= end_) return nullptr;
      }
      const uint8_t first = text_[*at];
      if (first == '{' || first == '[') {
        const bool is_inner_object = first == '{';
        at++;
        if (text_[*at] != (is_inner_object ? '}' : ']')) {
          if (objects >> deepest) return nullptr;
          objects = objects << 1 | (is_object ? 1 : 0);
          is_object = is_inner_object;
          continue;
        }
        at++;
      } else {
        at = skip_scalar(at);
        if (!at) return nullptr;
      }
      // Behind a value: a comma, or the ends of as many levels as there are.
      while (text_[*at] != ',') {
        if (at >= end_ || text_[*at] != (is_object ? '}' : ']')) return nullptr;
        at++;
        if (objects == 1) return at;
        is_object = objects & 1;
        objects >>= 1;
      }
      at++;
    }
    return nullptr;
  }

  // A planned value.
  __attribute__((always_inline)) Place take(Place at, Node &node, unsigned depth, Row &row) const {
    // The exact reader says which key it is that stands twice.
    if (node.seen == row.stamp) return nullptr;
    node.seen = row.stamp;
    if (node.slot < 0) return below(at, node, depth, row);
    weir_cell &cell = node.column[row.index];
    const uint8_t *const p = text_ + at[0];
    uint32_t end = end_of(at);
    Place behind = at + 1;
    uint8_t kind;
    switch (*p) {
      case '"':
        if (!take_string(p + 1, text_ + end - 1, node, cell)) return nullptr;
        kind = WEIR_STRING;
        break;
      case '{':
      case '[':
        behind = node.level >= 0 && *p == '{' ? below(at, node, depth, row) : skip_nested(at);
        if (!behind) return nullptr;
        end = behind[-1] + 1;
        cell.bits = reinterpret_cast<uint64_t>(p);
        cell.length = end - at[0];
        kind = WEIR_OTHER;
        break;
      case 't':
        if (at[0] + 4 != end || load4(p) != load4(u8("true"))) return nullptr;
        cell.bits = 1;
        kind = WEIR_BOOL;
        break;
      case 'f':
        if (at[0] + 5 != end || load4(p + 1) != load4(u8("alse"))) return nullptr;
        cell.bits = 0;
        kind = WEIR_BOOL;
        break;
      case 'n':
        if (at[0] + 4 != end || load4(p) != load4(u8("null"))) return nullptr;
        if (node.level >= 0) set_null_below(tree_.levels[size_t(node.level)], row);
        kind = WEIR_NULL;
        break;
      default:
        kind = take_number(p, end - at[0], node, cell);
        if (kind == WEIR_MISSING) return nullptr;
    }
    cell.kind = kind;
    if (node.places) node.places[row.index] = {at[0] - row.start, end - at[0]};
    const bool is_accepted = node.accepted >> kind & 1;
    row.is_odd |= !is_accepted;
    row.filled += is_accepted & node.is_required;
    return behind;
  }

  // The value of a key that has planned keys below it.
  Place below(Place at, Node &node, unsigned depth, Row &row) const {
    if (text_[*at] == '{') {
      if (depth == deepest) return nullptr;
      return object(at + 1, tree_.levels[size_t(node.level)], depth + 1, row);
    }
    const bool is_null = text_[*at] == 'n';
    at = skip(at);
    if (at && is_null) set_null_below(tree_.levels[size_t(node.level)], row);
    return at;
  }

  void set_null_below(const Level &level, Row &row) const {
    for (int32_t i = 0; i < level.count; i++) {
      const Node &n = tree_.nodes[size_t(level.first + i)];
      if (n.slot >= 0) {
        n.column[row.index].kind = WEIR_NULL;
        row.is_odd |= n.is_required;
      }
      if (n.level >= 0) set_null_below(tree_.levels[size_t(n.level)], row);
    }
  }

  __attribute__((always_inline)) bool take_string(const uint8_t *from, const uint8_t *to,
                                                  Node &node, weir_cell &cell) const {
    uint32_t length = uint32_t(to - from);
    if (has_escapes && has_backslash(from, to)) {
      if (!valid_escapes(from, to)) return false;
      uint8_t *const out = store_.allocate(store_.context, length + 8);
      const ptrdiff_t written = unescape(from, to, out);
      if (written < 0) return false;
      from = out;
      length = uint32_t(written);
    }
    if (node.dictionary) {
      if (const Dictionary::Entry *entry = node.dictionary->find(from, length)) {
        from = entry->address;
        cell.code = uint16_t(entry->code);
      }
    }
    cell.bits = reinterpret_cast<uint64_t>(from);
    cell.length = length;
    return true;
  }

  // The kind of the number, or WEIR_MISSING where the exact reader must see to it.
  uint8_t take_number(const uint8_t *p, uint32_t length, const Node &node, weir_cell &cell) const {
    const bool wants_double = node.type == WEIR_TYPE_NUMBER;
    int64_t whole;
    if (!wants_double && read_short_integer(p, length, whole)) {
      cell.bits = uint64_t(whole);
      return WEIR_INT;
    }
    const Number number = read_number(p, length, wants_double);
    double value = number.value;
    switch (number.kind) {
      case Number::integer:
        if (!wants_double) {
          cell.bits = uint64_t(number.whole);
          return WEIR_INT;
        }
        value = double(number.whole);
        break;
      case Number::big_integer:
        if (!wants_double) return WEIR_MISSING;
        break;
      case Number::real: break;
      default: return WEIR_MISSING;
    }
    std::memcpy(&cell.bits, &value, 8);
    return WEIR_NUMBER;
  }

  // The closing quote of the string before the structure at `next`: only space lies between.
  const uint8_t *closing_quote(uint32_t next) const {
    const uint8_t *p = text_ + next - 1;
    while (*p != '"') p--;
    return p;
  }

  // Where the value at `at` ends.
  uint32_t end_of(Place at) const {
    uint32_t end = at[1];
    while (is_space(text_[end - 1])) end--;
    return end;
  }

  static bool has_backslash(const uint8_t *from, const uint8_t *to) {
    return std::memchr(from, '\\', size_t(to - from)) != nullptr;
  }

  static const uint8_t *u8(const char *text) { return reinterpret_cast<const uint8_t *>(text); }
};

}  // namespace weir
