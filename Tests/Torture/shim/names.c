// Stands in for the calls that work on names.
#include "fault.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static int rename_at(int d1, const char *from, int d2, const char *to, unsigned flags) {
  char a[PATH_BYTES], b[PATH_BYTES];
  const char *first = below(d1, from, a), *second = below(d2, to, b);
  if (!first || !second) return (int)syscall(SYS_renameat2, d1, from, d2, to, flags);
  struct strike strike = before("rename", first, second);
  FAIL_IF_STRUCK(strike);
  enter();
  int result = (int)syscall(SYS_renameat2, d1, from, d2, to, flags);
  const char *word = flags & RENAME_EXCHANGE ? "exchange" : "rename";
  TRACED(result, NULL, 0, "%s\t%s\t%s\n", word, first, second);
  leave();
  return (int)after(strike, result);
}
int rename(const char *from, const char *to) {
  return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int d1, const char *from, int d2, const char *to) {
  return rename_at(d1, from, d2, to, 0);
}
int renameat2(int d1, const char *from, int d2, const char *to, unsigned flags) {
  return rename_at(d1, from, d2, to, flags);
}

int linkat(int d1, const char *from, int d2, const char *to, int flags) {
  char a[PATH_BYTES], b[PATH_BYTES];
  const char *first = below(d1, from, a), *second = below(d2, to, b);
  if (!first || !second) return (int)syscall(SYS_linkat, d1, from, d2, to, flags);
  struct strike strike = before("link", first, second);
  FAIL_IF_STRUCK(strike);
  enter();
  int result = (int)syscall(SYS_linkat, d1, from, d2, to, flags);
  TRACED(result, NULL, 0, "link\t%s\t%s\n", first, second);
  leave();
  return (int)after(strike, result);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char *content, int directory, const char *path) {
  char buffer[PATH_BYTES];
  const char *inside = below(directory, path, buffer);
  if (!inside) return (int)syscall(SYS_symlinkat, content, directory, path);
  struct strike strike = before("symlink", inside, NULL);
  FAIL_IF_STRUCK(strike);
  enter();
  int result = (int)syscall(SYS_symlinkat, content, directory, path);
  TRACED(result, NULL, 0, "symlink\t%s\t%s\n", content, inside);
  leave();
  return (int)after(strike, result);
}
int symlink(const char *content, const char *path) { return symlinkat(content, AT_FDCWD, path); }

int unlinkat(int directory, const char *path, int flags) {
  char buffer[PATH_BYTES];
  const char *inside = below(directory, path, buffer);
  if (!inside) return (int)syscall(SYS_unlinkat, directory, path, flags);
  struct strike strike = before(flags & AT_REMOVEDIR ? "rmdir" : "unlink", inside, NULL);
  FAIL_IF_STRUCK(strike);
  enter();
  int result = (int)syscall(SYS_unlinkat, directory, path, flags);
  TRACED(result, NULL, 0, "unlink\t%s\n", inside);
  leave();
  return (int)after(strike, result);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
  int result = unlink(path);
  return result < 0 && errno == EISDIR ? rmdir(path) : result;
}

int mkdirat(int directory, const char *path, mode_t mode) {
  char buffer[PATH_BYTES];
  const char *inside = below(directory, path, buffer);
  if (!inside) return (int)syscall(SYS_mkdirat, directory, path, mode);
  struct strike strike = before("mkdir", inside, NULL);
  FAIL_IF_STRUCK(strike);
  enter();
  int result = (int)syscall(SYS_mkdirat, directory, path, mode);
  struct stat status;
  if (result == 0 && fstatat(directory, path, &status, 0) == 0)
    TRACED(result, NULL, 0, "mkdir\t%lu\t%s\n", (unsigned long)status.st_ino, inside);
  leave();
  return (int)after(strike, result);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int fchmodat(int directory, const char *path, mode_t mode, int flags) {
  char buffer[PATH_BYTES];
  const char *inside = below(directory, path, buffer);
  if (!inside) return (int)syscall(SYS_fchmodat, directory, path, mode, flags);
  struct strike strike = before("mode", inside, NULL);
  FAIL_IF_STRUCK(strike);
  return (int)after(strike, syscall(SYS_fchmodat, directory, path, mode, flags));
}
int chmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, 0); }

int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
  char buffer[PATH_BYTES];
  const char *inside = below(directory, path, buffer);
  if (!inside) return (int)syscall(SYS_utimensat, directory, path, times, flags);
  struct strike strike = before("times", inside, NULL);
  FAIL_IF_STRUCK(strike);
  return (int)after(strike, syscall(SYS_utimensat, directory, path, times, flags));
}
int utimes(const char *path, const struct timeval times[2]) {
  struct timespec exact[2];
  for (int i = 0; times && i < 2; i++) {
    exact[i].tv_sec = times[i].tv_sec;
    exact[i].tv_nsec = times[i].tv_usec * 1000;
  }
  return utimensat(AT_FDCWD, path, times ? exact : NULL, 0);
}
