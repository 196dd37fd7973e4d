#include "paths.hpp"

#include "escapes.hpp"

namespace weir {

void Level::index(std::vector<Node> &nodes) {
  size_t size = 8;
  while (size < 4 * size_t(count)) size *= 2;
  shift_ = 64 - __builtin_ctzll(size);
  table_.assign(size, nullptr);
  for (int32_t n = first; n < first + count; n++) {
    Node &node = nodes[size_t(n)];
    const uint8_t *const key = reinterpret_cast<const uint8_t *>(node.key.data());
    size_t i = node.print.hash(key) >> shift_;
    while (table_[i]) i = (i + 1) & (size - 1);
    table_[i] = &node;
  }
  spellings_.reset(new Spelling[most_spellings]);
  spellings_[0].next = start();
  spelling_table_.assign(2 * most_spellings, 0);
}

void Tree::build(const weir_path_node *planned, size_t count, size_t root_count) {
  for (size_t i = 0; i < count; i++) {
    const weir_path_node &p = planned[i];
    Node node;
    node.slot = p.slot;
    node.level = -1;
    node.key.assign(reinterpret_cast<const char *>(p.key), p.key_length);
    node.key.append(8, '\0');
    node.print = Fingerprint::of(reinterpret_cast<const uint8_t *>(node.key.data()), p.key_length);
    nodes.push_back(std::move(node));
  }
  add_level(0, int32_t(root_count));
  for (size_t i = 0; i < count; i++)
    if (planned[i].child_count > 0)
      nodes[i].level = add_level(planned[i].first_child, planned[i].child_count);
}

int32_t Tree::add_level(int32_t first, int32_t count) {
  Level level;
  level.first = first;
  level.count = count;
  level.index(nodes);
  levels.push_back(std::move(level));
  return int32_t(levels.size()) - 1;
}

Node *Level::find_escaped(const uint8_t *from, const uint8_t *to) const {
  std::vector<uint8_t> key(size_t(to - from) + 8);
  // Half of a surrogate pair is in no planned key.
  const ptrdiff_t length = unescape(from, to, key.data());
  return length < 0 ? nullptr : find(key.data(), uint32_t(length));
}

Spelling *Level::meet(const uint8_t *quote, const uint8_t *colon, Spelling *before, Node *&node) {
  if (*quote != '"' || *colon != ':') return nullptr;
  const uint32_t span = uint32_t(colon - quote);
  size_t place = Fingerprint::of(quote, span).hash(quote) % spelling_table_.size();
  for (; spelling_table_[place] != 0; place = (place + 1) % spelling_table_.size()) {
    Spelling &s = spellings_[spelling_table_[place]];
    if (!s.is(quote, span)) continue;
    node = s.node;
    return before->next = &s;
  }
  const uint8_t *const key = quote + 1;
  const uint8_t *closing = colon - 1;
  while (*closing != '"') closing--;
  if (std::memchr(key, '\\', size_t(closing - key))) {
    if (!valid_escapes(key, closing)) return nullptr;
    node = find_escaped(key, closing);
  } else {
    node = find(key, uint32_t(closing - key));
  }
  if (closing + 1 != colon || span > longest_span || spelling_count_ == most_spellings)
    return start();
  return before->next = learn(quote, span, spelling_table_[place], node);
}

Spelling *Level::learn(const uint8_t *quote, uint32_t span, uint16_t &place, Node *node) {
  place = uint16_t(spelling_count_);
  Spelling &s = spellings_[spelling_count_++];
  uint8_t *const text = new uint8_t[span + 1 + 8]();
  std::memcpy(text, quote, span + 1);
  s.text.reset(text);
  s.span = span;
  s.node = node;
  s.mask = span < 7 ? low_bytes(span + 1) : ~uint64_t(0);
  s.tail_at = span < 7 ? 0 : span - 7;
  s.head = load8(text);
  s.tail = load8(text + s.tail_at);
  s.next = start();
  return &s;
}

}  // namespace weir
