#pragma once
// What libc offers and Swift's Glibc module leaves out, as in sync_file_range(2).
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define WEIR_SYNC_FILE_RANGE_WRITE 2u

#define WEIR_RWF_NOWAIT 8

ssize_t preadv2(int descriptor, const struct iovec *pieces, int count, off_t offset, int flags);

int sync_file_range(int descriptor, int64_t offset, int64_t count, unsigned int flags);
