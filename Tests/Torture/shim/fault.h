// What the parts of the shim share: points.c names calls and strikes, the others stand in for them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>

enum { PATH_BYTES = 1024, NAME_BYTES = 2 * PATH_BYTES + 64 };

// What a call is to do otherwise.
struct strike {
  int error;       // fail with this errno; 0: do not
  int is_short;    // read or write half
  int kills_after; // end the process when it is done
};

// Whether there is anything to watch.
extern int is_on;
// Whether changes are traced.
extern int is_traced;

// The path below the root, in `buffer`; NULL: outside, or nothing to watch.
const char *below(int directory, const char *path, char *buffer);

// Names a call on something below the root, logs it, and does what is asked for at its name.
struct strike before(const char *call, const char *first, const char *second);

// Ends the process where the strike says so; else gives back `result`.
long after(struct strike strike, long result);

// Puts a line into the trace, and bytes behind it.
void trace(const void *bytes, size_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define FAIL_IF_STRUCK(strike) \
  do { \
    if ((strike).error) { \
      errno = (strike).error; \
      return -1; \
    } \
  } while (0)

// One change at a time while they are traced, so that the trace has them in their true order.
void enter(void);
void leave(void);
#define TRACED(result, ...) \
  do { \
    if (is_traced && (result) >= 0) trace(__VA_ARGS__); \
  } while (0)
