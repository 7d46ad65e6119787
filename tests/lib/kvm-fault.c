// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A KVM that fails as it is told: for LD_PRELOAD, on arm64 and powerpc. KVM_FAULT
 * has rules, with spaces between them; the first one that fits a call decides:
 *
 *   CALL[/ABOUT][@N[+]]=ANSWER
 *
 * CALL    KVM_CREATE_VM and the like, see calls[]
 * ABOUT   only for this capability (a number), this group of a device's
 *         attributes, or this register: as the Arm ARM writes it, S3_0_C0_C0_0
 * @N      only the Nth time that CALL[/ABOUT] is called, from 1 on; with "+"
 *         each later time as well
 * ANSWER  EPERM and the like: the call fails so, and the kernel never sees it.
 *         A number: it is put over what the kernel filled in (a register's
 *         value, the target, the length of the list, each of the masks), or,
 *         where that is nothing, returned without asking the kernel.
 *
 * A rule that was used is added to the file KVM_FAULT_USED, a line each time.
 * While the file KVM_FAULT_IF is not there, calls are neither counted nor fail.
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.7; headers may be older */
#define GET_REG_WRITABLE_MASKS _IOC(_IOC_READ, KVMIO, 0xb6, 64)
#define MASKS 192

#define CALL(name) { #name, name }
static const struct {
    const char *name;
    unsigned long request;
} calls[] = {
#ifdef __aarch64__
    CALL(KVM_ARM_PREFERRED_TARGET),
    CALL(KVM_ARM_VCPU_INIT),
    { "KVM_ARM_GET_REG_WRITABLE_MASKS", GET_REG_WRITABLE_MASKS },
#endif
#ifdef __powerpc__
    CALL(KVM_DIRTY_TLB),
    CALL(KVM_PPC_GET_PVINFO),
#endif
    CALL(KVM_CHECK_EXTENSION),
    CALL(KVM_CREATE_DEVICE),
    CALL(KVM_CREATE_VCPU),
    CALL(KVM_CREATE_VM),
    CALL(KVM_ENABLE_CAP),
    CALL(KVM_GET_DEVICE_ATTR),
    CALL(KVM_GET_ONE_REG),
    CALL(KVM_GET_REGS),
    CALL(KVM_GET_REG_LIST),
    CALL(KVM_GET_SREGS),
    CALL(KVM_GET_VCPU_MMAP_SIZE),
    CALL(KVM_INTERRUPT),
    CALL(KVM_IRQ_LINE),
    CALL(KVM_RUN),
    CALL(KVM_SET_DEVICE_ATTR),
    CALL(KVM_SET_GSI_ROUTING),
    CALL(KVM_SET_ONE_REG),
    CALL(KVM_SET_REGS),
    CALL(KVM_SET_SIGNAL_MASK),
    CALL(KVM_SET_SREGS),
    CALL(KVM_SET_USER_MEMORY_REGION),
};

static struct rule {
    char *text;
    unsigned long request;
    bool all;           /* whatever it is about */
    uint64_t about;
    unsigned first, last;
    int error;          /* errno, or 0 */
    uint64_t value;
    unsigned count;
} rules[8];

static unsigned long call_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (!strcmp(name, calls[i].name)) {
            return calls[i].request;
        }
    }
    errx(2, "KVM_FAULT: no call '%s'", name);
}

static int error_by_name(const char *name)
{
    for (int i = 1; i < 4096; i++) {
        const char *known = strerrorname_np(i);

        if (known && !strcmp(name, known)) {
            return i;
        }
    }
    errx(2, "KVM_FAULT: no error '%s'", name);
}

/* The number that @text is, to its end */
static uint64_t number(const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 0);

    if (!*text || *end) {
        errx(2, "KVM_FAULT: no number: '%s'", text);
    }
    return n;
}

static uint64_t parse_about(const char *text)
{
#ifdef __aarch64__
    unsigned op0, op1, crn, crm, op2;

    if (sscanf(text, "S%u_%u_C%u_C%u_%u", &op0, &op1, &crn, &crm, &op2) == 5) {
        return ARM64_SYS_REG(op0, op1, crn, crm, op2);
    }
#endif
    return number(text);
}

