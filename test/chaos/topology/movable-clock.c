/*
 * Preloaded into a process: its wall clock is the machine's plus the milliseconds in the file that CHAOS_CLOCK_FILE names.
 * Monotonic clocks stay as they are, as they would when an operator or NTP sets the wall clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *offset_ms;

__attribute__((constructor)) static void open_clock(void) {
  const char *path = getenv("CHAOS_CLOCK_FILE");
  int file = path == NULL ? -1 : open(path, O_RDONLY);
  if (file < 0) return;
  void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) offset_ms = page;
  close(file);
}

static void move_by_offset(struct timespec *time) {
  if (offset_ms == NULL) return;
  int64_t nanoseconds = time->tv_nsec + (*offset_ms % 1000) * 1000000;
  time->tv_sec += *offset_ms / 1000;
  if (nanoseconds < 0) {
    time->tv_sec -= 1;
    nanoseconds += 1000000000;
  } else if (nanoseconds >= 1000000000) {
    time->tv_sec += 1;
    nanoseconds -= 1000000000;
  }
  time->tv_nsec = nanoseconds;
}

typedef int (*read_clock)(clockid_t, struct timespec *);

static int machine_clock(clockid_t id, struct timespec *time) {
  static read_clock real;
  if (real == NULL) real = (read_clock)dlsym(RTLD_NEXT, "clock_gettime");
  return real == NULL ? (int)syscall(SYS_clock_gettime, id, time) : real(id, time);
}

int clock_gettime(clockid_t id, struct timespec *time) {
  int result = machine_clock(id, time);
  if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) move_by_offset(time);
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *result) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}
