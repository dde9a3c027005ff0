/* A preload library: the process is told the time that stands in the file CLOCK_FILE, 8 bytes, nanoseconds since
   1970. Only the time of day is: what measures durations, and the timers, go by the machine's clocks. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *now;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("CLOCK_FILE");
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *now, PROT_READ, MAP_SHARED, fd, 0);
  if (fd >= 0) close(fd);
  if (page != MAP_FAILED) now = page;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (now && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ns = *now;
    time->tv_sec = ns / 1000000000;
    time->tv_nsec = ns % 1000000000;
    return 0;
  }
  return (int)syscall(SYS_clock_gettime, clock, time);
}

/* Nothing here has to survive a power cut, and thousands of commits take a disk minutes. */
int fsync(int file) { return file < 0 ? -1 : 0; }

int fdatasync(int file) { return file < 0 ? -1 : 0; }
