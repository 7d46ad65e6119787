// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "faults.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Headers may be older than these: Linux 6.7 and 6.8 */
#define GET_REG_WRITABLE_MASKS _IOC(_IOC_READ, KVMIO, 0xb6, 64)
#define SET_USER_MEMORY_REGION2 _IOC(_IOC_WRITE, KVMIO, 0x49, 160)
#define MASKS 192

#ifdef __aarch64__
#define ARCH "arm64"
#else
#define ARCH "powerpc"
#endif

#define CALL(name, about, fills) { #name, name, ABOUT_##about, FILLS_##fills }
const struct fault_call fault_calls[] = {
    { "open", OPEN, ABOUT_NOTHING, FILLS_NOTHING },
#ifdef __aarch64__
    CALL(KVM_ARM_PREFERRED_TARGET, NOTHING, WORD),
    CALL(KVM_ARM_VCPU_FINALIZE, NOTHING, NOTHING),
    CALL(KVM_ARM_VCPU_INIT, NOTHING, NOTHING),
    { "KVM_ARM_GET_REG_WRITABLE_MASKS", GET_REG_WRITABLE_MASKS, ABOUT_NOTHING, FILLS_MASKS },
    CALL(KVM_CREATE_IRQCHIP, NOTHING, NOTHING),
    CALL(KVM_GET_REG_LIST, NOTHING, COUNT),
    CALL(KVM_GET_VCPU_EVENTS, NOTHING, WORD),
    CALL(KVM_SET_VCPU_EVENTS, NOTHING, NOTHING),
#else
    CALL(KVM_DIRTY_TLB, NOTHING, NOTHING),
    CALL(KVM_GET_FPU, NOTHING, WORD),
    CALL(KVM_GET_REGS, NOTHING, WORD),
    CALL(KVM_GET_SREGS, NOTHING, WORD),
    CALL(KVM_INTERRUPT, NOTHING, NOTHING),
    CALL(KVM_IRQ_LINE_STATUS, NOTHING, WORD),
    CALL(KVM_PPC_GET_PVINFO, NOTHING, NOTHING),
    CALL(KVM_SET_FPU, NOTHING, NOTHING),
    CALL(KVM_SET_REGS, NOTHING, NOTHING),
    CALL(KVM_SET_SREGS, NOTHING, NOTHING),
    CALL(KVM_TRANSLATE, NOTHING, WORD),
#endif
    CALL(KVM_CHECK_EXTENSION, NUMBER, NOTHING),
    CALL(KVM_CLEAR_DIRTY_LOG, NOTHING, NOTHING),
    CALL(KVM_CREATE_DEVICE, NUMBER, NOTHING),
    CALL(KVM_CREATE_VCPU, NUMBER, NOTHING),
    CALL(KVM_CREATE_VM, NOTHING, NOTHING),
    CALL(KVM_ENABLE_CAP, NUMBER, NOTHING),
    CALL(KVM_GET_API_VERSION, NOTHING, NOTHING),
    CALL(KVM_GET_DEVICE_ATTR, ATTR, NOTHING),
    CALL(KVM_GET_DIRTY_LOG, NOTHING, NOTHING),
    CALL(KVM_GET_MP_STATE, NOTHING, WORD),
    CALL(KVM_GET_ONE_REG, REG, REG),
    CALL(KVM_GET_STATS_FD, NOTHING, NOTHING),
    CALL(KVM_GET_VCPU_MMAP_SIZE, NOTHING, NOTHING),
    CALL(KVM_HAS_DEVICE_ATTR, ATTR, NOTHING),
    CALL(KVM_IOEVENTFD, NOTHING, NOTHING),
    CALL(KVM_IRQFD, NOTHING, NOTHING),
    CALL(KVM_IRQ_LINE, NOTHING, NOTHING),
    CALL(KVM_REGISTER_COALESCED_MMIO, NOTHING, NOTHING),
    CALL(KVM_RUN, NOTHING, NOTHING),
    CALL(KVM_SET_DEVICE_ATTR, ATTR, NOTHING),
    CALL(KVM_SET_GSI_ROUTING, NOTHING, NOTHING),
    CALL(KVM_SET_GUEST_DEBUG, NOTHING, NOTHING),
    CALL(KVM_SET_MP_STATE, NOTHING, NOTHING),
    CALL(KVM_SET_ONE_REG, REG, NOTHING),
    CALL(KVM_SET_SIGNAL_MASK, NOTHING, NOTHING),
    CALL(KVM_SET_USER_MEMORY_REGION, NOTHING, NOTHING),
    { "KVM_SET_USER_MEMORY_REGION2", SET_USER_MEMORY_REGION2, ABOUT_NOTHING, FILLS_NOTHING },
    CALL(KVM_SIGNAL_MSI, NOTHING, NOTHING),
    CALL(KVM_UNREGISTER_COALESCED_MMIO, NOTHING, NOTHING),
    { }
};

