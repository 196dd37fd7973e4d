// Names every call that reads, changes or flushes something below one folder, and at a named one
// fails, kills, delays or cuts the power. README.md says how to use it.
//
// A call is named by what it does, to what, and how many times that was done before:
// "rename out/n/.all@staging-link -> out/n/all #1". Unlike a running number that name is the same
// whatever the threads of the program do meanwhile.
#include "fault.h"

#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#endif

// What the environment asks for.
static const char *root;    // WEIR_FAULT_ROOT: calls on what lies outside it are let through
static size_t root_length;
static const char *target;  // WEIR_FAULT_POINT: name of the call to strike; "#N": the N-th of all
static int log_file = -1;   // WEIR_FAULT_LOG: the name of every call, a line each
static int trace_file = -1; // WEIR_FAULT_TRACE: every change, for the model of a disk
static uint64_t random_seed; // WEIR_FAULT_RANDOM=SEED,ODDS: strike one call in ODDS, drawn by name
static uint64_t random_odds;
static struct {
  enum { NOTHING, KILL_BEFORE, KILL_AFTER, FAIL, SHORT, DELAY, SIGNAL, CUT } what;
  int code;    // errno, signal, milliseconds or flag of FS_IOC_SHUTDOWN
  int goes_on; // whether an error stays from then on
} action;      // WEIR_FAULT_DO: see read_action

int is_on;
int is_traced;
static int calls;  // so far
static int sticks; // the errno that from now on every call gives that can; 0: none
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

enum { COUNTS = 1 << 16 };
static struct {
  uint64_t name;
  unsigned count;
} counts[COUNTS];

static uint64_t hash(const char *text, uint64_t seed) {
  uint64_t h = 0xCBF29CE484222325 ^ seed;
  for (; *text; text++) h = (h ^ (unsigned char)*text) * 0x100000001B3;
  h ^= h >> 32;
  h *= 0xD6E8FEB86659FD93;
  return h ^ h >> 32;
}

static void put(int file, const char *bytes, size_t count) {
  while (count > 0) {
    long wrote = syscall(SYS_write, file, bytes, count);
    if (wrote <= 0) abort();
    bytes += wrote;
    count -= wrote;
  }
}

static int open_log(const char *variable) {
  const char *path = getenv(variable);
  if (!path) return -1;
  long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) abort();
  // Out of the way of the program, which may count its descriptors.
  long high = syscall(SYS_fcntl, file, F_DUPFD_CLOEXEC, 900);
  if (high >= 0) {
    syscall(SYS_close, file);
    file = high;
  }
  return (int)file;
}

// kill-before | kill-after | short | fail:ERRNO | fail-on:ERRNO | delay:MS | signal:N | cut:FLAG
static void read_action(const char *text) {
  const char *colon = strchr(text, ':');
  action.code = colon ? atoi(colon + 1) : 0;
  size_t length = colon ? (size_t)(colon - text) : strlen(text);
  struct { const char *word; int what; } words[] = {
      {"kill-before", KILL_BEFORE}, {"kill-after", KILL_AFTER}, {"short", SHORT}, {"fail", FAIL},
      {"fail-on", FAIL}, {"delay", DELAY}, {"signal", SIGNAL}, {"cut", CUT}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strlen(words[i].word) == length && !strncmp(words[i].word, text, length)) {
      action.what = words[i].what;
      action.goes_on = length == 7;
      return;
    }
  }
  abort();
}

__attribute__((constructor)) static void start(void) {
  root = getenv("WEIR_FAULT_ROOT");
  if (!root) return;
  root_length = strlen(root);
  target = getenv("WEIR_FAULT_POINT");
  if (getenv("WEIR_FAULT_DO")) read_action(getenv("WEIR_FAULT_DO"));
  const char *random = getenv("WEIR_FAULT_RANDOM");
  if (random) {
    random_seed = strtoull(random, NULL, 10);
    random_odds = strtoull(strchr(random, ',') + 1, NULL, 10);
  }
  log_file = open_log("WEIR_FAULT_LOG");
  trace_file = open_log("WEIR_FAULT_TRACE");
  is_traced = trace_file >= 0;
  is_on = 1;
}

// MARK: Paths

// The path below the root as it is; NULL: outside.
const char *below(int directory, const char *path, char *buffer) {
  if (!is_on || !path) return NULL;
  if (path[0] != '/') {
    char from[PATH_BYTES];
    if (directory == AT_FDCWD) {
      if (syscall(SYS_getcwd, from, sizeof from) <= 0) return NULL;
    } else {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
      long count = syscall(SYS_readlinkat, AT_FDCWD, link, from, sizeof from - 1);
      if (count < 0) return NULL;
      from[count] = 0;
    }
    if (snprintf(buffer, PATH_BYTES, "%s/%s", from, path) >= PATH_BYTES) return NULL;
  } else if (snprintf(buffer, PATH_BYTES, "%s", path) >= PATH_BYTES) {
    return NULL;
  }
  // "." and "//" and a "/" at the end are as if they were not there; ".." does not come.
  char *to = buffer;
  for (const char *from = buffer; *from;) {
    int is_slash = from[0] == '/';
    if (is_slash && (from[1] == '/' || from[1] == 0)) {
      from++;
    } else if (is_slash && from[1] == '.' && (from[2] == '/' || from[2] == 0)) {
      from += 2;
    } else {
      *to++ = *from++;
    }
  }
  *to = 0;
  if (strncmp(buffer, root, root_length)) return NULL;
  if (buffer[root_length] == 0) return ".";
  return buffer[root_length] == '/' ? buffer + root_length + 1 : NULL;
}

