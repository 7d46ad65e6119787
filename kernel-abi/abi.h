/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How kernel-abi/ says what the series needs of the kernel's headers.
 * Each line is a statement that the compiler checks; one that is wrong, and a
 * name that is missing, are errors that name it. The values are the kernel's
 * ABI, which does not change: Documentation/virt/kvm/api.rst, and the headers
 * of Linux 6.1, 6.12 and 7.3, which all were compared with this.
 */
#ifndef LINUX_HEADERS_ABI_H
#define LINUX_HEADERS_ABI_H

#include <linux/kvm.h>

/* NAME is that value. Hexadecimal is for masks and for register ids. */
#define VALUE(name, value) \
    _Static_assert((name) == (value), #name " is not " #value)

/* NAME is that ioctl: N, R, W or WR; its number; the size of its argument. */
#define IOCTL(name, direction, number, size) \
    _Static_assert((name) == (((unsigned)IOCTL_##direction << IOCTL_SHIFT) | \
                              (size) << 16 | 0xae << 8 | (number)), \
                   #name " is not ioctl " #number " (" #direction ") with an argument of " #size " bytes")

/* TYPE is of that size, and has FIELD at that offset with that size. */
#define SIZE(type, size) \
    _Static_assert(sizeof(type) == (size), #type " is not of " #size " bytes")
#define FIELD(type, field, offset, size) \
    _Static_assert(__builtin_offsetof(type, field) == (offset) && \
                   sizeof(((type *)0)->field) == (size), \
                   #type " has " #field " not at offset " #offset " with " #size " bytes")

/* NAME may be missing: the release that brought it, and what is done without. */
#define WITHOUT(name, since, what) PRAGMA(message(#name " (Linux " since "): without it, " what))
#define PRAGMA(x) _Pragma(#x)

/* include/uapi/asm-generic/ioctl.h; arch/powerpc/include/uapi/asm/ioctl.h */
#ifdef __powerpc__
#define IOCTL_SHIFT 29
#define IOCTL_N 1
#define IOCTL_R 2
#define IOCTL_W 4
#else
#define IOCTL_SHIFT 30
#define IOCTL_N 0
#define IOCTL_R 2
#define IOCTL_W 1
#endif
#define IOCTL_WR (IOCTL_W | IOCTL_R)

#endif
