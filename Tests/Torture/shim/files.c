// Stands in for the calls that work on open files. They go to the kernel directly, so that nothing
// here depends on the functions that it replaces.
#include "fault.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 8192 };
static struct {
  char *path;
  ino_t inode;
  int is_written;
} files[FILES];

static const char *path_of(int file) {
  return is_on && file >= 0 && file < FILES ? files[file].path : NULL;
}

static void note(int file, const char *path, int is_written) {
  if (file < 0 || file >= FILES) return;
  struct stat status;
  files[file].inode = fstat(file, &status) == 0 ? status.st_ino : 0;
  files[file].is_written = is_written;
  files[file].path = strdup(path);
}

static int open_at(int directory, const char *path, int flags, mode_t mode) {
  char buffer[PATH_BYTES];
  const char *inside = below(directory, path, buffer);
  if (!inside) return (int)syscall(SYS_openat, directory, path, flags, mode);
  int makes = (flags & O_CREAT) != 0;
  struct strike strike = before(makes ? "create" : "open", inside, NULL);
  FAIL_IF_STRUCK(strike);
  enter();
  struct stat old;
  int was_there = makes && fstatat(directory, path, &old, AT_SYMLINK_NOFOLLOW) == 0;
  int file = (int)syscall(SYS_openat, directory, path, flags, mode);
  if (file >= 0) {
    note(file, inside, (flags & O_ACCMODE) != O_RDONLY);
    unsigned long inode = files[file].inode;
    if (makes && !was_there) TRACED(file, NULL, 0, "make\t%lu\t%s\n", inode, inside);
    else if (flags & O_TRUNC) TRACED(file, NULL, 0, "size\t%lu\t0\n", inode);
  }
  leave();
  return (int)after(strike, file);
}

#define OPEN(directory) \
  mode_t mode = 0; \
  if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) { \
    va_list list; \
    va_start(list, flags); \
    mode = va_arg(list, mode_t); \
    va_end(list); \
  } \
  return open_at(directory, path, flags, mode);

int open(const char *path, int flags, ...) { OPEN(AT_FDCWD) }
int open64(const char *path, int flags, ...) { OPEN(AT_FDCWD) }
int openat(int directory, const char *path, int flags, ...) { OPEN(directory) }
int openat64(int directory, const char *path, int flags, ...) { OPEN(directory) }
int creat(const char *path, mode_t mode) {
  return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int file) {
  const char *path = path_of(file);
  if (!path) return (int)syscall(SYS_close, file);
  struct strike strike = {0, 0, 0};
  if (files[file].is_written) strike = before("close", path, NULL);
  free(files[file].path);
  files[file].path = NULL;
  // The descriptor is gone also where closing fails.
  int result = (int)syscall(SYS_close, file);
  FAIL_IF_STRUCK(strike);
  return (int)after(strike, result);
}

ssize_t read(int file, void *bytes, size_t count) {
  const char *path = path_of(file);
  if (!path) return syscall(SYS_read, file, bytes, count);
  struct strike strike = before("read", path, NULL);
  FAIL_IF_STRUCK(strike);
  if (strike.is_short && count > 1) count /= 2;
  return after(strike, syscall(SYS_read, file, bytes, count));
}

// Only a read that must not wait. Every third one is told that it would have to; the others do wait, so
// that it is not the disk that decides how many calls there are.
ssize_t preadv2(int file, const struct iovec *pieces, int count, off_t at, int flags) {
  static atomic_ulong calls;
  const char *path = path_of(file);
  if (!path || count != 1 || at != -1) return syscall(SYS_preadv2, file, pieces, count, at, 0, flags);
  if (atomic_fetch_add(&calls, 1) % 3 == 0) {
    errno = EAGAIN;
    return -1;
  }
  struct strike strike = before("read", path, NULL);
  FAIL_IF_STRUCK(strike);
  struct iovec piece = *pieces;
  if (strike.is_short && piece.iov_len > 1) piece.iov_len /= 2;
  return after(strike, syscall(SYS_readv, file, &piece, 1));
}

ssize_t pread(int file, void *bytes, size_t count, off_t at) {
  const char *path = path_of(file);
  if (!path) return syscall(SYS_pread64, file, bytes, count, at);
  struct strike strike = before("pread", path, NULL);
  FAIL_IF_STRUCK(strike);
  if (strike.is_short && count > 1) count /= 2;
  return after(strike, syscall(SYS_pread64, file, bytes, count, at));
}
ssize_t pread64(int file, void *bytes, size_t count, off64_t at) {
  return pread(file, bytes, count, at);
}