static struct fault faults[16];
static size_t n_faults;
static const char *program, *variable, *used, *only_if;

int error_by_name(const char *name)
{
    for (int i = 1; i < 4096; i++) {
        const char *known = strerrorname_np(i);

        if (known && !strcmp(name, known)) {
            return i;
        }
    }
    return 0;
}

bool parse_number(const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 0);
    return *text && !*end && !errno;
}

bool parse_reg_id(const char *text, uint64_t *id)
{
#ifdef __aarch64__
    unsigned op0, op1, crn, crm, op2;
    int n = 0;

    if (sscanf(text, "S%u_%u_C%u_C%u_%u%n", &op0, &op1, &crn, &crm, &op2, &n) == 5 &&
        !text[n] && op0 < 4 && op1 < 8 && crn < 16 && crm < 16 && op2 < 8) {
        *id = ARM64_SYS_REG(op0, op1, crn, crm, op2);
        return true;
    }
#endif
    return parse_number(text, id);
}

static void __attribute__((noreturn, format(printf, 1, 2))) bad(const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    dprintf(2, "%s: %s: %s\n", program, variable, text);
    _exit(2);
}

#define bad_rule(f, format, ...) \
    bad("'%s': " format "; docs/testing.md has the rules: CALL[/ABOUT][@N[+]]=ANSWER", \
        (f)->text, ##__VA_ARGS__)

/* A rule has no sign, and no blanks. */
static bool plain_number(const char *text, uint64_t *number)
{
    return isdigit((unsigned char)*text) && parse_number(text, number);
}

static void parse_about(struct fault *f, char *about)
{
    char *attr = f->call->about == ABOUT_ATTR ? strchr(about, ':') : NULL;

    if (f->call->about == ABOUT_NOTHING) {
        bad_rule(f, "%s is about nothing that could be named", f->call->name);
    }
    f->abouts = 1;
    if (attr) {
        *attr++ = 0;
        f->abouts = 2;
        if (!plain_number(attr, &f->about[1])) {
            bad_rule(f, "'%s' is no attribute", attr);
        }
    }
    if (f->call->about == ABOUT_REG) {
        if (*about == '-' || !parse_reg_id(about, &f->about[0])) {
            bad_rule(f, "'%s' is no number and no register", about);
        }
    } else if (!plain_number(about, &f->about[0])) {
        bad_rule(f, "'%s' is no number", about);
    }
}

static void parse_rule(char *text, struct fault *f)
{
    char *answer, *when, *about;
    uint64_t n;

    f->text = strdup(text);
    answer = strchr(text, '=');
    if (!answer) {
        bad_rule(f, "no '='");
    }
    *answer++ = 0;
    when = strchr(text, '@');
    if (when) {
        *when++ = 0;
    }
    about = strchr(text, '/');
    if (about) {
        *about++ = 0;
    }

    for (f->call = fault_calls; f->call->name && strcmp(f->call->name, text); f->call++) {
        /* the next one */
    }
    if (!f->call->name) {
        bad_rule(f, "no call '%s' on " ARCH, text);
    }
    if (about) {
        parse_about(f, about);
    }

    f->first = 1;
    f->last = UINT32_MAX;
    if (when) {
        size_t end = strlen(when);
        bool plus = end && when[end - 1] == '+';

        if (plus) {
            when[end - 1] = 0;
        }
        if (!plain_number(when, &n) || !n || n > UINT32_MAX) {
            bad_rule(f, "'%s' is no count from 1 on", when);
        }
        f->first = n;
        f->last = plus ? UINT32_MAX : n;
    }

    f->gone = !strcmp(answer, "gone");
    if (f->gone && (when || !f->abouts || f->call->about != ABOUT_REG)) {
        bad_rule(f, "'gone' is for a register, at all times");
    }
    f->error = f->gone ? 0 : error_by_name(answer);
    if (!f->gone && !f->error &&
        (f->call->request == OPEN || !plain_number(answer, &f->value) ||
         (f->call->fills == FILLS_NOTHING && f->value > INT_MAX))) {
        bad_rule(f, "'%s' is no answer to that", answer);
    }
}

void faults_load(const char *for_program, const char *of)
{
    char *text = strdup(getenv(of) ?: ""), *save, name[64];

    program = for_program;
    variable = of;
    for (char *rule = strtok_r(text, " ", &save); rule; rule = strtok_r(NULL, " ", &save)) {
        if (n_faults == sizeof(faults) / sizeof(faults[0])) {
            bad("more than %zu rules; name fewer", n_faults);
        }
        parse_rule(rule, &faults[n_faults++]);
    }
    free(text);
    snprintf(name, sizeof(name), "%s_IF", variable);
    only_if = getenv(name);
    snprintf(name, sizeof(name), "%s_USED", variable);
    used = getenv(name);
    if (used) {
        int fd = open(used, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

        if (fd < 0) {
            bad("%s is %s: %s; name a file that can be written", name, used, strerror(errno));
        }
        close(fd);
    }
}

/* Opened for each line, so that the program has no descriptor more. */
static void note_used(const struct fault *f)
{
    int fd = used ? open(used, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

    if (fd >= 0) {
        dprintf(fd, "%s\n", f->text);
        close(fd);
    }
}

unsigned fault_about(unsigned long request, uintptr_t arg, const void *in, uint64_t about[2])
{
    switch ((uint32_t)request) {
    case (uint32_t)KVM_CHECK_EXTENSION:
    case (uint32_t)KVM_CREATE_VCPU:
        about[0] = (uint32_t)arg;
        return 1;
    case (uint32_t)KVM_ENABLE_CAP:
        about[0] = ((const struct kvm_enable_cap *)in)->cap;
        return 1;
    case (uint32_t)KVM_GET_ONE_REG:
    case (uint32_t)KVM_SET_ONE_REG:
        about[0] = ((const struct kvm_one_reg *)in)->id;
        return 1;
    case (uint32_t)KVM_CREATE_DEVICE:
        about[0] = ((const struct kvm_create_device *)in)->type;
        return 1;
    case (uint32_t)KVM_SET_DEVICE_ATTR:
    case (uint32_t)KVM_GET_DEVICE_ATTR:
    case (uint32_t)KVM_HAS_DEVICE_ATTR:
        about[0] = ((const struct kvm_device_attr *)in)->group;
        about[1] = ((const struct kvm_device_attr *)in)->attr;
        return 2;
    }
    return 0;
}

static bool holds_now(void)
{
    return !only_if || !access(only_if, F_OK);
}

const struct fault *fault_for(unsigned long request, uintptr_t arg, const void *in)
{
    uint64_t about[2];

    if (!n_faults || !holds_now()) {
        return NULL;
    }
    for (struct fault *f = faults; f < faults + n_faults; f++) {
        unsigned n;

        if (f->gone || (uint32_t)f->call->request != (uint32_t)request) {
            continue;
        }
        if (f->abouts) {
            fault_about(request, arg, in, about);
            if (memcmp(about, f->about, f->abouts * sizeof(about[0]))) {
                continue;
            }
        }
        n = __atomic_add_fetch(&f->count, 1, __ATOMIC_RELAXED);
        if (n >= f->first && n <= f->last) {
            note_used(f);
            return f;
        }
    }
    return NULL;
}

bool fault_gone(uint64_t id)
{
    for (struct fault *f = faults; f < faults + n_faults; f++) {
        if (f->gone && f->about[0] == id && holds_now()) {
            if (!__atomic_fetch_add(&f->count, 1, __ATOMIC_RELAXED)) {
                note_used(f);
            }
            return true;
        }
    }
    return false;
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

void fault_put(const struct fault *f, void *in)
{
    struct kvm_one_reg *one = in;

    switch (f->call->fills) {
    case FILLS_NOTHING:
        break;
    case FILLS_WORD:
        put_low(in, 4, f->value);
        break;
    case FILLS_COUNT:
        put_low(in, 8, f->value);
        break;
    case FILLS_REG:
        put_low((void *)(uintptr_t)one->addr,
                1 << ((one->id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT), f->value);
        break;
    case FILLS_MASKS:
        for (int i = 0; i < MASKS; i++) {
            /* struct reg_mask_range begins with the address */
            (*(uint64_t **)in)[i] = f->value;
        }
        break;
    }
}
