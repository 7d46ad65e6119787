// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The functions of the C library through which a program reaches /dev/kvm.
 * Descriptors are memfds: the program can mmap, poll and close them natively.
 *
 * LD_PRELOAD is taken out of the environment once we are here: a child of
 * another architecture, such as the shell of a test, could not load us.
 */
#include "sim.h"
#include "../lib/opens.h"
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * PowerPC's device tree, in which QEMU looks for the CPU's clocks: what is below
 * KVM_SIM_DEVICE_TREE instead, where that is set.
 */
static const char *moved(const char *path, char *buffer, size_t size)
{
    static const char tree[] = "/proc/device-tree/";
    const char *to = getenv("KVM_SIM_DEVICE_TREE");

    if (!to || !path || strncmp(path, tree, strlen(tree))) {
        return path;
    }
    snprintf(buffer, size, "%s/%s", to, path + strlen(tree));
    return buffer;
}

static int do_open(int dir, const char *path, int flags, int mode)
{
    char buffer[512];
    int fd;

    if (path && is_kvm_path(path)) {
        return sim_open(flags);
    }
    if (path && is_cpuinfo(path)) {
        return sim_open_cpuinfo();
    }
    fd = path ? cpus_open(path) : -2;
    if (fd != -2) {
        return fd;
    }
    return syscall(SYS_openat, dir, moved(path, buffer, sizeof(buffer)), flags,
                   mode);
}

static FILE *do_fopen(const char *name, const char *path, const char *mode)
{
    FILE *(*real)(const char *, const char *) = dlsym(RTLD_NEXT, name);
    char buffer[512];

    return is_cpuinfo(path) ? fdopen(sim_open_cpuinfo(), mode) :
           real(moved(path, buffer, sizeof(buffer)), mode);
}

FILE *fopen(const char *path, const char *mode)
{
    return do_fopen("fopen", path, mode);
}

FILE *fopen64(const char *path, const char *mode);

FILE *fopen64(const char *path, const char *mode)
{
    return do_fopen("fopen64", path, mode);
}

DIR *opendir(const char *path)
{
    DIR *(*real)(const char *) = dlsym(RTLD_NEXT, "opendir");
    char buffer[512];

    return real(moved(path, buffer, sizeof(buffer)));
}

/*
 * qemu_open() and others ask access() or stat() now and then; there is no such
 * file on most machines that run this.
 */
int access(const char *path, int mode)
{
    if (is_kvm_path(path)) {
        return 0;
    }
    return syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set)
{
    int (*real)(pthread_t, size_t, cpu_set_t *) = dlsym(RTLD_NEXT, "pthread_getaffinity_np");

    return cpus_affinity(size, set) ? 0 : real(thread, size, set);
}

int close(int fd)
{
    sim_closed(fd);
    return syscall(SYS_close, fd);
}

static int duplicated(int from, int to)
{
    if (to >= 0 && !sim_duplicated(from, to)) {
        syscall(SYS_close, to);
        errno = EMFILE;
        return -1;
    }
    return to;
}

int dup(int fd)
{
    return duplicated(fd, syscall(SYS_dup, fd));
}

int dup3(int from, int to, int flags)
{
    sim_closed(to);
    return duplicated(from, syscall(SYS_dup3, from, to, flags));
}

int dup2(int from, int to)
{
    return from == to ? to : dup3(from, to, 0);
}

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64       /* 32-bit machines */
#else
#define FCNTL SYS_fcntl
#endif

static int do_fcntl(int fd, int what, void *arg)
{
    int ret = syscall(FCNTL, fd, what, arg);

    return what == F_DUPFD || what == F_DUPFD_CLOEXEC ? duplicated(fd, ret)
                                                      : ret;
}

#define ARGUMENT(last) ({                                       \
        va_list ap_;                                            \
        void *arg_;                                             \
        va_start(ap_, last);                                    \
        arg_ = va_arg(ap_, void *);                             \
        va_end(ap_);                                            \
        arg_;                                                   \
    })

int fcntl64(int fd, int what, ...);

int fcntl64(int fd, int what, ...)
{
    return do_fcntl(fd, what, ARGUMENT(what));
}

/* struct flock with 32-bit offsets is the same call to us: no KVM has locks. */
int fcntl(int fd, int what, ...)
{
    return do_fcntl(fd, what, ARGUMENT(what));
}

int ioctl(int fd, unsigned long request, ...)
{
    void *arg = ARGUMENT(request);

    if (sim_owns(fd)) {
        return sim_ioctl(fd, request, arg);
    }
    return syscall(SYS_ioctl, fd, request, arg);
}

/*
 * What blocks were asked for, so that a buffer that is too short for what a
 * call means is seen: the last ones of each thread, with the size asked for
 * (malloc_usable_size() has it rounded up).
 */
#define RECENT 64
static __thread __attribute__((tls_model("initial-exec"))) struct {
    void *p;
    size_t size;
} recent[RECENT];
static __thread __attribute__((tls_model("initial-exec"))) unsigned newest;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static void *allocated(void *p, size_t size)
{
    newest = (newest + 1) % RECENT;
    recent[newest].p = p;
    recent[newest].size = size;
    return p;
}

void *malloc(size_t size)
{
    return allocated(__libc_malloc(size), size);
}

void *calloc(size_t n, size_t size)
{
    return allocated(__libc_calloc(n, size), n * size);
}

void *realloc(void *p, size_t size)
{
    return allocated(__libc_realloc(p, size), size);
}

size_t allocated_size(uint64_t p)
{
    for (unsigned i = 0; i < RECENT; i++) {
        unsigned n = (newest + RECENT - i) % RECENT;

        if (recent[n].p && (uintptr_t)recent[n].p == p) {
            return recent[n].size;
        }
    }
    return 0;
}
