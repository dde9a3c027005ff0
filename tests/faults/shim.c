/* A preload library between a process and the files under one directory.

   It writes every change of them to a log, in order, with its data, and fails or delays what a control file
   says. What is logged and how it is read again: disk.py. Environment:
     FAULTS_ROOT     the directory, absolute and without symbolic links
     FAULTS_LOG      where to append the log; none is written without it
     FAULTS_CONTROL  a text file that is read at every call: lines `write ERRNO`, `sync ERRNO`, `delay_ms N`,
                     `skip_sync 1` and `only SUBSTRING-OF-PATH` (or its end, with a $ after it)

   A lock is held over a change and its line in the log, so that the log's order is the order of the changes. A
   sync has two lines, begin and end, between which other files go on: what was written before its begin is
   durable at its end. Descriptors are looked up in /proc at every call, so that dup, close and rename need no
   book-keeping. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, RENAME, LINK, UNLINK, MKDIR, RMDIR, SYNC_BEGIN, SYNC_END };

struct record { uint32_t kind, path_length, other_length; int32_t result; uint64_t inode, offset, length; };
struct control { int write, sync, delay_ms, skip_sync; char only[128]; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *control_path;
static size_t root_length;
static int log_fd = -1;

static int sys_open(const char *path, int flags, mode_t mode) {
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("FAULTS_LOG");
  root = getenv("FAULTS_ROOT");
  control_path = getenv("FAULTS_CONTROL");
  root_length = root ? strlen(root) : 0;
  if (root && log) {
    int fd = sys_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900); /* out of the way of code that guesses numbers */
    syscall(SYS_close, fd);
  }
}

