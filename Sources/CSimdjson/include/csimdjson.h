#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Kinds of a cell; WeirData's `CellKind` has the same numbers.
enum {
  WEIR_MISSING = 0,
  WEIR_NULL = 1,
  WEIR_STRING = 2,
  WEIR_INT = 3,
  WEIR_NUMBER = 4,
  WEIR_BOOL = 5,
  WEIR_TIMESTAMP = 6,
  WEIR_OTHER = 7,
};

// One value of one record: 16 bytes, the layout of WeirData's `Cell`.
// `bits` is the address of the bytes of a string or of the text of an object or array, an int64, a
// double or 0/1.
typedef struct {
  uint64_t bits;
  uint32_t length;
  uint8_t kind;
  uint8_t spare;
  uint16_t code;  // of a string: its number in the column's dictionary, or 0
} weir_cell;

// What a field is declared as; `nullable` is added.
enum {
  WEIR_TYPE_STRING = 0,
  WEIR_TYPE_INT = 1,
  WEIR_TYPE_NUMBER = 2,
  WEIR_TYPE_BOOL = 3,
  WEIR_TYPE_TIMESTAMP = 4,  // text here; the caller reads it
  WEIR_TYPE_ANY = 5,
  WEIR_TYPE_NULLABLE = 128,
};

// One key in the tree of planned paths. Children of a node lie next to each other.
typedef struct {
  const uint8_t *key;
  uint32_t key_length;
  int32_t slot;  // column of the value, or -1
  int32_t first_child;
  int32_t child_count;
} weir_path_node;

// What became of a line.
enum {
  WEIR_LINE_OK = 0,
  WEIR_LINE_REFUSED = 1,        // the parser refused it: ask the exact validator
  WEIR_LINE_NOT_OBJECT = 2,
  WEIR_LINE_DUPLICATE_KEY = 3,  // a planned key stands twice; `slot` names it
  WEIR_LINE_MISSING = 4,        // `slot` is not nullable and is absent or null
  WEIR_LINE_WRONG_TYPE = 5,
  WEIR_LINE_OUT_OF_RANGE = 6,   // an integer that does not fit 64 bits
};

// One line of a block: `start` counts from the block's first byte.
typedef struct {
  uint32_t start;
  uint32_t length;
  uint32_t number;  // 1-based line number in the shard
  uint16_t status;
  uint16_t slot;
} weir_line;

// Where the value of a slot stands in its line, in bytes; length 0 where it is absent.
typedef struct {
  uint32_t start;
  uint32_t length;
} weir_place;

typedef struct weir_scanner weir_scanner;

// `nodes` is copied; the first `root_count` are the keys of the record itself.
// `types` has one entry a slot. NULL where memory is short.
weir_scanner *weir_scanner_new(const weir_path_node *nodes, size_t node_count,
                               size_t root_count, const uint8_t *types, size_t slot_count);
void weir_scanner_free(weir_scanner *scanner);

// Gives `length` bytes that live as long as the cells.
typedef uint8_t *(*weir_allocate)(void *context, size_t length);

// Validates `count` lines in full and takes their planned values into `cells`, column by
// column: slot s of line i is cells[s * stride + i]. The cells must be zero before, and so must be
// `places`, which is filled in the same way unless it is NULL. 64 bytes behind the last line must be
// readable. Strings point into the text; those with escapes are made in memory from `allocate`;
// those with a code point into the scanner. Returns how many lines have another status than OK.
size_t weir_scan(weir_scanner *scanner, const uint8_t *base, weir_line *lines, size_t count,
                 weir_cell *cells, size_t stride, weir_place *places, weir_allocate allocate,
                 void *context);

// The largest code that the strings of `slot` in the last scan may have, 0 where they have none.
uint32_t weir_largest_code(const weir_scanner *scanner, size_t slot);

// Finds where the values of planned paths stand in `line`, which must be valid JSON and an
// object: slot s begins at starts[s] and has lengths[s] bytes (0: absent).
void weir_locate(const weir_scanner *scanner, const uint8_t *line, size_t length,
                 uint32_t *starts, uint32_t *lengths);

// How far lines were found.
typedef struct {
  size_t at;         // where the next line begins
  uint64_t number;   // its number
  size_t blank;      // lines of nothing but white space
  size_t oversized;  // bytes of the line at `at`, if it is over the limit, else 0
} weir_framing;

// Finds the lines of [bytes, bytes + length) that hold something, from `framing` on, without their
// line ends; the last may have none. Stops at the end, when `capacity` lines are found, and at a line
// of more than `longest` bytes. Returns how many it found.
size_t weir_find_lines(const uint8_t *bytes, size_t length, size_t longest, weir_framing *framing,
                       weir_line *lines, size_t capacity);

// The same without the vector instructions that not every machine has.
size_t weir_find_lines_portably(const uint8_t *bytes, size_t length, size_t longest,
                                weir_framing *framing, weir_line *lines, size_t capacity);

// How many bytes lie before the last line feed and with it, 0 where there is none.
size_t weir_last_newline(const uint8_t *bytes, size_t length);

// A hash of 128 bits, the layout of WeirData's `Hash128`.
typedef struct {
  uint64_t high, low;
} weir_hash;

// SipHash-2-4 with 128 bits of output.
weir_hash weir_siphash(const uint64_t secret[2], const uint8_t *bytes, size_t length);

// The same for the keys of rows, each one string: the byte WEIR_STRING, the length in four bytes, the
// text. Returns how many it hashed: up to the first row whose cell holds no string.
size_t weir_siphash_strings(const uint64_t secret[2], const weir_cell *cells,
                            const uint32_t *rows, size_t count, weir_hash *hashes);

// The same without the vector instructions that not every machine has.
size_t weir_siphash_strings_portably(const uint64_t secret[2], const weir_cell *cells,
                                     const uint32_t *rows, size_t count, weir_hash *hashes);

// Name of the instruction set that simdjson chose at run time.
const char *weir_simdjson_implementation(void);

#ifdef __cplusplus
}
#endif
