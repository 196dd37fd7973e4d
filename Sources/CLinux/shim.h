#pragma once
// What libc offers and Swift's Glibc module leaves out, as in sync_file_range(2).
#include <stdint.h>

#define WEIR_SYNC_FILE_RANGE_WRITE 2u

int sync_file_range(int descriptor, int64_t offset, int64_t count, unsigned int flags);
