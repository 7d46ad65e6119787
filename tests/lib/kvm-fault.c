// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A KVM that fails as KVM_FAULT says: for LD_PRELOAD, on arm64 and powerpc, where there
 * is a real one. Is built with faults.c. docs/testing.md has the rules.
 */
#define _GNU_SOURCE
#include "faults.h"
#include "opens.h"
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void __attribute__((constructor)) start(void)
{
    faults_load("kvm-fault", "KVM_FAULT");
}

static int do_open(int dir, const char *path, int flags, int mode)
{
    const struct fault *f = path && !strcmp(path, "/dev/kvm") ? fault_for(OPEN, 0, NULL) : NULL;

    if (f) {
        errno = f->error;
        return -1;
    }
    return syscall(SYS_openat, dir, path, flags, mode);
}

#ifdef __aarch64__
#define NO_SUCH_REG ENOENT      /* what Linux says */

/* Takes what is gone out of the list that the kernel has made. */
static void without_gone(struct kvm_reg_list *list)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < list->n; i++) {
        if (!fault_gone(list->reg[i])) {
            list->reg[n++] = list->reg[i];
        }
    }
    list->n = n;
}
#else
#define NO_SUCH_REG EINVAL
#endif

static int kernels_ioctl(int fd, unsigned long request, void *arg)
{
    int ret;

    switch ((uint32_t)request) {
    case (uint32_t)KVM_GET_ONE_REG:
    case (uint32_t)KVM_SET_ONE_REG:
        if (fault_gone(((struct kvm_one_reg *)arg)->id)) {
            errno = NO_SUCH_REG;
            return -1;
        }
    }
    ret = syscall(SYS_ioctl, fd, request, arg);
#ifdef __aarch64__
    if ((uint32_t)request == (uint32_t)KVM_GET_REG_LIST && !ret) {
        without_gone(arg);
    }
#endif
    return ret;
}

int ioctl(int fd, unsigned long request, ...)
{
    const struct fault *f;
    va_list ap;
    void *arg;
    int ret;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);

    f = fault_for(request, (uintptr_t)arg, arg);
    if (!f) {
        return kernels_ioctl(fd, request, arg);
    }
    if (f->error) {
        errno = f->error;
        return -1;
    }
    if (f->call->fills == FILLS_NOTHING) {
        return f->value;
    }
    ret = kernels_ioctl(fd, request, arg);
    if (!ret || errno != EFAULT) {
        fault_put(f, arg);
    }
    return ret;
}
