// Escapes in JSON strings.
#pragma once
#include <cstddef>
#include <cstdint>

namespace weir {

// Whether every escape in [from, to), the inside of a string, is one that RFC 8259 knows.
bool valid_escapes(const uint8_t *from, const uint8_t *to);

// Writes the inside of a string with its valid escapes resolved; it never gets longer.
// Returns the bytes written, or -1 where half of a surrogate pair stands: that is no text.
ptrdiff_t unescape(const uint8_t *from, const uint8_t *to, uint8_t *out);

}  // namespace weir
