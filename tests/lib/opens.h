/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C library's functions that open a file, for LD_PRELOAD: all go to do_open(), which
 * who includes this has. To be included once.
 */
#include <fcntl.h>
#include <stdarg.h>

#ifndef __O_TMPFILE
#define __O_TMPFILE 020000000
#endif

static int do_open(int dir, const char *path, int flags, int mode);

#define MODE(flags) ({                                          \
        int mode_ = 0;                                          \
        if ((flags) & (O_CREAT | __O_TMPFILE)) {                \
            va_list ap_;                                        \
            va_start(ap_, flags);                               \
            mode_ = va_arg(ap_, int);                           \
            va_end(ap_);                                        \
        }                                                       \
        mode_;                                                  \
    })

#define OPEN_LIKE(name, extra)                                  \
    int name(const char *path, int flags, ...)                  \
    {                                                           \
        return do_open(AT_FDCWD, path, flags | (extra), MODE(flags)); \
    }
#define OPENAT_LIKE(name, extra)                                \
    int name(int dir, const char *path, int flags, ...)         \
    {                                                           \
        return do_open(dir, path, flags | (extra), MODE(flags)); \
    }

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
int openat(int dir, const char *path, int flags, ...);
int openat64(int dir, const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

OPEN_LIKE(open, 0)
OPEN_LIKE(open64, O_LARGEFILE)
OPENAT_LIKE(openat, 0)
OPENAT_LIKE(openat64, O_LARGEFILE)

int __open_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags | O_LARGEFILE, 0);
}