static void trace_write(int file, const void *bytes, ssize_t count, off_t at) {
  TRACED(0, bytes, count, "write\t%lu\t%lld\t%zd\n", files[file].inode, (long long)at, count);
}

ssize_t write(int file, const void *bytes, size_t count) {
  const char *path = path_of(file);
  if (!path) return syscall(SYS_write, file, bytes, count);
  struct strike strike = before("write", path, NULL);
  FAIL_IF_STRUCK(strike);
  if (strike.is_short && count > 1) count /= 2;
  enter();
  ssize_t result = syscall(SYS_write, file, bytes, count);
  // Where it was put: it ends where the file stands now.
  off_t end = result > 0 ? syscall(SYS_lseek, file, 0, SEEK_CUR) : 0;
  if (result > 0) trace_write(file, bytes, result, end - result);
  leave();
  return after(strike, result);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  const char *path = path_of(file);
  if (!path) return syscall(SYS_pwrite64, file, bytes, count, at);
  struct strike strike = before("pwrite", path, NULL);
  FAIL_IF_STRUCK(strike);
  if (strike.is_short && count > 1) count /= 2;
  enter();
  ssize_t result = syscall(SYS_pwrite64, file, bytes, count, at);
  if (result > 0) trace_write(file, bytes, result, at);
  leave();
  return after(strike, result);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  return pwrite(file, bytes, count, at);
}

// The first part only: that is a short write, and whoever calls must be ready for it.
ssize_t writev(int file, const struct iovec *parts, int count) {
  if (!path_of(file)) return syscall(SYS_writev, file, parts, count);
  return count > 0 ? write(file, parts[0].iov_base, parts[0].iov_len) : 0;
}

int ftruncate(int file, off_t size) {
  const char *path = path_of(file);
  if (!path) return (int)syscall(SYS_ftruncate, file, size);
  struct strike strike = before("truncate", path, NULL);
  FAIL_IF_STRUCK(strike);
  enter();
  int result = (int)syscall(SYS_ftruncate, file, size);
  TRACED(result, NULL, 0, "size\t%lu\t%lld\n", files[file].inode, (long long)size);
  leave();
  return (int)after(strike, result);
}
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }

static int flush(int file, long call) {
  const char *path = path_of(file);
  if (!path) return (int)syscall(call, file);
  struct strike strike = before("fsync", path, NULL);
  FAIL_IF_STRUCK(strike);
  enter();
  int result = (int)syscall(call, file);
  TRACED(result, NULL, 0, "sync\t%lu\n", files[file].inode);
  leave();
  return (int)after(strike, result);
}
int fsync(int file) { return flush(file, SYS_fsync); }
int fdatasync(int file) { return flush(file, SYS_fdatasync); }

int fchmod(int file, mode_t mode) {
  const char *path = path_of(file);
  if (!path) return (int)syscall(SYS_fchmod, file, mode);
  struct strike strike = before("mode", path, NULL);
  FAIL_IF_STRUCK(strike);
  return (int)after(strike, syscall(SYS_fchmod, file, mode));
}

int futimens(int file, const struct timespec times[2]) {
  const char *path = path_of(file);
  if (!path) return (int)syscall(SYS_utimensat, file, NULL, times, 0);
  struct strike strike = before("times", path, NULL);
  FAIL_IF_STRUCK(strike);
  return (int)after(strike, syscall(SYS_utimensat, file, NULL, times, 0));
}

int flock(int file, int how) {
  const char *path = path_of(file);
  if (!path) return (int)syscall(SYS_flock, file, how);
  struct strike strike = before(how & LOCK_UN ? "unlock" : "lock", path, NULL);
  FAIL_IF_STRUCK(strike);
  return (int)after(strike, syscall(SYS_flock, file, how));
}

static int control(int file, int command, void *argument) {
  const char *path = path_of(file);
  int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
              command == F_OFD_SETLKW;
  if (!path || !locks) {
    int result = (int)syscall(SYS_fcntl, file, command, argument);
    if (path && result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
      note(result, path, files[file].is_written);
    return result;
  }
  int unlocks = ((struct flock *)argument)->l_type == F_UNLCK;
  struct strike strike = before(unlocks ? "unlock" : "lock", path, NULL);
  FAIL_IF_STRUCK(strike);
  return (int)after(strike, syscall(SYS_fcntl, file, command, argument));
}

#define CONTROL \
  va_list list; \
  va_start(list, command); \
  void *argument = va_arg(list, void *); \
  va_end(list); \
  return control(file, command, argument);

int fcntl(int file, int command, ...) { CONTROL }
int fcntl64(int file, int command, ...) { CONTROL }