static int under_root(const char *path) {
  return root && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* The path of a descriptor, if it is a file or directory under the root. */
static int watched_fd(int fd, char *path, struct stat *st) {
  char link[40];
  int kept = errno, found = 0;
  if (root && !syscall(SYS_newfstatat, fd, "", st, AT_EMPTY_PATH) && (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH_MAX - 1);
    if (n > 0) {
      path[n] = 0;
      found = under_root(path);
    }
  }
  errno = kept;
  return found;
}

/* The absolute path of a name relative to a directory's descriptor; its directories must exist. */
static int watched_path(int dirfd, const char *name, char *path) {
  char whole[PATH_MAX * 2], link[40], base[NAME_MAX + 1];
  int kept = errno, found = 0;
  if (!root || !name || !*name) return 0;
  if (*name == '/') {
    snprintf(whole, sizeof whole, "%s", name);
  } else {
    char directory[PATH_MAX];
    snprintf(link, sizeof link, dirfd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", dirfd);
    ssize_t n = readlink(link, directory, sizeof directory - 1);
    if (n <= 0) goto out;
    directory[n] = 0;
    snprintf(whole, sizeof whole, "%s/%s", directory, name);
  }
  size_t end = strlen(whole);
  while (end > 1 && whole[end - 1] == '/') whole[--end] = 0;
  char *slash = strrchr(whole, '/');
  snprintf(base, sizeof base, "%s", slash + 1);
  *slash = 0;
  if (realpath(*whole ? whole : "/", path)) {
    size_t n = strlen(path);
    snprintf(path + n, PATH_MAX - n, "%s%s", n > 1 ? "/" : "", base);
    found = under_root(path);
  }
out:
  errno = kept;
  return found;
}

static struct control read_control(const char *path) {
  struct control control = {0};
  char text[512], *line, *rest = text, *value;
  int kept = errno, fd = control_path ? sys_open(control_path, O_RDONLY | O_CLOEXEC, 0) : -1;
  if (fd >= 0) {
    ssize_t n = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[n > 0 ? n : 0] = 0;
    while ((line = strsep(&rest, "\n"))) {
      if (!(value = strchr(line, ' '))) continue;
      *value++ = 0;
      if (!strcmp(line, "write")) control.write = atoi(value);
      if (!strcmp(line, "sync")) control.sync = atoi(value);
      if (!strcmp(line, "delay_ms")) control.delay_ms = atoi(value);
      if (!strcmp(line, "skip_sync")) control.skip_sync = atoi(value);
      if (!strcmp(line, "only")) snprintf(control.only, sizeof control.only, "%s", value);
    }
  }
  size_t only = strlen(control.only), length = strlen(path);
  int matches = only && control.only[only - 1] == '$'
                    ? length >= only - 1 && !strncmp(path + length - (only - 1), control.only, only - 1)
                    : strstr(path, control.only) != NULL;
  if (!matches) control.write = control.sync = control.delay_ms = 0;
  errno = kept;
  return control;
}

static void note(int kind, uint64_t inode, const char *path, const char *other, uint64_t offset, const void *data,
                 uint64_t length, int result) {
  if (log_fd < 0) return;
  int kept = errno;
  struct record record = {kind, strlen(path), other ? strlen(other) : 0, result, inode, offset, length};
  struct iovec parts[] = {{&record, sizeof record}, {(void *)path, record.path_length},
                          {(void *)other, record.other_length}, {(void *)data, data ? length : 0}};
  size_t total = sizeof record + record.path_length + record.other_length + (data ? length : 0);
  if (syscall(SYS_writev, log_fd, parts, 4) != (ssize_t)total) abort(); /* a log with a hole is worthless */
  errno = kept;
}

#define REAL(name) ((__typeof__(&name))({ static void *real; if (!real) real = dlsym(RTLD_NEXT, #name); real; }))

/* Fails a change of a path, or says that it may go on. A full disk still lets go of names. */
static int refused(const char *path, int frees) {
  int error = read_control(path).write;
  if (!error || (frees && error == ENOSPC)) return 0;
  errno = error;
  return 1;
}

/* --- files: open, write, truncate --- */

static int open_at(int dirfd, const char *name, int flags, mode_t mode) {
  char path[PATH_MAX];
  struct stat st;
  int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
  if (!writes || (flags & O_TMPFILE) == O_TMPFILE || !watched_path(dirfd, name, path))
    return (int)syscall(SYS_openat, dirfd, name, flags, mode);
  pthread_mutex_lock(&lock);
  int fd = -1, kept = errno, existed = !syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0);
  errno = kept;
  int error = read_control(path).write;
  if (error && (error == EROFS || (!existed && (flags & O_CREAT)))) {
    errno = error;
  } else {
    fd = (int)syscall(SYS_openat, dirfd, name, flags, mode);
    if (fd >= 0 && !syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH)) {
      if (!existed) note(CREATE, st.st_ino, path, NULL, 0, NULL, 0, 0);
      else if (flags & O_TRUNC) note(TRUNCATE, st.st_ino, path, NULL, 0, NULL, 0, 0);
    }
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list a; va_start(a, flags); mode = va_arg(a, mode_t); va_end(a); }
int open(const char *name, int flags, ...) { MODE return open_at(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE return open_at(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int dirfd, const char *name, int flags, ...) { MODE return open_at(dirfd, name, flags, mode); }
int openat64(int dirfd, const char *name, int flags, ...) { MODE return open_at(dirfd, name, flags | O_LARGEFILE, mode); }
int creat(const char *name, mode_t mode) { return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *name, mode_t mode) { return creat(name, mode); }

/* Notes what now stands in a file at an offset: for calls that bring their data from elsewhere. */
static void note_contents(int fd, struct stat *st, const char *path, off_t offset, ssize_t length) {
  char link[40], *data = malloc(length);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int reader = sys_open(link, O_RDONLY | O_CLOEXEC, 0);
  if (reader < 0 || syscall(SYS_pread64, reader, data, length, offset) != length) abort();
  syscall(SYS_close, reader);
  note(WRITE, st->st_ino, path, NULL, offset, data, length, 0);
  free(data);
}

/* All writes: `offset` -1 is the file's position. A full disk takes half of a large write first. */
static ssize_t write_vector(int fd, const struct iovec *parts, int count, off_t offset) {
  char path[PATH_MAX];
  struct stat st;
  if (!watched_fd(fd, path, &st))
    return offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
  pthread_mutex_lock(&lock);
  int error = read_control(path).write;
  ssize_t n = -1;
  struct iovec half = count ? parts[0] : (struct iovec){0};
  if (error && (error != ENOSPC || half.iov_len <= 1024)) {
    errno = error;
  } else {
    if (error) half.iov_len /= 2, parts = &half, count = 1;
    n = offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    if (n > 0 && log_fd >= 0)
      note_contents(fd, &st, path, offset < 0 ? syscall(SYS_lseek, fd, 0, SEEK_CUR) - n : offset, n);
  }
  pthread_mutex_unlock(&lock);
  return n;
}

static ssize_t write_one(int fd, const void *data, size_t length, off_t offset) {
  struct iovec part = {(void *)data, length};
  return write_vector(fd, &part, 1, offset);
}
ssize_t write(int fd, const void *data, size_t length) { return write_one(fd, data, length, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return write_one(fd, data, length, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) { return write_one(fd, data, length, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_vector(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return write_vector(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *p, int count, off64_t at) { return write_vector(fd, p, count, at); }
ssize_t pwritev2(int fd, const struct iovec *p, int c, off_t at, int f) { (void)f; return write_vector(fd, p, c, at); }
ssize_t pwritev64v2(int fd, const struct iovec *p, int c, off64_t at, int f) { (void)f; return write_vector(fd, p, c, at); }

static ssize_t copied(int fd, off_t *at, ssize_t (*copy)(void *), void *arguments) {
  char path[PATH_MAX];
  struct stat st;
  if (!watched_fd(fd, path, &st)) return copy(arguments);
  pthread_mutex_lock(&lock);
  ssize_t n = refused(path, 0) ? -1 : copy(arguments);
  if (n > 0 && log_fd >= 0) note_contents(fd, &st, path, (at ? *at : syscall(SYS_lseek, fd, 0, SEEK_CUR)) - n, n);
  pthread_mutex_unlock(&lock);
  return n;
}
struct transfer { int out, in; off_t *out_at, *in_at; size_t length; };
static ssize_t do_sendfile(void *a) {
  struct transfer *t = a;
  return syscall(SYS_sendfile, t->out, t->in, t->in_at, t->length);
}
static ssize_t do_copy_range(void *a) {
  struct transfer *t = a;
  return syscall(SYS_copy_file_range, t->in, t->in_at, t->out, t->out_at, t->length, 0);
}
ssize_t sendfile(int out, int in, off_t *at, size_t length) {
  return copied(out, NULL, do_sendfile, &(struct transfer){out, in, NULL, at, length});
}
ssize_t sendfile64(int out, int in, off64_t *at, size_t length) { return sendfile(out, in, at, length); }
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags) {
  (void)flags;
  return copied(out, out_at, do_copy_range, &(struct transfer){out, in, out_at, in_at, length});
}

static int truncate_fd(int fd, off_t length) {
  char path[PATH_MAX];
  struct stat st;
  if (!watched_fd(fd, path, &st)) return (int)syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  int result = refused(path, length <= st.st_size) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
  if (!result) note(TRUNCATE, st.st_ino, path, NULL, length, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}
int ftruncate(int fd, off_t length) { return truncate_fd(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_fd(fd, length); }
int truncate(const char *name, off_t length) {
  int fd = open_at(AT_FDCWD, name, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return -1;
  int result = truncate_fd(fd, length);
  syscall(SYS_close, fd);
  return result;
}
int truncate64(const char *name, off64_t length) { return truncate(name, length); }

/* Only to make a file longer: holes are not for a store that wants its room for sure. */
static int allocate(int fd, int mode, off_t at, off_t length) {
  char path[PATH_MAX];
  struct stat st;
  if (!watched_fd(fd, path, &st)) return (int)syscall(SYS_fallocate, fd, mode, at, length);
  if (mode) abort();
  pthread_mutex_lock(&lock);
  int result = refused(path, 0) ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, length);
  if (!result && at + length > st.st_size) note(TRUNCATE, st.st_ino, path, NULL, at + length, NULL, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}
int fallocate(int fd, int mode, off_t at, off_t length) { return allocate(fd, mode, at, length); }
int fallocate64(int fd, int mode, off64_t at, off64_t length) { return allocate(fd, mode, at, length); }
int posix_fallocate(int fd, off_t at, off_t length) { return allocate(fd, 0, at, length) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t length) { return allocate(fd, 0, at, length) ? errno : 0; }

/* --- names --- */

static int change_names(int kind, int from_dir, const char *from, int to_dir, const char *to, long (*change)(void *),
                        void *arguments) {
  char path[PATH_MAX], other[PATH_MAX] = "";
  struct stat st = {0};
  int first = watched_path(from_dir, from, path), second = to && watched_path(to_dir, to, other);
  if (!first && !second) return (int)change(arguments);
  pthread_mutex_lock(&lock);
  int result = -1, kept = errno;
  if (!refused(second ? other : path, kind == UNLINK || kind == RMDIR)) {
    syscall(SYS_newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
    errno = kept;
    result = (int)change(arguments);
    if (!result) {
      if (to && !(first && second)) abort(); /* moved in or out: the model has no word for it */
      note(kind, st.st_ino, path, to ? other : NULL, 0, NULL, 0, 0);
    }
  }
  pthread_mutex_unlock(&lock);
  return result;
}

struct names { int from_dir, to_dir, flags; const char *from, *to; mode_t mode; };
static long do_rename(void *a) { struct names *n = a; return syscall(SYS_renameat2, n->from_dir, n->from, n->to_dir, n->to, n->flags); }
static long do_link(void *a) { struct names *n = a; return syscall(SYS_linkat, n->from_dir, n->from, n->to_dir, n->to, n->flags); }
static long do_unlink(void *a) { struct names *n = a; return syscall(SYS_unlinkat, n->from_dir, n->from, n->flags); }
static long do_mkdir(void *a) { struct names *n = a; return syscall(SYS_mkdirat, n->from_dir, n->from, n->mode); }

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
  return change_names(RENAME, from_dir, from, to_dir, to, do_rename, &(struct names){from_dir, to_dir, flags, from, to, 0});
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) { return renameat2(from_dir, from, to_dir, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
  return change_names(LINK, from_dir, from, to_dir, to, do_link, &(struct names){from_dir, to_dir, flags, from, to, 0});
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int dir, const char *name, int flags) {
  return change_names(flags & AT_REMOVEDIR ? RMDIR : UNLINK, dir, name, 0, NULL, do_unlink, &(struct names){dir, 0, flags, name, NULL, 0});
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
int remove(const char *name) { int result = unlink(name); return result && errno == EISDIR ? rmdir(name) : result; }
int mkdirat(int dir, const char *name, mode_t mode) {
  return change_names(MKDIR, dir, name, 0, NULL, do_mkdir, &(struct names){dir, 0, 0, name, NULL, mode});
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

/* --- syncs --- */

static int synced(int fd, long number) {
  char path[PATH_MAX];
  struct stat st;
  if (!watched_fd(fd, path, &st)) return (int)syscall(number, fd);
  pthread_mutex_lock(&lock);
  note(SYNC_BEGIN, st.st_ino, path, NULL, syscall(SYS_gettid), NULL, 0, S_ISDIR(st.st_mode));
  pthread_mutex_unlock(&lock);
  struct control control = read_control(path);
  if (control.delay_ms) {
    struct timespec delay = {control.delay_ms / 1000, control.delay_ms % 1000 * 1000000L};
    nanosleep(&delay, NULL);
  }
  int result = 0;
  if (control.sync) errno = control.sync, result = -1;
  else if (!control.skip_sync) result = (int)syscall(number, fd);
  pthread_mutex_lock(&lock);
  note(SYNC_END, st.st_ino, path, NULL, syscall(SYS_gettid), NULL, 0, result);
  pthread_mutex_unlock(&lock);
  return result;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
