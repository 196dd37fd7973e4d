// What a scanner holds from batch to batch.
#pragma once
#include <simdjson.h>

#include <memory>
#include <vector>

#include "csimdjson.h"
#include "paths.hpp"

namespace weir {

// The places that simdjson's first stage found.
struct Structure {
  const uint32_t *begin, *end;
};

}  // namespace weir

struct weir_scanner {
  weir::Tree tree;
  std::vector<uint8_t> types;  // by slot
  std::vector<weir::Dictionary> dictionaries;
  uint32_t required = 0;  // slots that must have a value
  uint32_t stamp = 0;
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;

  uint32_t next_stamp();
  // Runs the first stage; false where it refuses the text.
  bool find_structure(const uint8_t *text, size_t length, weir::Structure &structure);
};