static int digits(const char *text, size_t least) {
  size_t count = strspn(text, "0123456789");
  return count >= least ? (int)count : 0;
}

// The same without what differs from run to run: ids of runs, of packs and of processes, and long
// random numbers.
static const char *plain(const char *path, char *buffer) {
  char *to = buffer;
  while (*path) {
    // 20261122T020000Z-7f3a09bc
    if (digits(path, 8) == 8 && path[8] == 'T' && digits(path + 9, 6) == 6 && path[15] == 'Z' &&
        path[16] == '-' && strlen(path) >= 25) {
      memcpy(to, "RUN", 3);
      to += 3;
      path += 25;
    } else if (strspn(path, "0123456789abcdef") == 16 && !strncmp(path + 16, ".pack", 5)) {
      *to++ = 'N';
      path += 16;
    } else if (!strncmp(path, ".log.", 5) && digits(path + 5, 1)) {
      memcpy(to, ".log.N", 6);
      to += 6;
      path += 5 + digits(path + 5, 1);
    } else if (digits(path, 11)) {
      *to++ = 'N';
      path += digits(path, 11);
    } else {
      *to++ = *path++;
    }
  }
  *to = 0;
  return buffer;
}

// MARK: Strikes

// Whether a call of this sort may well give that error: what an error that stays is limited to.
static int can_give(const char *call, int code) {
  const char *calls;
  switch (code) {
  case ENOSPC:
  case EDQUOT:
    calls = " create write pwrite mkdir rename link symlink truncate fsync ";
    break;
  case EACCES:
  case EPERM:
  case EROFS:
    calls = " create open mkdir rename link symlink unlink rmdir mode ";
    break;
  case EMFILE:
  case ENFILE:
    calls = " create open ";
    break;
  case EIO:
    calls = " create open read pread write pwrite mkdir rename link symlink unlink rmdir truncate "
            "fsync close mode ";
    break;
  default:
    return 0;
  }
  char word[32];
  snprintf(word, sizeof word, " %s ", call);
  return strstr(calls, word) != NULL;
}

static _Noreturn void die(void) {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) pause();
}

static _Noreturn void cut_power(void) {
  long file = syscall(SYS_openat, AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
  uint32_t flag = action.code;
  if (file < 0 || syscall(SYS_ioctl, file, FS_IOC_SHUTDOWN, &flag)) abort();
  die();
}

static unsigned count_of(const char *name) {
  uint64_t h = hash(name, 0) | 1;
  for (size_t i = h % COUNTS;; i = (i + 1) % COUNTS) {
    if (counts[i].name == 0) counts[i].name = h;
    if (counts[i].name == h) return ++counts[i].count;
  }
}

// Called before each call on something below the root.
struct strike before(const char *call, const char *first, const char *second) {
  struct strike strike = {0, 0, 0};
  char name[NAME_BYTES], a[PATH_BYTES], b[PATH_BYTES];
  if (second) snprintf(name, sizeof name, "%s %s -> %s", call, plain(first, a), plain(second, b));
  else snprintf(name, sizeof name, "%s %s", call, plain(first, a));
  pthread_mutex_lock(&guard);
  size_t length = strlen(name);
  snprintf(name + length, sizeof name - length, " #%u", count_of(name));
  calls++;
  int is_struck = target && (*target == '#' ? calls == atoi(target + 1) : !strcmp(name, target));
  int stays = sticks;
  if (is_struck && action.what == FAIL && action.goes_on) sticks = action.code;
  pthread_mutex_unlock(&guard);
  if (log_file >= 0) {
    char line[NAME_BYTES + 1];
    put(log_file, line, snprintf(line, sizeof line, "%s\n", name));
  }
  if (is_struck) {
    struct timespec pause = {action.code / 1000, action.code % 1000 * 1000000L};
    switch (action.what) {
    case KILL_BEFORE:
      die();
    case KILL_AFTER:
      strike.kills_after = 1;
      break;
    case FAIL:
      strike.error = action.code;
      break;
    case SHORT:
      strike.is_short = 1;
      break;
    case DELAY:
      syscall(SYS_nanosleep, &pause, NULL);
      break;
    case SIGNAL:
      syscall(SYS_kill, syscall(SYS_getpid), action.code);
      break;
    case CUT:
      cut_power();
    case NOTHING:
      break;
    }
  } else if (stays && can_give(call, stays)) {
    strike.error = stays;
  } else if (random_odds && hash(name, random_seed) % random_odds == 0) {
    static const int errors[] = {EIO, ENOSPC, EACCES, EINTR, EMFILE};
    uint64_t draw = hash(name, ~random_seed);
    int error = errors[draw % 5];
    if (draw >> 32 & 1) die();
    if (error == EINTR || can_give(call, error)) strike.error = error;
  }
  return strike;
}

long after(struct strike strike, long result) {
  if (strike.kills_after) die();
  return result;
}

// A line, and bytes behind it. Paths have no line ends or tabs in them here.
void trace(const void *bytes, size_t count, const char *format, ...) {
  int code = errno;
  char line[NAME_BYTES];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  put(trace_file, line, length);
  if (count) put(trace_file, bytes, count);
  errno = code;
}

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

void enter(void) {
  if (is_traced) pthread_mutex_lock(&order);
}

void leave(void) {
  if (is_traced) pthread_mutex_unlock(&order);
}
