// The planned paths as a tree of keys.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "csimdjson.h"
#include "dictionary.hpp"
#include "text.hpp"

namespace weir {

// A planned key and what is planned below it.
struct Node {
  std::string key;  // 8 bytes behind it may be read
  Fingerprint print;
  int32_t slot;   // column of the value, or -1
  int32_t level;  // index of the level below, or -1
  // Of the slot: which kinds of cell its type takes, one bit each, and whether it must have a value.
  uint8_t type = 0;
  uint8_t accepted = 0;
  bool is_required = false;
  uint32_t seen = 0;  // stamp of the line that had the key last, to find keys that stand twice
  weir_cell *column = nullptr;   // of the batch in hand
  weir_place *places = nullptr;  // the same, or null
  Dictionary *dictionary = nullptr;
};

// A key as it stands in the text, from its opening quote to its colon, and what it is.
struct alignas(64) Spelling {
  uint64_t head = 0, tail = 0;  // its first and last eight bytes; the same where it has fewer
  uint64_t mask = 0;            // of the bytes that belong to it
  uint32_t span = 0;            // bytes from the opening quote to the colon; 0: equal to nothing
  uint32_t tail_at = 0;         // bytes from the opening quote to the tail
  Spelling *next = nullptr;     // which one came behind it last time
  Node *node = nullptr;         // null: not planned
  std::unique_ptr<uint8_t[]> text;

  bool is(const uint8_t *quote, uint32_t distance) const {
    if (distance != span) return false;
    const uint64_t differing = (load8(quote) ^ head) | (load8(quote + tail_at) ^ tail);
    if ((differing & mask) != 0) return false;
    return span < 16 || std::memcmp(quote + 8, text.get() + 8, span - 15) == 0;
  }
};

// The keys of one planned object: found by hash, and foretold, because records of one shard have the
// same keys in the same order, planned and others.
class Level {
 public:
  int32_t first = 0, count = 0;  // its nodes

  void index(std::vector<Node> &nodes);

  // The node of a key without escapes, or null. 8 bytes from `p` on must be readable.
  Node *find(const uint8_t *p, uint32_t length) const {
    const Fingerprint print = Fingerprint::of(p, length);
    for (size_t i = print.hash(p) >> shift_;; i = (i + 1) & (table_.size() - 1)) {
      Node *const node = table_[i];
      if (!node) return nullptr;
      if (node->print == print &&
          same_middle(reinterpret_cast<const uint8_t *>(node->key.data()), p, length))
        return node;
    }
  }
  // The same for a key that holds valid escapes.
  Node *find_escaped(const uint8_t *from, const uint8_t *to) const;

  // What stands before the first key of an object.
  Spelling *start() { return &spellings_[0]; }

  // Sees the key between `quote` and the colon at `colon`, which was not the one foretold behind
  // `before`. Sets `node`; returns its spelling, the start where it is not kept, or null where it is no
  // valid key.
  Spelling *meet(const uint8_t *quote, const uint8_t *colon, Spelling *before, Node *&node);

 private:
  static constexpr size_t most_spellings = 256;
  static constexpr uint32_t longest_span = 128;

  std::vector<Node *> table_;  // null where free
  int shift_ = 0;
  std::unique_ptr<Spelling[]> spellings_;  // the first stands for the opening brace
  size_t spelling_count_ = 1;
  std::vector<uint16_t> spelling_table_;  // their indexes by hash, 0 where free

  Spelling *learn(const uint8_t *quote, uint32_t span, uint16_t &place, Node *node);
};

struct Tree {
  std::vector<Node> nodes;
  std::vector<Level> levels;  // the first is that of the record

  void build(const weir_path_node *planned, size_t count, size_t root_count);

 private:
  int32_t add_level(int32_t first, int32_t count);
};

}  // namespace weir