static void parse(char *text, struct rule *rule)
{
    char *answer, *when, *about;

    rule->text = strdup(text);
    answer = strchr(text, '=');
    if (!answer) {
        errx(2, "KVM_FAULT: no '=' in '%s'", text);
    }
    *answer++ = 0;
    if (*answer == 'E') {
        rule->error = error_by_name(answer);
    } else {
        rule->value = number(answer);
    }

    rule->first = 1;
    rule->last = UINT32_MAX;
    when = strchr(text, '@');
    if (when) {
        char *plus = strchr(when, '+');

        *when++ = 0;
        if (plus) {
            *plus = 0;
        }
        rule->first = number(when);
        rule->last = plus ? UINT32_MAX : rule->first;
    }

    about = strchr(text, '/');
    rule->all = !about;
    if (about) {
        *about++ = 0;
        rule->about = parse_about(about);
    }
    rule->request = call_by_name(text);
}

static void __attribute__((constructor)) parse_all(void)
{
    char *all = strdup(getenv("KVM_FAULT") ?: ""), *save;
    size_t n = 0;

    for (char *text = strtok_r(all, " ", &save); text;
         text = strtok_r(NULL, " ", &save)) {
        if (n == sizeof(rules) / sizeof(rules[0])) {
            errx(2, "KVM_FAULT: more than %zu rules", n);
        }
        parse(text, &rules[n++]);
    }
    free(all);
}

static void note(const struct rule *rule)
{
    const char *name = getenv("KVM_FAULT_USED");
    int fd = name ? open(name, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;

    if (fd >= 0) {
        dprintf(fd, "%s\n", rule->text);
        close(fd);
    }
}

static uint64_t what_about(unsigned long request, void *arg)
{
    switch (request) {
    case KVM_CHECK_EXTENSION:
        return (uint32_t)(uintptr_t)arg;
    case KVM_ENABLE_CAP:
        return ((struct kvm_enable_cap *)arg)->cap;
    case KVM_GET_ONE_REG:
    case KVM_SET_ONE_REG:
        return ((struct kvm_one_reg *)arg)->id;
    case KVM_GET_DEVICE_ATTR:
    case KVM_SET_DEVICE_ATTR:
        return ((struct kvm_device_attr *)arg)->group;
    }
    return 0;
}

static int kernels_ioctl(int fd, unsigned long request, void *arg)
{
    return syscall(SYS_ioctl, fd, request, arg);
}

/* The low bits of the @size bytes at @to become @value, as far as there is room */
static void put_low(char *to, size_t size, uint64_t value)
{
    size_t n = size < sizeof(value) ? size : sizeof(value);
    const char *from = (const char *)&value;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    to += size - n;
    from += sizeof(value) - n;
#endif
    memcpy(to, from, n);
}

/* What the call returns to have @value as its answer, as ANSWER above says */
static int answer(int fd, unsigned long request, void *arg, uint64_t value)
{
    struct kvm_one_reg *one = arg;
    size_t size;
    int ret;

    switch (request) {
#ifdef __aarch64__
    case KVM_ARM_PREFERRED_TARGET:
        ret = kernels_ioctl(fd, request, arg);
        ((struct kvm_vcpu_init *)arg)->target = value;
        return ret;
#endif
    case KVM_GET_ONE_REG:
        ret = kernels_ioctl(fd, request, arg);
        size = 1 << ((one->id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
        put_low((void *)(uintptr_t)one->addr, size, value);
        return ret;
    case KVM_GET_REG_LIST:
        ret = kernels_ioctl(fd, request, arg);
        ((struct kvm_reg_list *)arg)->n = value;
        return ret;
#ifdef __aarch64__
    case GET_REG_WRITABLE_MASKS:
        ret = kernels_ioctl(fd, request, arg);
        for (int i = 0; i < MASKS; i++) {
            (*(uint64_t **)arg)[i] = value;     /* struct reg_mask_range.addr */
        }
        return ret;
#endif
    }
    return value;
}

static bool fits(struct rule *rule, unsigned long request, void *arg)
{
    const char *only_if = getenv("KVM_FAULT_IF");
    unsigned n;

    if (!rule->text || request != rule->request ||
        (!rule->all && rule->about != what_about(request, arg)) ||
        (only_if && access(only_if, F_OK))) {
        return false;
    }
    n = __atomic_add_fetch(&rule->count, 1, __ATOMIC_RELAXED);
    return n >= rule->first && n <= rule->last;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *arg;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct rule *rule = &rules[i];

        if (!fits(rule, request, arg)) {
            continue;
        }
        note(rule);
        if (rule->error) {
            errno = rule->error;
            return -1;
        }
        return answer(fd, request, arg, rule->value);
    }
    return kernels_ioctl(fd, request, arg);
}
