#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A pattern that is ready to be searched for. It may be used from many threads at once.
typedef struct weir_pattern weir_pattern;

// Reads a pattern in the syntax of RE2; text and pattern are UTF-8.
//
// `memory_max` bounds, in bytes, what the pattern may take compiled and while it runs. Where it is not
// a pattern, or too large, the result is NULL and the reason, cut to fit and ended with a zero byte,
// stands in `reason`.
weir_pattern *weir_pattern_new(const uint8_t *pattern, size_t length, int64_t memory_max,
                               char *reason, size_t reason_capacity);
void weir_pattern_free(weir_pattern *pattern);

// Whether the pattern is found anywhere in the text, in time linear in the text.
int weir_pattern_matches(const weir_pattern *pattern, const uint8_t *text, size_t length);

#ifdef __cplusplus
}
#endif
