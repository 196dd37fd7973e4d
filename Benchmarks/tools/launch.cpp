// Runs a program and measures it from outside.
//
//   launch REPORT PROGRAM [ARGUMENT...]
//
// Writes one JSON object to the file REPORT: wall seconds from before the start to the end, CPU
// seconds and the peak resident bytes of the program and of what it waited for, as the kernel
// counts them, and how it ended (an exit status, or minus a signal). The program has the streams of
// this one.
//
// A program of its own, and not a few lines of Python, because a process begins its life with the
// peak memory of the one that started it: that of an interpreter would hide a small program's.
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

static double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + double(time.tv_nsec) / 1e9;
}

static double seconds(const timeval &time) {
  return double(time.tv_sec) + double(time.tv_usec) / 1e6;
}

static pid_t child = 0;

// Whoever stops the launcher means the program.
static void pass_on(int signal) {
  if (child > 0) kill(child, signal);
}

int main(int count, char **arguments) {
  if (count < 3) {
    std::fputs("usage: launch REPORT PROGRAM [ARGUMENT...]\n", stderr);
    return 64;
  }
  FILE *report = std::fopen(arguments[1], "we");
  if (!report) {
    std::perror(arguments[1]);
    return 1;
  }
  const double begin = now();
  child = fork();
  if (child < 0) {
    std::perror("fork");
    return 1;
  }
  if (child == 0) {
    execvp(arguments[2], arguments + 2);
    std::fprintf(stderr, "%s: %s\n", arguments[2], std::strerror(errno));
    _exit(127);
  }
  signal(SIGINT, pass_on);
  signal(SIGTERM, pass_on);
  int status = 0;
  rusage usage;
  while (wait4(child, &status, 0, &usage) < 0) {
    if (errno != EINTR) {
      std::perror("wait4");
      return 1;
    }
  }
  const double wall = now() - begin;
  std::fprintf(report, "{\"wall\": %.6f, \"cpu\": %.6f, \"peak\": %lld, \"status\": %d}\n", wall,
               seconds(usage.ru_utime) + seconds(usage.ru_stime),
               static_cast<long long>(usage.ru_maxrss) * 1024,
               WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  if (std::fclose(report) != 0) {
    std::perror(arguments[1]);
    return 1;
  }
  return 0;
}
