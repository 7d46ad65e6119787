// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks /dev/kvm hundreds of questions, on arm64 and BookE PowerPC, and prints
 * an answer on each line, "question: answer". No guest instruction runs. The
 * answers of a kernel and of its simulation (tests/kvm-sim) have to be equal.
 *
 *   kvm-abi-probe            the answers
 *   kvm-abi-probe --profile NAME
 *                            what tests/kvm-sim/profiles/ holds: this host as a
 *                            profile for the simulation
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CAPS 256
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096

static int kvm;
static bool profile;
static char *memory;            /* for memory slots */

/* A call's outcome in a word: "ok", a number, or the errno's name */
static const char *word(long ret)
{
    static char text[4][24];
    static int n;
    const char *name;

    n = (n + 1) % 4;
    if (ret >= 0) {
        snprintf(text[n], sizeof(text[n]), ret ? "%ld" : "ok", ret);
        return text[n];
    }
    name = strerrorname_np(errno);
    return name && errno == EOPNOTSUPP ? "EOPNOTSUPP" : name ?: "unknown";
}

/* The same where the number is a descriptor, which is closed */
static const char *fd_word(int fd)
{
    const char *w = word(fd < 0 ? fd : 0);

    if (fd >= 0) {
        close(fd);
    }
    return w;
}

static void __attribute__((format(printf, 2, 3)))
answer(const char *answer, const char *format, ...)
{
    va_list ap;

    if (profile) {
        return;
    }
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf(": %s\n", answer);
}

static void __attribute__((format(printf, 1, 2))) line(const char *format, ...)
{
    va_list ap;

    if (profile) {
        va_start(ap, format);
        vprintf(format, ap);
        va_end(ap);
        putchar('\n');
    }
}

static const char *hex(uint64_t value)
{
    static char text[4][24];
    static int n;

    n = (n + 1) % 4;
    snprintf(text[n], sizeof(text[n]), "0x%llx", (unsigned long long)value);
    return text[n];
}

static void ask_caps(void)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);

    for (int i = 0; i < CAPS; i++) {
        int host = ioctl(kvm, KVM_CHECK_EXTENSION, i);
        int here = ioctl(vm, KVM_CHECK_EXTENSION, i);

        answer(word(host), "capability %d", i);
        answer(word(here), "capability %d of a VM", i);
        if (host) {
            line("cap %d %d", i, host);
        }
        if (here != host) {
            line("vmcap %d %d", i, here);
        }
    }
    close(vm);
}

static const char *enable(int fd, uint32_t cap, uint32_t flags, uint64_t arg)
{
    struct kvm_enable_cap e = { .cap = cap, .flags = flags, .args = { arg } };

    return word(ioctl(fd, KVM_ENABLE_CAP, &e));
}

static const char *slot(int vm, uint32_t id, uint32_t flags, uint64_t gpa,
                        uint64_t size, void *at)
{
    struct kvm_userspace_memory_region m = {
        .slot = id, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
        .userspace_addr = (uintptr_t)at,
    };

    return word(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &m));
}

static void ask_common(void)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu;
    struct kvm_create_device device;
    struct kvm_dirty_log log = { .slot = 1 };
    static uint64_t bitmap[64];
    void *run;

    answer(word(ioctl(kvm, KVM_GET_API_VERSION, 0)), "KVM_GET_API_VERSION");
    answer(word(ioctl(kvm, KVM_GET_API_VERSION, 1)), "KVM_GET_API_VERSION of 1");
    answer(word(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)), "KVM_GET_VCPU_MMAP_SIZE");
    line("mmap %d", ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
    answer(fd_word(ioctl(kvm, KVM_CREATE_VM, ~0ul)), "KVM_CREATE_VM of type -1");
    answer(word(ioctl(kvm, KVM_CREATE_VCPU, 0)), "KVM_CREATE_VCPU on /dev/kvm");
    answer(word(ioctl(vm, KVM_GET_VCPU_MMAP_SIZE, 0)), "KVM_GET_VCPU_MMAP_SIZE on a VM");

    answer(slot(vm, 0, 0, 0, 16 * PAGE, memory), "a memory slot");
    answer(slot(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, 64 * PAGE, 16 * PAGE,
                memory + 16 * PAGE), "a memory slot with a log");
    answer(slot(vm, 2, 0, 8 * PAGE, PAGE, memory), "a memory slot that overlaps");
    answer(slot(vm, 2, 0, 32 * PAGE, PAGE / 2, memory), "half a page");
    answer(slot(vm, 2, 0, 32 * PAGE + 1, PAGE, memory), "an odd address");
    answer(slot(vm, 2, 0, 32 * PAGE, PAGE, memory + 1), "odd memory");
    answer(slot(vm, 2, 0x100, 32 * PAGE, PAGE, memory), "unknown flags");
    answer(slot(vm, 2, KVM_MEM_READONLY, 32 * PAGE, PAGE, memory), "a read-only slot");
    answer(slot(vm, 0, 0, 0, 8 * PAGE, memory), "another size");
    answer(slot(vm, 0, 0, 0, 16 * PAGE, memory + PAGE), "other memory");
    answer(slot(vm, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, 16 * PAGE, memory), "a log later");
    answer(slot(vm, 9, 0, 0, 0, memory), "removing a slot that is not there");
    answer(slot(vm, 0, 0, 0, 0, memory), "removing a slot");
    log.dirty_bitmap = bitmap;
    answer(word(ioctl(vm, KVM_GET_DIRTY_LOG, &log)), "KVM_GET_DIRTY_LOG");
    log.slot = 7;
    answer(word(ioctl(vm, KVM_GET_DIRTY_LOG, &log)), "KVM_GET_DIRTY_LOG of no slot");

    for (int type = 0; type < 16; type++) {
        device = (struct kvm_create_device) {
            .type = type, .flags = KVM_CREATE_DEVICE_TEST,
        };
        answer(word(ioctl(vm, KVM_CREATE_DEVICE, &device)), "device %d", type);
        if (!ioctl(vm, KVM_CREATE_DEVICE, &device)) {
            line("device %d", type);
        }
    }
    answer(enable(vm, 9999, 0, 0), "KVM_ENABLE_CAP of 9999 on a VM");

    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    answer(word(vcpu < 0 ? vcpu : 0), "KVM_CREATE_VCPU");
    answer(fd_word(ioctl(vm, KVM_CREATE_VCPU, 0)), "the same again");
    answer(fd_word(ioctl(vm, KVM_CREATE_VCPU, 100000)), "number 100000");
    answer(word(ioctl(vcpu, KVM_CHECK_EXTENSION, 0)), "KVM_CHECK_EXTENSION on a vCPU");
    run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
               MAP_SHARED, vcpu, 0);
    answer(run == MAP_FAILED ? "fails" : "ok", "mmap of a vCPU");
    answer(word(ioctl(vcpu, KVM_RUN, 1)), "KVM_RUN of 1");
    close(vcpu);
    close(vm);
}

#ifdef __aarch64__

#define REG(op0, op1, crn, crm, op2) \
    (ARM64_SYS_REG(op0, op1, crn, crm, op2))
#define PSCI (1u << KVM_ARM_VCPU_PSCI_0_2)
#define PMU (1u << KVM_ARM_VCPU_PMU_V3)
#define SVE (1u << KVM_ARM_VCPU_SVE)
#define BITS32 (1u << KVM_ARM_VCPU_EL1_32BIT)
#define CAP_IMP_ID_REGS 239
#define GET_MASKS _IOC(_IOC_READ, KVMIO, 0xb6, 64)
#define MAX_REGS 2048
#define MIDR REG(3, 0, 0, 0, 0)
#define PC 0x6030000000100040

struct vcpu {
    int vm, fd;
    uint32_t target;
};

static void vcpu_close(struct vcpu *v)
{
    close(v->fd);
    close(v->vm);
}

static int init_vcpu(int fd, uint32_t target, uint32_t features)
{
    struct kvm_vcpu_init init = { .target = target, .features = { features } };

    return ioctl(fd, KVM_ARM_VCPU_INIT, &init);
}

/* A VM of the usual kind with one vCPU, not initialised */
static struct vcpu new_vcpu(void)
{
    int ipa = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    struct vcpu v = { .vm = ioctl(kvm, KVM_CREATE_VM, ipa > 0 ? ipa : 0) };
    struct kvm_vcpu_init init = { };

    v.fd = ioctl(v.vm, KVM_CREATE_VCPU, 0);
    ioctl(v.vm, KVM_ARM_PREFERRED_TARGET, &init);
    v.target = init.target;
    return v;
}

static int try_init(uint32_t target, uint32_t features)
{
    struct vcpu v = new_vcpu();
    int ret = init_vcpu(v.fd, target, features), error = errno;

    vcpu_close(&v);
    errno = error;
    return ret;
}

static int reg_size(uint64_t id)
{
    return 1 << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

static int get(int vcpu, uint64_t id, void *value)
{
    struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)value };

    return ioctl(vcpu, KVM_GET_ONE_REG, &one);
}

static int set(int vcpu, uint64_t id, const void *value)
{
    struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)value };

    return ioctl(vcpu, KVM_SET_ONE_REG, &one);
}

static int set64(int vcpu, uint64_t id, uint64_t value)
{
    uint64_t v[32] = { value };

    return set(vcpu, id, v);
}

static uint64_t get64(int vcpu, uint64_t id)
{
    uint64_t v[32] = { 0 };

    get(vcpu, id, v);
    return v[0];
}

/* A register as the kernel has it */
struct reg {
    uint64_t id, value[32];
    char how[200];              /* as in a profile */
    bool ticks, vcpu_id, imp, hidden;
};

static bool is_id_reg(uint64_t id)
{
    return (id & ~0x3full) == REG(3, 0, 0, 0, 0);
}

/* Set and clear are one word, and what a write does to it is the kernel's release's. */
static const struct { uint64_t set, clear; const char *name; } pairs[] = {
    { REG(3, 0, 9, 14, 1), REG(3, 0, 9, 14, 2), "PMINTEN" },
    { REG(3, 3, 9, 12, 1), REG(3, 3, 9, 12, 2), "PMCNTEN" },
    { REG(3, 3, 9, 14, 3), REG(3, 3, 9, 12, 3), "PMOVS" },
};

/* Whether it is a view of such a word, which has these bits then */
static bool set_pair(int vcpu, uint64_t id, uint64_t bits)
{
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        if (id == pairs[i].set || id == pairs[i].clear) {
            set64(vcpu, pairs[i].clear, UINT64_MAX);
            set64(vcpu, pairs[i].set, bits);
            return true;
        }
    }
    return false;
}

/* What each four bits accept, in hexadecimal; the number of values but ours */
static int fields(int vcpu, uint64_t id, uint64_t old, char *text)
{
    int accepted = 0;

    for (int i = 0; i < 16; i++) {
        unsigned ok = 0;

        for (unsigned n = 0; n < 16; n++) {
            uint64_t new = (old & ~(0xfull << 4 * i)) | (uint64_t)n << 4 * i;

            if (8 * reg_size(id) <= 4 * i ? !n : new == old) {
                ok |= 1 << n;
            } else if (8 * reg_size(id) > 4 * i && !set64(vcpu, id, new)) {
                ok |= 1 << n;
                accepted++;
                set64(vcpu, id, old);
            }
        }
        text += sprintf(text, " 0x%04x", ok);
    }
    return accepted;
}

static void classify(int vcpu, struct reg *r)
{
    unsigned group = r->id >> 16 & 0xfff;
    uint64_t again[32], ones, zeros;
    char list[160];
    int size = reg_size(r->id), same, all, none;

    if (get(vcpu, r->id, r->value)) {
        sprintf(r->how, "wo %s", word(-1));
        return;
    }
    memset(again, 0, sizeof(again));
    get(vcpu, r->id, again);
    r->ticks = memcmp(again, r->value, sizeof(again));
    memcpy(again, r->value, sizeof(again));
    same = set(vcpu, r->id, again);
    if (same) {
        sprintf(r->how, "ro %s", word(-1));
        return;
    }
    if (r->ticks || size > 16 || group == 0x15) {
        strcpy(r->how, "rw 0xffffffffffffffff");
        return;
    }
    /* Identification, firmware, PSTATE: values that have to make sense */
    if (is_id_reg(r->id) || group == 0x14 || group == 0x16 || group == 0x11 ||
        r->id == REG(3, 3, 0, 0, 1) || r->id == REG(3, 1, 0, 0, 1) ||
        r->id == 0x6030000000100042) {
        if (fields(vcpu, r->id, r->value[0], list)) {
            sprintf(r->how, "fields%s", list);
            return;
        }
    }
    if (set_pair(vcpu, r->id, UINT64_MAX)) {
        sprintf(r->how, "rw 0x%llx", (unsigned long long)get64(vcpu, r->id));
        set_pair(vcpu, r->id, r->value[0]);
        return;
    }
    memset(again, 0xff, sizeof(again));
    all = set(vcpu, r->id, again);
    if (all) {
        sprintf(r->how, "same %s", word(-1));
    }
    ones = get64(vcpu, r->id);
    none = set64(vcpu, r->id, 0);
    if (!all && none) {
        sprintf(r->how, "same %s", word(-1));
    }
    zeros = get64(vcpu, r->id);
    set(vcpu, r->id, r->value);
    if (all || none) {
        if (size <= 8 && fields(vcpu, r->id, r->value[0], list)) {
            sprintf(r->how, "fields%s", list);
        }
        return;
    }
    if (ones == zeros) {
        strcpy(r->how, "keep");
    } else {
        sprintf(r->how, "rw 0x%llx", (unsigned long long)(ones ^ zeros));
    }
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static const struct reg *find(const struct reg *regs, int n, uint64_t id)
{
    for (int i = 0; i < n; i++) {
        if (regs[i].id == id) {
            return &regs[i];
        }
    }
    return NULL;
}

/*
 * The registers of a vCPU with @features; their number, or -1. What has the
 * value that it has in @base is taken to be written like there: to try all
 * fields of all registers takes minutes on some hosts.
 */
static int read_regs(uint32_t features, struct reg *regs, const struct reg *base,
                     int n_base)
{
    static uint64_t list[MAX_REGS + 1];
    struct vcpu v = new_vcpu(), w;
    int sve = KVM_ARM_VCPU_SVE, n, other = ioctl(v.vm, KVM_CREATE_VCPU, 1);

    if (init_vcpu(v.fd, v.target, features) || init_vcpu(other, v.target, features)) {
        close(other);
        vcpu_close(&v);
        return -1;
    }
    /* A VM whose identification can be written, with a vCPU of its own */
    w.vm = ioctl(kvm, KVM_CREATE_VM, 0);
    enable(w.vm, CAP_IMP_ID_REGS, 0, 0);
    w.fd = ioctl(w.vm, KVM_CREATE_VCPU, 0);
    init_vcpu(w.fd, v.target, features);
    if (features & SVE) {
        ioctl(v.fd, KVM_ARM_VCPU_FINALIZE, &sve);
        ioctl(other, KVM_ARM_VCPU_FINALIZE, &sve);
        ioctl(w.fd, KVM_ARM_VCPU_FINALIZE, &sve);
    }
    list[0] = MAX_REGS;
    ioctl(v.fd, KVM_GET_REG_LIST, list);
    n = list[0];
    qsort(list + 1, n, sizeof(list[0]), by_id);
    for (int i = 0; i < n; i++) {
        uint64_t there;
        const struct reg *known = find(base, n_base, list[i + 1]);

        if (known && get64(v.fd, known->id) == known->value[0]) {
            regs[i] = *known;
            continue;
        }
        memset(&regs[i], 0, sizeof(regs[i]));
        regs[i].id = list[i + 1];
        classify(v.fd, &regs[i]);
        regs[i].vcpu_id = regs[i].id == REG(3, 0, 0, 0, 5);
        if (reg_size(regs[i].id) == 8 && !(regs[i].id & 0x38) && is_id_reg(regs[i].id)) {
            there = get64(w.fd, regs[i].id);
            regs[i].imp = !strncmp(regs[i].how, "same", 4) &&
                          !set64(w.fd, regs[i].id, there ^ 0x10);
        }
    }
    close(other);
    vcpu_close(&v);
    vcpu_close(&w);
    return n;
}

static void reg_line(const struct reg *r, uint32_t only_with)
{
    char condition[24] = "", value[48];

    if (only_with) {
        sprintf(condition, " if 0x%x", only_with);
    }
    if (r->value[1]) {
        sprintf(value, "0x%llx,0x%llx", (unsigned long long)r->value[0],
                (unsigned long long)r->value[1]);
    } else {
        /* what counts would be another number each time */
        sprintf(value, "0x%llx", r->ticks ? 0 : (unsigned long long)r->value[0]);
    }
    line("reg 0x%llx %s%s %s%s%s%s", (unsigned long long)r->id, value, condition, r->how,
         r->imp ? " imp" : "", r->vcpu_id ? " vcpu" : "", r->ticks ? " ticks" : "");
}

static bool same_reg(const struct reg *a, const struct reg *b)
{
    return a->id == b->id && (a->ticks || !memcmp(a->value, b->value, 16)) &&
           !strcmp(a->how, b->how) && a->imp == b->imp;
}

static void ask_regs(void)
{
    static const uint32_t extra[] = {
        0, 1u << KVM_ARM_VCPU_PMU_V3, SVE, 3u << KVM_ARM_VCPU_PTRAUTH_ADDRESS, BITS32,
    };
    static struct reg base[MAX_REGS], regs[MAX_REGS];
    int n_base = 0;

    for (size_t e = 0; e < ARRAY_SIZE(extra); e++) {
        int n = read_regs(PSCI | extra[e], regs, base, n_base), b = 0;

        answer(word(n), "registers with features 0x%x", PSCI | extra[e]);
        if (n < 0) {
            continue;
        }
        for (int i = 0; i < n; i++) {
            struct reg *r = &regs[i];

            if (e) {            /* only what these features change */
                while (b < n_base && base[b].id < r->id) {
                    answer("gone", "register 0x%llx with features 0x%x",
                           (unsigned long long)base[b].id, extra[e]);
                    line("noreg 0x%llx if 0x%x", (unsigned long long)base[b++].id, extra[e]);
                }
                if (b < n_base && same_reg(&base[b], r)) {
                    b++;
                    continue;
                }
                b += b < n_base && base[b].id == r->id;
            }
            answer(r->ticks ? "counts" : hex(r->value[0]), "register 0x%llx with features 0x%x",
                   (unsigned long long)r->id, extra[e]);
            answer(r->how, "register 0x%llx with features 0x%x, written",
                   (unsigned long long)r->id, extra[e]);
            if (!(r->id & 0x38) && is_id_reg(r->id)) {
                answer(r->imp ? "yes" : "no", "register 0x%llx with features 0x%x, free with "
                       "KVM_CAP_ARM_WRITABLE_IMP_ID_REGS", (unsigned long long)r->id, extra[e]);
            }
            reg_line(r, extra[e]);
        }
        if (!e) {
            memcpy(base, regs, sizeof(base));
            n_base = n;
        }
    }
}

static void ask_targets(void)
{
    static const uint32_t combinations[] = {
        PSCI | BITS32, BITS32 | SVE, 3u << 5, BITS32 | 3u << 5, PSCI | 1u << 3,
    };
    struct vcpu v = new_vcpu();
    struct kvm_vcpu_init init = { .target = 99 };
    int ret = ioctl(v.vm, KVM_ARM_PREFERRED_TARGET, &init), vcpu1;
    uint32_t good = 0, known = 0;

    answer(word(ret), "KVM_ARM_PREFERRED_TARGET");
    answer(word(init.target), "the preferred target");
    if (!ret) {
        line("preferred %u", init.target);
    }
    vcpu_close(&v);
    if (profile) {
        printf("targets");
    }
    for (int t = 0; t < 12; t++) {
        int r = try_init(t, 0);

        answer(word(r), "target %d", t);
        if (profile && !r) {
            printf(" %d", t);
        }
    }
    if (profile) {
        putchar('\n');
    }
    answer(word(try_init(UINT32_MAX, 0)), "target -1");
    for (int b = 0; b < 32; b++) {
        int r = try_init(v.target, 1u << b);

        answer(word(r), "feature %d", b);
        known |= r && errno == ENOENT ? 0 : 1u << b;
        good |= r ? 0 : 1u << b;
    }
    good |= try_init(v.target, 3u << 5) ? 0 : 3u << 5;
    line("features 0x%x 0x%x", good, known);
    line("only64 0x%x", (try_init(v.target, BITS32 | SVE) ? SVE : 0) |
         (try_init(v.target, BITS32 | 3u << 5) ? 3u << 5 : 0));
    for (size_t i = 0; i < ARRAY_SIZE(combinations); i++) {
        answer(word(try_init(v.target, combinations[i])), "features 0x%x", combinations[i]);
    }

    v = new_vcpu();
    init = (struct kvm_vcpu_init) { .target = v.target, .features = { 0, 1 } };
    answer(word(ioctl(v.fd, KVM_ARM_VCPU_INIT, &init)), "feature 32");
    answer(word(init_vcpu(v.fd, v.target, PSCI)), "first KVM_ARM_VCPU_INIT");
    answer(word(init_vcpu(v.fd, v.target, PSCI)), "the same again");
    answer(word(init_vcpu(v.fd, v.target, 0)), "with other features");
    answer(word(init_vcpu(v.fd, v.target == 5 ? 2 : 5, PSCI)), "with another target");
    answer(word(init_vcpu(v.fd, v.target, PSCI | 1)), "with POWER_OFF");
    vcpu1 = ioctl(v.vm, KVM_CREATE_VCPU, 1);
    answer(word(init_vcpu(vcpu1, v.target, PSCI | BITS32)), "a 32-bit vCPU beside a 64-bit one");
    answer(word(init_vcpu(vcpu1, v.target, 0)), "a vCPU with less features than the first");
    close(vcpu1);
    vcpu_close(&v);
}

static void ask_order(void)
{
    struct vcpu v = new_vcpu();
    uint64_t list[2] = { 1 }, value[32] = { 0 };
    int sve = KVM_ARM_VCPU_SVE, ret;
    struct kvm_mp_state mp = { 0 };
    struct kvm_vcpu_events events = { };
    struct kvm_one_reg one = { .id = PC };
    struct kvm_irq_level irq = { .irq = 1 << 24 | 40, .level = 1 };

    answer(word(get(v.fd, PC, value)), "PC before KVM_ARM_VCPU_INIT");
    answer(word(set(v.fd, PC, value)), "PC, written, before KVM_ARM_VCPU_INIT");
    answer(word(ioctl(v.fd, KVM_GET_REG_LIST, list)), "KVM_GET_REG_LIST before KVM_ARM_VCPU_INIT");
    answer(word(ioctl(v.fd, KVM_RUN, 0)), "KVM_RUN before KVM_ARM_VCPU_INIT");
    answer(word(ioctl(v.fd, KVM_ARM_VCPU_FINALIZE, &sve)), "KVM_ARM_VCPU_FINALIZE before KVM_ARM_VCPU_INIT");
    answer(word(ioctl(v.fd, KVM_GET_VCPU_EVENTS, &events)), "KVM_GET_VCPU_EVENTS before KVM_ARM_VCPU_INIT");
    init_vcpu(v.fd, v.target, PSCI);
    list[0] = 1;
    answer(word(ioctl(v.fd, KVM_GET_REG_LIST, list)), "KVM_GET_REG_LIST of one register");
    answer(word(get(v.fd, 0x6030000000130000 | 0xffff, value)), "a system register that is none");
    answer(word(get(v.fd, 0x2030000000100040, value)), "PC of x86");
    answer(word(get(v.fd, 0x6080000000100040, value)), "PC of 256 bytes");
    answer(word(get(v.fd, 0x6020000000100040, value)), "PC of 4 bytes");
    answer(word(ioctl(v.fd, KVM_GET_ONE_REG, &one)), "PC to address 0");
    answer(word(ioctl(v.fd, KVM_GET_ONE_REG, NULL)), "KVM_GET_ONE_REG of nothing");
    answer(word(ioctl(v.fd, KVM_ARM_VCPU_FINALIZE, &sve)), "KVM_ARM_VCPU_FINALIZE without SVE");
    answer(word(ioctl(v.fd, KVM_GET_MP_STATE, &mp)), "KVM_GET_MP_STATE");
    answer(hex(mp.mp_state), "the MP state");
    mp.mp_state = KVM_MP_STATE_STOPPED;
    answer(word(ioctl(v.fd, KVM_SET_MP_STATE, &mp)), "KVM_SET_MP_STATE stopped");
    ioctl(v.fd, KVM_GET_MP_STATE, &mp);
    answer(hex(mp.mp_state), "the MP state then");
    mp.mp_state = 77;
    answer(word(ioctl(v.fd, KVM_SET_MP_STATE, &mp)), "KVM_SET_MP_STATE 77");
    answer(word(ioctl(v.fd, KVM_GET_VCPU_EVENTS, &events)), "KVM_GET_VCPU_EVENTS");
    answer(word(ioctl(v.fd, KVM_SET_VCPU_EVENTS, &events)), "KVM_SET_VCPU_EVENTS");
    events.reserved[0] = 1;
    answer(word(ioctl(v.fd, KVM_SET_VCPU_EVENTS, &events)), "KVM_SET_VCPU_EVENTS with a reserved field");
    answer(word(ioctl(v.vm, KVM_IRQ_LINE, &irq)), "KVM_IRQ_LINE without a vGIC");

    /* A register keeps what was written until the next KVM_ARM_VCPU_INIT */
    set64(v.fd, PC, 0x1234);
    answer(hex(get64(v.fd, PC)), "PC that was written");
    set64(v.fd, REG(3, 0, 1, 0, 0), get64(v.fd, REG(3, 0, 1, 0, 0)) ^ 1);
    ret = init_vcpu(v.fd, v.target, PSCI);
    answer(hex(get64(v.fd, PC)), "PC after KVM_ARM_VCPU_INIT (%d)", ret);
    answer(hex(get64(v.fd, REG(3, 0, 1, 0, 0))), "SCTLR_EL1 after KVM_ARM_VCPU_INIT");
    mp.mp_state = 77;
    init_vcpu(v.fd, v.target, PSCI | 1);
    ioctl(v.fd, KVM_GET_MP_STATE, &mp);
    answer(hex(mp.mp_state), "the MP state with POWER_OFF");
    answer(enable(v.vm, CAP_IMP_ID_REGS, 0, 0), "WRITABLE_IMP_ID_REGS after a vCPU");
    answer(enable(v.vm, KVM_CAP_ARM_MTE, 0, 0), "MTE after a vCPU");
    answer(enable(v.vm, KVM_CAP_ARM_NISV_TO_USER, 1, 0), "NISV_TO_USER with flags");
    answer(enable(v.vm, KVM_CAP_ARM_NISV_TO_USER, 0, 0), "NISV_TO_USER");
    answer(enable(v.vm, 168, 0, 1), "MANUAL_DIRTY_LOG_PROTECT2");
    answer(enable(v.vm, 168, 0, 0x100), "MANUAL_DIRTY_LOG_PROTECT2 with unknown bits");
    vcpu_close(&v);

    v = new_vcpu();
    if (!init_vcpu(v.fd, v.target, PSCI | SVE)) {
        list[0] = 0;
        answer(word(ioctl(v.fd, KVM_GET_REG_LIST, list)), "KVM_GET_REG_LIST before SVE is final");
        answer(word(get(v.fd, 0x606000000015ffff, value)), "SVE_VLS");
        answer(word(get(v.fd, 0x6080000000150000, value)), "Z0 before SVE is final");
        answer(word(ioctl(v.fd, KVM_RUN, 0)), "KVM_RUN before SVE is final");
        for (int vls = 0; vls < 9; vls++) {
            uint64_t lengths[8] = { vls };

            answer(word(set(v.fd, 0x606000000015ffff, lengths)), "SVE_VLS %d", vls);
        }
        set(v.fd, 0x606000000015ffff, value);
        answer(word(ioctl(v.fd, KVM_ARM_VCPU_FINALIZE, &sve)), "KVM_ARM_VCPU_FINALIZE");
        answer(word(ioctl(v.fd, KVM_ARM_VCPU_FINALIZE, &sve)), "the same again");
        answer(word(set(v.fd, 0x606000000015ffff, value)), "SVE_VLS, written, when SVE is final");
        answer(word(get(v.fd, 0x6080000000150000, value)), "Z0 when SVE is final");
    }
    vcpu_close(&v);
}

static void ask_masks(void)
{
    static uint64_t masks[192];
    struct { uint64_t addr; uint32_t range, reserved[13]; } m = {
        .addr = (uintptr_t)masks,
    };
    struct vcpu v = new_vcpu();
    int ret = ioctl(v.vm, GET_MASKS, &m);

    answer(word(ret), "KVM_ARM_GET_REG_WRITABLE_MASKS");
    if (!ret) {
        line("masks");
        for (int i = 0; i < 192; i++) {
            answer(hex(masks[i]), "writable mask %d", i);
            if (masks[i]) {
                line("idmask %d 0x%llx", i, (unsigned long long)masks[i]);
            }
        }
    }
    m.range = 1;
    answer(word(ioctl(v.vm, GET_MASKS, &m)), "KVM_ARM_GET_REG_WRITABLE_MASKS of range 1");
    m.range = 0;
    m.reserved[3] = 1;
    answer(word(ioctl(v.vm, GET_MASKS, &m)), "KVM_ARM_GET_REG_WRITABLE_MASKS, reserved field");
    vcpu_close(&v);
}

static int attr(int fd, unsigned long request, uint32_t group, uint64_t number,
                void *value)
{
    struct kvm_device_attr a = {
        .group = group, .attr = number, .addr = (uintptr_t)value,
    };

    return ioctl(fd, request, &a);
}

static void ask_vcpu_attrs(void)
{
    struct vcpu v = new_vcpu();
    uint64_t value = 0;
    int irq = 23;

    init_vcpu(v.fd, v.target, PSCI | 1u << KVM_ARM_VCPU_PMU_V3);
    for (int group = 0; group < 4; group++) {
        for (int n = 0; n < 3; n++) {
            answer(word(attr(v.fd, KVM_HAS_DEVICE_ATTR, group, n, NULL)),
                   "vCPU attribute %d:%d", group, n);
        }
    }
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 0, 1, &irq)), "PMU initialised before its interrupt and the vGIC");
    answer(word(attr(v.fd, KVM_GET_DEVICE_ATTR, 1, 0, &irq)), "virtual timer's interrupt");
    answer(word(irq), "which is");
    irq = 99;
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 1, 0, &irq)), "virtual timer's interrupt 99");
    value = 1;
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 2, 0, &value)), "steal time at an odd address");
    vcpu_close(&v);
}

static void ask_vgic(void)
{
    static const struct { uint32_t group; uint64_t attr; } regs[] = {
        { 1, 0 }, { 1, 4 }, { 1, 8 }, { 1, 0xffe8 }, { 1, 0x100 }, { 1, 0x104 },
        { 1, 0x420 }, { 1, 0xc08 }, { 1, 0x6100 }, { 1, 0x6104 },
        { 5, 0 }, { 5, 4 }, { 5, 8 }, { 5, 0xc }, { 5, 0x14 }, { 5, 0x70 }, { 5, 0x78 },
        { 5, 0xffe8 }, { 5, 0x10080 }, { 5, 0x10100 }, { 5, 0x10400 }, { 5, 0x10c00 },
        { 5, 0x10c04 },
    };
    static const uint16_t sysregs[] = {
        0xc230, 0xc643, 0xc644, 0xc645, 0xc646, 0xc647, 0xc648, 0xc649, 0xc64a,
        0xc64b, 0xc663, 0xc664, 0xc665, 0xc666, 0xc667, 0xc000, 0xc660,
    };
    struct vcpu v = new_vcpu();
    struct kvm_create_device d = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
    struct kvm_irq_level irq = { .irq = 1 << 24 | 40, .level = 1 };
    uint64_t value = 0, base = 0x8000000;
    int gic, its, n;

    init_vcpu(v.fd, v.target, PSCI | 1u << KVM_ARM_VCPU_PMU_V3);
    if (ioctl(v.vm, KVM_CREATE_DEVICE, &d)) {
        answer(word(-1), "a vGIC");
        vcpu_close(&v);
        return;
    }
    gic = d.fd;
    answer(word(ioctl(v.vm, KVM_CREATE_DEVICE, &d)), "a second vGIC");
    for (int group = 0; group < 10; group++) {
        for (int a = 0; a < 8; a++) {
            if (group == 3 || a % 4 == 0 || group == 0 || group == 4) {
                answer(word(attr(gic, KVM_HAS_DEVICE_ATTR, group, a, NULL)),
                       "vGIC attribute %d:%d", group, a);
            }
        }
    }
    answer(word(attr(gic, KVM_GET_DEVICE_ATTR, 1, 4, &value)), "GICD_TYPER before the vGIC is initialised");
    n = 33;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 3, 0, &n)), "33 interrupts");
    n = 288;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 3, 0, &n)), "288 interrupts");
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 3, 0, &n)), "288 interrupts again");
    value = 0x8000001;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 0, 2, &value)), "distributor at an odd address");
    value = 1ull << 52;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 0, 2, &value)), "distributor behind the end");
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 0, 2, &base)), "distributor");
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 0, 2, &base)), "distributor again");
    base = 0x80a0000;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 0, 3, &base)), "redistributors");
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 4, 9, NULL)), "control 9");
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 4, 0, NULL)), "vGIC initialised");
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 4, 0, NULL)), "vGIC initialised again");
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 3, 0, &n)), "288 interrupts when it is initialised");
    answer(fd_word(ioctl(v.vm, KVM_CREATE_VCPU, 1)), "a vCPU after the vGIC is initialised");
    for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
        uint32_t v32 = 0;
        int ret = attr(gic, KVM_GET_DEVICE_ATTR, regs[i].group, regs[i].attr, &v32);

        answer(ret ? word(ret) : hex(v32), "vGIC register %u:%s", regs[i].group, hex(regs[i].attr));
        if (!ret && v32) {
            line("attr %u 0x%llx 0x%x", regs[i].group, (unsigned long long)regs[i].attr, v32);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(sysregs); i++) {
        int ret = attr(gic, KVM_GET_DEVICE_ATTR, 6, sysregs[i], &value);

        answer(ret ? word(ret) : hex(value), "vGIC system register 0x%x", sysregs[i]);
        if (!ret) {
            line("attr 6 0x%x 0x%llx", sysregs[i], (unsigned long long)value);
        }
    }
    /* What is written reads back; set and clear are two views of one register */
    n = 0xf0;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 1, 0x104, &n)), "GICD_ISENABLER1, written");
    n = 0x30;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 1, 0x184, &n)), "GICD_ICENABLER1, written");
    attr(gic, KVM_GET_DEVICE_ATTR, 1, 0x104, &n);
    answer(hex(n), "GICD_ISENABLER1, read");
    attr(gic, KVM_GET_DEVICE_ATTR, 1, 0x184, &n);
    answer(hex(n), "GICD_ICENABLER1, read");
    n = 5;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 1, 0x204, &n)), "GICD_ISPENDR1, written");
    attr(gic, KVM_GET_DEVICE_ATTR, 1, 0x204, &n);
    answer(hex(n), "GICD_ISPENDR1, read");
    n = 0x12345678;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 1, 8, &n)), "GICD_IIDR, written");
    answer(word(attr(gic, KVM_GET_DEVICE_ATTR, 5, 7ull << 32, &n)), "a redistributor that is not there");
    answer(word(attr(gic, KVM_GET_DEVICE_ATTR, 1, 2, &n)), "half a register");
    answer(word(ioctl(v.vm, KVM_IRQ_LINE, &irq)), "interrupt 40");
    irq.irq = 1 << 24 | 5;
    answer(word(ioctl(v.vm, KVM_IRQ_LINE, &irq)), "shared interrupt 5");
    irq.irq = 1 << 24 | 900;
    answer(word(ioctl(v.vm, KVM_IRQ_LINE, &irq)), "shared interrupt 900");
    irq.irq = 2 << 24 | 27;
    answer(word(ioctl(v.vm, KVM_IRQ_LINE, &irq)), "private interrupt 27");
    irq.irq = 2 << 24 | 40;
    answer(word(ioctl(v.vm, KVM_IRQ_LINE, &irq)), "private interrupt 40");
    irq.irq = 2 << 24 | 9 << 16 | 27;
    answer(word(ioctl(v.vm, KVM_IRQ_LINE, &irq)), "private interrupt of vCPU 9");
    n = 23;
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 0, 1, NULL)), "PMU initialised before its interrupt");
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 0, 0, &n)), "the PMU's interrupt");
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 0, 0, &n)), "the PMU's interrupt again");
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 0, 1, NULL)), "PMU initialised");
    answer(word(attr(v.fd, KVM_SET_DEVICE_ATTR, 0, 1, NULL)), "PMU initialised again");

    d.type = KVM_DEV_TYPE_ARM_VGIC_ITS;
    if (!ioctl(v.vm, KVM_CREATE_DEVICE, &d)) {
        its = d.fd;
        for (int a = 0; a < 6; a++) {
            answer(word(attr(its, KVM_HAS_DEVICE_ATTR, 0, a, NULL)), "ITS address %d", a);
            answer(word(attr(its, KVM_HAS_DEVICE_ATTR, 4, a, NULL)), "ITS control %d", a);
        }
        answer(word(attr(its, KVM_GET_DEVICE_ATTR, 8, 0, &value)), "GITS_CTLR before it has an address");
        base = 0x8080000;
        answer(word(attr(its, KVM_SET_DEVICE_ATTR, 0, 4, &base)), "the ITS's address");
        answer(word(attr(its, KVM_SET_DEVICE_ATTR, 0, 4, &base)), "the ITS's address again");
        answer(word(attr(its, KVM_SET_DEVICE_ATTR, 4, 0, NULL)), "ITS initialised");
        for (uint64_t a = 0; a < 0x140; a += a < 16 ? 4 : 8) {
            if (a < 16 || (a >= 0x80 && a < 0x98) || a >= 0x100) {
                int ret = attr(its, KVM_GET_DEVICE_ATTR, 8, a, &value);

                answer(ret ? word(ret) : hex(value), "ITS register %s", hex(a));
                if (!ret && value) {
                    line("attr 8 0x%llx 0x%llx", (unsigned long long)a, (unsigned long long)value);
                }
            }
        }
        close(its);
    }
    close(gic);
    vcpu_close(&v);
}

/* --- round trips: what is written to all registers, of two vCPUs, reads as what then? */

#define CNTVCT REG(3, 3, 14, 3, 2)
#define CNTPCT REG(3, 3, 14, 0, 1)
#define PFR0 REG(3, 0, 0, 4, 0)
#define PFR1 REG(3, 0, 0, 1, 1)

/* A number for each register of each vCPU */
static uint64_t number(uint64_t what, int vcpu)
{
    uint64_t x = (what ^ (uint64_t)vcpu << 57) * 0x9e3779b97f4a7c15;

    return x ^ x >> 31;
}

/* A VM with two vCPUs of these features, or false */
static bool two_vcpus(struct vcpu *v, int *other, uint32_t features)
{
    int sve = KVM_ARM_VCPU_SVE;

    *v = new_vcpu();
    *other = ioctl(v->vm, KVM_CREATE_VCPU, 1);
    if (init_vcpu(v->fd, v->target, features) || init_vcpu(*other, v->target, features)) {
        close(*other);
        vcpu_close(v);
        return false;
    }
    if (features & SVE) {
        ioctl(v->fd, KVM_ARM_VCPU_FINALIZE, &sve);
        ioctl(*other, KVM_ARM_VCPU_FINALIZE, &sve);
    }
    return true;
}

/* Writes another value, and if that is refused, one of which one bit differs */
static void write_another(int vcpu, uint64_t id, int n)
{
    uint64_t value[32], old[32] = { 0 };

    for (int i = 0; i < 32; i++) {
        value[i] = number(id + i, n);
    }
    if (!set(vcpu, id, value) || get(vcpu, id, old)) {
        return;
    }
    for (int i = 0; i < 8 * reg_size(id) && i < 64; i++) {
        memcpy(value, old, sizeof(value));
        value[0] ^= 1ull << (i + n) % 64;
        if (!set(vcpu, id, value)) {
            return;
        }
    }
}

static void show(int vcpu, uint64_t id, const char *when)
{
    uint64_t value[32] = { 0 };
    char text[600] = "0x", *t = text + 2;
    int ret = get(vcpu, id, value), words = (reg_size(id) + 7) / 8;

    for (int i = words; i--; ) {
        t += sprintf(t, "%0*llx", i == words - 1 ? 1 : 16, (unsigned long long)value[i]);
    }
    answer(ret ? word(ret) : text, "register 0x%llx %s", (unsigned long long)id, when);
}

static void ask_round_trip(uint32_t features)
{
    static uint64_t list[MAX_REGS + 1];
    struct vcpu v;
    int other;
    char when[64];

    if (!two_vcpus(&v, &other, features)) {
        return;
    }
    list[0] = MAX_REGS;
    ioctl(v.fd, KVM_GET_REG_LIST, list);
    qsort(list + 1, list[0], sizeof(list[0]), by_id);
    for (int n = 0; n < 2; n++) {
        for (uint64_t i = 1; i <= list[0]; i++) {
            /* what these say shapes the PMU's registers */
            if ((features & PMU) && (list[i] == PFR0 || list[i] == REG(3, 0, 0, 5, 0))) {
                continue;
            }
            if (list[i] != CNTVCT && list[i] != CNTPCT) {
                write_another(n ? other : v.fd, list[i], n);
            }
        }
    }
    for (int step = 0; step < 2; step++) {
        for (int n = 0; n < 2; n++) {
            sprintf(when, "of vCPU %d with features 0x%x, %s", n, features,
                    step ? "after vCPU 0's KVM_ARM_VCPU_INIT" : "once all are written");
            for (uint64_t i = 1; i <= list[0]; i++) {
                if (list[i] != CNTVCT && list[i] != CNTPCT) {
                    show(n ? other : v.fd, list[i], when);
                }
            }
        }
        init_vcpu(v.fd, v.target, features);
    }
    close(other);
    vcpu_close(&v);
}

/* A counter is the VM's, and goes on from what was written. */
static void ask_counter(uint64_t id, const char *name)
{
    const uint64_t start = 1ull << 44;
    struct vcpu v;
    int other;

    if (!two_vcpus(&v, &other, PSCI)) {
        return;
    }
    answer(word(set64(other, id, start)), "%s, written", name);
    for (int n = 0; n < 2; n++) {
        uint64_t now = get64(n ? other : v.fd, id);

        answer(now - start < 1ull << 36 ? "goes on from that" : "does not", "%s of vCPU %d", name, n);
    }
    close(other);
    vcpu_close(&v);
}

static void show_events(int vcpu, const char *what)
{
    struct kvm_vcpu_events e = { };
    int ret = ioctl(vcpu, KVM_GET_VCPU_EVENTS, &e);

    answer(ret ? word(ret) : hex(e.exception.serror_pending | e.exception.serror_has_esr << 4 |
                                 e.exception.ext_dabt_pending << 8), "events of %s", what);
    answer(hex(e.exception.serror_esr), "syndrome of %s", what);
}

static void ask_events(void)
{
    struct kvm_vcpu_events e = { .exception = { .serror_pending = 1 } };
    struct vcpu v;
    int other;

    if (!two_vcpus(&v, &other, PSCI)) {
        return;
    }
    show_events(v.fd, "a new vCPU");
    answer(word(ioctl(v.fd, KVM_SET_VCPU_EVENTS, &e)), "an SError");
    show_events(v.fd, "vCPU 0 with an SError");
    show_events(other, "vCPU 1 beside that");
    e.exception.serror_has_esr = 1;
    e.exception.serror_esr = 0x123;
    answer(word(ioctl(other, KVM_SET_VCPU_EVENTS, &e)), "an SError with a syndrome");
    show_events(other, "vCPU 1 with an SError with a syndrome");
    e.exception.serror_esr = 1ull << 40;
    answer(word(ioctl(other, KVM_SET_VCPU_EVENTS, &e)), "an SError with a syndrome that is none");
    memset(&e, 0, sizeof(e));
    answer(word(ioctl(v.fd, KVM_SET_VCPU_EVENTS, &e)), "no SError");
    show_events(v.fd, "vCPU 0 with no SError after one");
    init_vcpu(v.fd, v.target, PSCI);
    show_events(v.fd, "vCPU 0 after KVM_ARM_VCPU_INIT");
    show_events(other, "vCPU 1 after vCPU 0's KVM_ARM_VCPU_INIT");
    close(other);
    vcpu_close(&v);
}

static void show_gic_fields(int vcpu, int other, const char *when)
{
    for (int n = 0; n < 2; n++) {
        answer(hex(get64(n ? other : vcpu, PFR0)), "ID_AA64PFR0_EL1 of vCPU %d %s", n, when);
        answer(hex(get64(n ? other : vcpu, PFR1)), "ID_PFR1_EL1 of vCPU %d %s", n, when);
    }
}

/* Identification is the VM's, and says whether there is a GIC. */
static void ask_gic_fields(void)
{
    struct kvm_create_device d = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
    struct vcpu v;
    struct kvm_run *run;
    int other;

    if (!two_vcpus(&v, &other, PSCI)) {
        return;
    }
    show_gic_fields(v.fd, other, "of a new VM");
    answer(word(set64(other, PFR0, get64(other, PFR0) & ~(0xfull << 24))), "a GIC that is taken away");
    answer(word(set64(other, PFR1, get64(other, PFR1) & ~(0xfull << 28))), "from AArch32, too");
    show_gic_fields(v.fd, other, "then");
    answer(word(ioctl(v.vm, KVM_CREATE_DEVICE, &d)), "a vGIC");
    show_gic_fields(v.fd, other, "with a vGIC");
    close(d.fd);
    close(other);
    vcpu_close(&v);

    two_vcpus(&v, &other, PSCI);
    run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v.fd, 0);
    run->immediate_exit = 1;
    answer(word(ioctl(v.fd, KVM_RUN, 0)), "KVM_RUN without a vGIC");
    show_gic_fields(v.fd, other, "once one ran without a vGIC");
    answer(word(set64(other, PFR0, get64(other, PFR0))), "the same ID_AA64PFR0_EL1 then");
    answer(word(set64(other, PFR0, get64(other, PFR0) ^ 1ull << 56)), "another ID_AA64PFR0_EL1 then");
    answer(word(set64(other, REG(3, 3, 0, 0, 1), get64(other, REG(3, 3, 0, 0, 1)))), "CTR_EL0 then");
    munmap(run, PAGE);
    close(other);
    vcpu_close(&v);
}

/* Writes vGIC registers, then reads them: @group's from @first to @last by @step */
static void gic_registers(int gic, bool write, const char *when, int vcpu, uint32_t group,
                          uint64_t first, uint64_t last, unsigned step)
{
    for (uint64_t a = first; a <= last; a += step) {
        uint64_t at = a | (uint64_t)vcpu << 32, value = number(a << 4 | group, vcpu);
        int ret;

        if (group == 6 && a == 0xc664) {        /* ICC_CTLR_EL1: no CBPR, what there is */
            attr(gic, KVM_GET_DEVICE_ATTR, group, at, &value);
            value ^= 2;
        }
        if (write) {
            ret = attr(gic, KVM_SET_DEVICE_ATTR, group, at, &value);
            answer(word(ret), "vGIC register %u:%s, another value", group, hex(at));
            continue;
        }
        value = 0;
        ret = attr(gic, KVM_GET_DEVICE_ATTR, group, at, &value);
        answer(ret ? word(ret) : hex(value), "vGIC register %u:%s %s", group, hex(at), when);
    }
}

static void all_gic_registers(int gic, bool write, const char *when)
{
    static const struct { uint32_t group; uint64_t first, last; unsigned step; } all[] = {
        { 1, 0x10, 0x10, 4 }, { 1, 0x80, 0x84, 4 }, { 1, 0x104, 0x104, 4 }, { 1, 0x184, 0x184, 4 },
        { 1, 0x204, 0x204, 4 }, { 1, 0x284, 0x284, 4 }, { 1, 0x304, 0x304, 4 },
        { 1, 0x384, 0x384, 4 }, { 1, 0x400, 0x43c, 4 }, { 1, 0x820, 0x820, 4 },
        { 1, 0xc04, 0xc0c, 4 }, { 1, 0xd04, 0xd04, 4 }, { 1, 0x6100, 0x6120, 4 }, { 1, 0, 0, 4 },
        { 5, 0x14, 0x14, 4 }, { 5, 0x70, 0x7c, 4 }, { 5, 0x10080, 0x10080, 4 },
        { 5, 0x10100, 0x10100, 4 }, { 5, 0x10180, 0x10180, 4 }, { 5, 0x10200, 0x10200, 4 },
        { 5, 0x10280, 0x10280, 4 }, { 5, 0x10300, 0x10300, 4 }, { 5, 0x10380, 0x10380, 4 },
        { 5, 0x10400, 0x1041c, 4 }, { 5, 0x10c00, 0x10c04, 4 }, { 5, 0x10d00, 0x10d00, 4 },
        { 5, 0x10e00, 0x10e00, 4 }, { 5, 0, 0, 4 },
        { 6, 0xc230, 0xc230, 1 }, { 6, 0xc643, 0xc644, 1 }, { 6, 0xc648, 0xc648, 1 },
        { 6, 0xc663, 0xc667, 1 }, { 7, 0, 32, 32 },
    };

    for (int vcpu = 0; vcpu < 2; vcpu++) {
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
            if (all[i].group != 1 || !vcpu) {
                gic_registers(gic, write, when, vcpu, all[i].group, all[i].first, all[i].last,
                              all[i].step);
            }
        }
    }
}

static void its_registers(int its, bool write, const char *when)
{
    static const struct { uint64_t at, value; } regs[] = {
        { 0x100, 0x8765432143210fff }, { 0x108, 0xc765432143210fff }, { 0x110, 1ull << 63 },
        { 0x80, 0x9765432143210003 }, { 0x90, 0x1240 }, { 0x88, 0x1240 }, { 4, 0x43b },
    };

    for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
        uint64_t value = regs[i].value;
        int ret = attr(its, write ? KVM_SET_DEVICE_ATTR : KVM_GET_DEVICE_ATTR, 8, regs[i].at, &value);

        answer(ret || write ? word(ret) : hex(value), "ITS register %s %s", hex(regs[i].at),
               write ? "is written" : when);
    }
}

static void its_control(int its, uint64_t value, const char *when)
{
    int ret = attr(its, KVM_SET_DEVICE_ATTR, 8, 0, &value);

    answer(word(ret), "GITS_CTLR is written %s", when);
    attr(its, KVM_GET_DEVICE_ATTR, 8, 0, &value);
    answer(hex(value), "GITS_CTLR %s", when);
}

static void ask_gic_round_trip(void)
{
    struct kvm_create_device d = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
    uint64_t dist = 0x8000000, redist = 0x80a0000, base = 0x8080000, value;
    struct vcpu v;
    int other, gic, n = 96;

    if (!two_vcpus(&v, &other, PSCI) || ioctl(v.vm, KVM_CREATE_DEVICE, &d)) {
        return;
    }
    gic = d.fd;
    attr(gic, KVM_SET_DEVICE_ATTR, 3, 0, &n);
    attr(gic, KVM_SET_DEVICE_ATTR, 0, 2, &dist);
    attr(gic, KVM_SET_DEVICE_ATTR, 0, 3, &redist);
    attr(gic, KVM_SET_DEVICE_ATTR, 4, 0, NULL);
    all_gic_registers(gic, true, "");
    all_gic_registers(gic, false, "once all are written");
    init_vcpu(v.fd, v.target, PSCI);
    gic_registers(gic, false, "after KVM_ARM_VCPU_INIT", 0, 5, 0x10100, 0x10100, 4);
    gic_registers(gic, false, "after KVM_ARM_VCPU_INIT", 0, 6, 0xc230, 0xc230, 4);
    value = 0;
    attr(gic, KVM_GET_DEVICE_ATTR, 6, 1ull << 32 | 0xc664, &value);
    value |= 1;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 6, 1ull << 32 | 0xc664, &value)), "CBPR");
    gic_registers(gic, false, "with CBPR", 1, 6, 0xc663, 0xc664, 1);
    value ^= 0x4000;
    answer(word(attr(gic, KVM_SET_DEVICE_ATTR, 6, 1ull << 32 | 0xc664, &value)), "another SEIS");

    d.type = KVM_DEV_TYPE_ARM_VGIC_ITS;
    if (!ioctl(v.vm, KVM_CREATE_DEVICE, &d)) {
        attr(d.fd, KVM_SET_DEVICE_ATTR, 0, 4, &base);
        attr(d.fd, KVM_SET_DEVICE_ATTR, 4, 0, NULL);
        its_control(d.fd, 1, "without tables");
        its_registers(d.fd, true, "");
        its_registers(d.fd, false, "once all are written");
        its_control(d.fd, 1, "with tables");
        its_registers(d.fd, true, "");
        its_registers(d.fd, false, "written while it is enabled");
        gic_registers(gic, true, "", 1, 5, 0, 0, 4);
        value = 1;
        attr(gic, KVM_SET_DEVICE_ATTR, 5, 1ull << 32, &value);
        value = 0x30000000;
        attr(gic, KVM_SET_DEVICE_ATTR, 5, 1ull << 32 | 0x78, &value);
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            gic_registers(gic, false, "with LPIs", vcpu, 5, 0, 0, 4);
            gic_registers(gic, false, "with LPIs", vcpu, 5, 0x70, 0x7c, 4);
        }
        answer(word(attr(d.fd, KVM_SET_DEVICE_ATTR, 4, 4, NULL)), "the ITS is reset");
        its_registers(d.fd, false, "after its reset");
        close(d.fd);
    }
    close(gic);
    close(other);
    vcpu_close(&v);
}

static void ask_arch(void)
{
    for (int type = 0; type < 56; type += 4) {
        answer(fd_word(ioctl(kvm, KVM_CREATE_VM, type)), "KVM_CREATE_VM of type %d", type);
    }
    ask_targets();
    ask_order();
    ask_masks();
    ask_vcpu_attrs();
    ask_vgic();
    ask_regs();
    if (!profile) {
        ask_round_trip(PSCI);
        ask_round_trip(PSCI | PMU);
        ask_round_trip(PSCI | SVE);
        ask_counter(CNTVCT, "CNTVCT_EL0");
        ask_counter(CNTPCT, "CNTPCT_EL0");
        ask_events();
        ask_gic_fields();
        ask_gic_round_trip();
    }
}

static const char arch[] = "arm64";

#endif

#ifdef __powerpc__

#include "../kvm-sim/booke-sregs.h"

#define T0 512
#define T1 16

static struct kvm_book3e_206_tlb_entry array[4096 + 64] __attribute__((aligned(4096)));

#define S(name, field) { name, offsetof(struct kvm_sregs, field), \
                         sizeof(((struct kvm_sregs *)0)->field) }
static const struct {
    const char *name;
    size_t offset, size;
} sregs_fields[] = {
    BOOKE_SREGS(S)
};

static uint64_t sregs_field(struct kvm_sregs *s, size_t i)
{
    char *at = (char *)s + sregs_fields[i].offset;

    return sregs_fields[i].size == 4 ? *(uint32_t *)at : *(uint64_t *)at;
}

static void ask_sregs(int vcpu)
{
    struct kvm_sregs s = { }, then;
    int ret = ioctl(vcpu, KVM_GET_SREGS, &s);

    answer(word(ret), "KVM_GET_SREGS");
    answer(hex(s.pvr), "PVR");
    line("pvr 0x%x", s.pvr);
    for (size_t i = 0; i < ARRAY_SIZE(sregs_fields); i++) {
        uint64_t value = sregs_field(&s, i);

        answer(hex(value), "special register %s", sregs_fields[i].name);
        if (value) {
            line("sreg %s 0x%llx", sregs_fields[i].name, (unsigned long long)value);
        }
    }
    then = s;
    then.pvr ^= 0x10;
    answer(word(ioctl(vcpu, KVM_SET_SREGS, &then)), "KVM_SET_SREGS with another PVR");
    then = s;
    then.u.e.pir = 5;
    answer(word(ioctl(vcpu, KVM_SET_SREGS, &then)), "KVM_SET_SREGS with another PIR");
    then = s;
    for (size_t i = 0; i < ARRAY_SIZE(sregs_fields); i++) {
        char *at = (char *)&then + sregs_fields[i].offset;

        if (!strcmp(sregs_fields[i].name, "features") || !strcmp(sregs_fields[i].name, "impl_id") ||
            !strcmp(sregs_fields[i].name, "pir") || !strcmp(sregs_fields[i].name, "tcr") ||
            !strcmp(sregs_fields[i].name, "dec")) {
            continue;
        }
        if (sregs_fields[i].size == 4) {
            *(uint32_t *)at = 0x100 + i;
        } else {
            *(uint64_t *)at = 0x100 + i;
        }
    }
    answer(word(ioctl(vcpu, KVM_SET_SREGS, &then)), "KVM_SET_SREGS of all");
    ioctl(vcpu, KVM_GET_SREGS, &then);
    for (size_t i = 0; i < ARRAY_SIZE(sregs_fields); i++) {
        answer(hex(sregs_field(&then, i)), "special register %s, written", sregs_fields[i].name);
    }
    then.u.e.tsr = 0x48000000;
    then.u.e.update_special = KVM_SREGS_E_UPDATE_TSR;
    answer(word(ioctl(vcpu, KVM_SET_SREGS, &then)), "KVM_SET_SREGS with UPDATE_TSR");
    ioctl(vcpu, KVM_GET_SREGS, &then);
    answer(hex(then.u.e.tsr), "TSR with UPDATE_TSR");
    then.u.e.features = 0;
    then.u.e.csrr0 = 0x7777;
    answer(word(ioctl(vcpu, KVM_SET_SREGS, &then)), "KVM_SET_SREGS without features");
    ioctl(vcpu, KVM_GET_SREGS, &then);
    answer(hex(then.u.e.csrr0), "CSRR0 without features");
    s.u.e.update_special = KVM_SREGS_E_UPDATE_TSR;
    ioctl(vcpu, KVM_SET_SREGS, &s);
}

static int one(int vcpu, unsigned long request, uint64_t id, uint64_t *value)
{
    uint32_t half = *value;
    bool small = (id & KVM_REG_SIZE_MASK) == KVM_REG_SIZE_U32;
    struct kvm_one_reg reg = {
        .id = id, .addr = small ? (uintptr_t)&half : (uintptr_t)value,
    };
    int ret = ioctl(vcpu, request, &reg);

    if (small && request == KVM_GET_ONE_REG) {
        *value = half;
    }
    return ret;
}

#define O(name) { KVM_REG_PPC_##name, #name }
static const struct { uint64_t id; const char *name; } one_regs[] = {
    O(IAC1), O(IAC2), O(IAC3), O(IAC4), O(DAC1), O(DAC2), O(EPR), O(EPCR), O(TCR),
    O(TSR), O(OR_TSR), O(CLEAR_TSR), O(DEBUG_INST), O(VRSAVE), O(MAS0), O(MAS1),
    O(MAS2), O(MAS7_3), O(MAS4), O(MAS6), O(MMUCFG), O(TLB0CFG), O(TLB1CFG),
    O(TLB2CFG), O(TLB3CFG), O(TLB0PS), O(TLB1PS), O(TLB2PS), O(TLB3PS), O(EPTCFG),
    O(TB_OFFSET), O(SPRG9), O(DBSR), O(PID), O(DAR), O(HIOR), O(FPSCR), O(DSISR),
    O(DABR), O(DSCR), O(PURR), O(SPURR), O(AMR), O(MMCR0), O(PMC1), O(FPR0), O(VR0),
    O(VSCR), O(VPA_ADDR), O(LPCR), O(PPR), O(ARCH_COMPAT), O(DABRX), O(WORT), O(VTB),
};

static void ask_one_regs(int vcpu)
{
    for (size_t i = 0; i < ARRAY_SIZE(one_regs); i++) {
        uint64_t id = one_regs[i].id, old = 0, new = 0, zero = 0;
        const char *name = one_regs[i].name;
        char how[64];
        int got, same, other;

        if ((id & KVM_REG_SIZE_MASK) > KVM_REG_SIZE_U64) {
            continue;
        }
        got = one(vcpu, KVM_GET_ONE_REG, id, &old);
        answer(got ? word(got) : hex(old), "register %s", name);
        new = old;
        same = one(vcpu, KVM_SET_ONE_REG, id, &new);
        answer(word(same), "register %s, the same", name);
        new = old ^ 0x10;
        other = one(vcpu, KVM_SET_ONE_REG, id, &new);
        answer(word(other), "register %s, another value", name);
        if (!got) {
            one(vcpu, KVM_GET_ONE_REG, id, &new);
            answer(hex(new), "register %s then", name);
        }
        if (!got && !same && !other && new == old) {
            strcpy(how, "keep");
        } else if (got && !same) {
            strcpy(how, "wo EINVAL");
        } else if (!got && same) {
            strcpy(how, "ro EINVAL");
        } else if (!got && other) {
            strcpy(how, "same EINVAL");
        } else {
            strcpy(how, "rw 0xffffffffffffffff");
        }
        if (!got || !same) {
            line("reg 0x%llx 0x%llx %s", (unsigned long long)id, (unsigned long long)old, how);
        }
        one(vcpu, KVM_SET_ONE_REG, id, got ? &zero : &old);
    }
    {
        uint64_t bits = 0x0c000000, now = 0;

        one(vcpu, KVM_SET_ONE_REG, KVM_REG_PPC_TSR, &now);
        one(vcpu, KVM_SET_ONE_REG, KVM_REG_PPC_OR_TSR, &bits);
        one(vcpu, KVM_GET_ONE_REG, KVM_REG_PPC_TSR, &now);
        answer(hex(now), "TSR after OR_TSR");
        bits = 0x08000000;
        one(vcpu, KVM_SET_ONE_REG, KVM_REG_PPC_CLEAR_TSR, &bits);
        one(vcpu, KVM_GET_ONE_REG, KVM_REG_PPC_TSR, &now);
        answer(hex(now), "TSR after CLEAR_TSR");
        now = 0;
        one(vcpu, KVM_SET_ONE_REG, KVM_REG_PPC_TSR, &now);
        answer(word(one(vcpu, KVM_GET_ONE_REG, 0x2030000000000001, &now)), "a register of x86");
        answer(word(one(vcpu, KVM_GET_ONE_REG, KVM_REG_PPC | KVM_REG_SIZE_U64 | 0xfff, &now)),
               "a register that is none");
    }
}

static const char *tlb(int vcpu, uint32_t type, uint32_t n0, uint32_t ways0, uint32_t n1,
                       uint32_t ways1, uint32_t n2, uint32_t length, void *at)
{
    struct kvm_book3e_206_tlb_params p = {
        .tlb_sizes = { n0, n1, n2 }, .tlb_ways = { ways0, ways1 },
    };
    struct kvm_config_tlb cfg = {
        .params = (uintptr_t)&p, .array = (uintptr_t)at, .mmu_type = type,
        .array_len = length ?: (n0 + n1) * sizeof(array[0]),
    };

    return enable(vcpu, KVM_CAP_SW_TLB, 0, (uintptr_t)&cfg);
}

static void ask_geometry(int vcpu)
{
    static const uint32_t sizes[] = { 128, 256, 384, 512, 1024, 2048, 4096 };
    static const uint32_t ways[] = { 1, 2, 3, 4, 8 };
    static const uint32_t ones[] = { 1, 16, 17, 64, 65 };
    struct kvm_sregs s;
    struct kvm_config_tlb cfg = { .array = 0 };

    for (int type = 0; type < 4; type++) {
        answer(tlb(vcpu, type, 512, 4, 16, 16, 0, 0, array), "TLBs of type %d", type);
    }
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
            for (size_t n = 0; n < ARRAY_SIZE(ones); n++) {
                answer(tlb(vcpu, 0, sizes[i], ways[w], ones[n], ones[n], 0, 0, array),
                       "TLBs %u/%u + %u", sizes[i], ways[w], ones[n]);
                ioctl(vcpu, KVM_GET_SREGS, &s);
                answer(hex(s.u.e.tlbcfg[0]), "TLB0CFG then (%u/%u + %u)", sizes[i], ways[w], ones[n]);
                answer(hex(s.u.e.tlbcfg[1]), "TLB1CFG then (%u/%u + %u)", sizes[i], ways[w], ones[n]);
            }
        }
    }
    answer(tlb(vcpu, 0, 512, 4, 16, 8, 0, 0, array), "TLB1 16/8");
    answer(tlb(vcpu, 0, 512, 4, 16, 16, 16, 0, array), "a TLB2");
    answer(tlb(vcpu, 0, 512, 4, 16, 16, 0, 528 * 24 - 1, array), "an array that is too short");
    answer(tlb(vcpu, 0, 512, 4, 16, 16, 0, 0, (void *)8), "an array that is not there");
    answer(enable(vcpu, KVM_CAP_SW_TLB, 0, 0), "TLBs from address 0");
    answer(enable(vcpu, KVM_CAP_SW_TLB, 0, (uintptr_t)&cfg), "TLBs with parameters at address 0");
    answer(enable(vcpu, KVM_CAP_SW_TLB, 1, (uintptr_t)&cfg), "TLBs with flags");
    answer(tlb(vcpu, 0, T0, 4, T1, T1, 0, 0, array), "TLBs 512/4 + 16, once more");
}

static void translation(int vcpu, uint64_t address, const char *what)
{
    struct kvm_translation t = { .linear_address = address };
    int ret = ioctl(vcpu, KVM_TRANSLATE, &t);

    answer(word(ret), "KVM_TRANSLATE of %s", what);
    answer(!ret && t.valid ? hex(t.physical_address) : "not valid", "%s is at", what);
}

static void ask_tlb(int vcpu)
{
    static uint64_t bitmap[(4096 + 64) / 64];
    struct kvm_dirty_tlb dirty = { .bitmap = (uintptr_t)bitmap };

    memset(array, 0, sizeof(array));
    answer(word(ioctl(vcpu, KVM_DIRTY_TLB, &dirty)), "KVM_DIRTY_TLB of nothing");
    array[T0].mas1 = 0x80000000 | 5 << 8;
    array[T0].mas2 = 0x10000000;
    array[T0].mas7_3 = 0x2000003f;
    array[T0 + 3].mas1 = 0x80000000 | 1 << 16 | 1 << 8;
    array[T0 + 3].mas2 = 0x30000000;
    array[T0 + 3].mas7_3 = 0x0040003f;
    array[4].mas1 = 0x80000000 | 1 << 12 | 1 << 8;
    array[4].mas2 = 0x00001000;
    array[4].mas7_3 = 0x0050003f;
    bitmap[T0 / 64] = 1ull << 56 | 1ull << 59;
    bitmap[0] = 1ull << (56 + 4);
    dirty.num_dirty = 3;
    answer(word(ioctl(vcpu, KVM_DIRTY_TLB, &dirty)), "KVM_DIRTY_TLB of three entries");
    {
        /* the array is read when a guest runs: only looked at here */
        struct kvm_run *run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

        run->immediate_exit = 1;
        answer(word(ioctl(vcpu, KVM_RUN, 0)), "KVM_RUN with immediate_exit");
        run->immediate_exit = 0;
    }
    translation(vcpu, 0x10000123, "a large page");
    translation(vcpu, 0x100fffff, "the end of a large page");
    translation(vcpu, 0x10100000, "what is behind a large page");
    translation(vcpu, 0x30000010, "another PID's page");
    translation(vcpu, 0x130000010ull, "that PID's page");
    translation(vcpu, 0x00001010, "another address space's page");
    translation(vcpu, 0x10000001010ull, "that address space's page");
    answer(word(ioctl(vcpu, KVM_DIRTY_TLB, NULL)), "KVM_DIRTY_TLB of address 0");
}

static int attr(int fd, unsigned long request, uint32_t group, uint64_t number,
                void *value)
{
    struct kvm_device_attr a = {
        .group = group, .attr = number, .addr = (uintptr_t)value,
    };

    return ioctl(fd, request, &a);
}

static void mpic_reg(int mpic, uint64_t offset)
{
    uint32_t value = 0;
    int ret = attr(mpic, KVM_GET_DEVICE_ATTR, 2, offset, &value);

    answer(ret ? word(ret) : hex(value), "MPIC register %s", hex(offset));
    if (!ret && value) {
        line("attr 2 0x%llx 0x%x", (unsigned long long)offset, value);
    }
}

/* Another value is written to each, and read back */
static void mpic_round_trip(int mpic)
{
    static const struct { uint64_t first, last; unsigned step; } all[] = {
        { 0, 0xb0, 0x10 }, { 0x1000, 0x1080, 0x10 }, { 0x10a0, 0x1300, 0x10 }, { 0x10000, 0x10038, 8 },
        { 0x10200, 0x10258, 8 }, { 0x11fe0, 0x11ff8, 8 }, { 0x20080, 0x20090, 0x10 }, { 0x21080, 0x21090, 0x10 },
    };

    for (int write = 1; write >= 0; write--) {
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
            for (uint64_t a = all[i].first; a <= all[i].last; a += all[i].step) {
                uint32_t value = (uint32_t)a * 0x9e3779b1u;
                int ret;

                value = a == 0x1020 ? 0x40000000 : value;       /* no reset */
                if (a == 0xa0) {
                    continue;   /* IACK */
                }
                ret = attr(mpic, write ? KVM_SET_DEVICE_ATTR : KVM_GET_DEVICE_ATTR, 2, a, &value);
                answer(ret || write ? word(ret) : hex(value), "MPIC register %s, %s", hex(a),
                       write ? "another value" : "once all are written");
            }
        }
    }
}

static void mpic_write(int mpic, uint64_t offset, uint32_t value)
{
    answer(word(attr(mpic, KVM_SET_DEVICE_ATTR, 2, offset, &value)), "MPIC register %s, written",
           hex(offset));
    attr(mpic, KVM_GET_DEVICE_ATTR, 2, offset, &value);
    answer(hex(value), "MPIC register %s then", hex(offset));
}

static void ask_mpic(int vm, int vcpu)
{
    struct kvm_create_device d = { .type = KVM_DEV_TYPE_FSL_MPIC_42 };
    struct kvm_enable_cap e = { .cap = KVM_CAP_IRQ_MPIC, .args = { 0, 0 } };
    int ret = ioctl(vm, KVM_CREATE_DEVICE, &d), mpic = d.fd;
    uint64_t base = 0xe0040001;
    uint32_t value = 0;

    answer(word(ret), "an MPIC");
    if (ret) {
        return;
    }
    answer(word(ioctl(vm, KVM_CREATE_DEVICE, &d)), "a second MPIC");
    for (int group = 0; group < 5; group++) {
        for (int a = 0; a < 2; a++) {
            answer(word(attr(mpic, KVM_HAS_DEVICE_ATTR, group, a, NULL)), "MPIC attribute %d:%d",
                   group, a);
        }
    }
    answer(word(attr(mpic, KVM_SET_DEVICE_ATTR, 1, 0, &base)), "an MPIC at an odd address");
    base = 0xe0040000;
    answer(word(attr(mpic, KVM_SET_DEVICE_ATTR, 1, 0, &base)), "the MPIC's address");
    answer(word(attr(mpic, KVM_SET_DEVICE_ATTR, 1, 0, &base)), "the same again");
    base = 0;
    answer(word(attr(mpic, KVM_GET_DEVICE_ATTR, 1, 0, &base)), "the MPIC's address, read");
    answer(hex(base), "which is");
    e.args[0] = vm;
    answer(word(ioctl(vcpu, KVM_ENABLE_CAP, &e)), "a vCPU connected to a VM");
    e.args[0] = 9999;
    answer(word(ioctl(vcpu, KVM_ENABLE_CAP, &e)), "a vCPU connected to nothing");
    e.args[0] = mpic;
    e.args[1] = 77;
    answer(word(ioctl(vcpu, KVM_ENABLE_CAP, &e)), "a vCPU connected as number 77");
    e.args[1] = 0;
    answer(word(ioctl(vcpu, KVM_ENABLE_CAP, &e)), "a vCPU connected to the MPIC");
    answer(word(ioctl(vcpu, KVM_ENABLE_CAP, &e)), "the same again");
    for (uint64_t a = 0; a <= 0xb0; a += 0x10) {
        if (a != 0xa0) {
            mpic_reg(mpic, a);
        }
    }
    for (uint64_t a = 0x1000; a <= 0x10f0; a += 0x10) {
        mpic_reg(mpic, a);
    }
    for (uint64_t a = 0x1100; a < 0x1200; a += 0x10) {
        mpic_reg(mpic, a);
    }
    for (uint64_t a = 0x10000; a < 0x12000; a += 8) {
        mpic_reg(mpic, a);
    }
    for (uint64_t a = 0x20080; a < 0x22000; a += 0x1000) {
        mpic_reg(mpic, a);
    }
    answer(word(attr(mpic, KVM_GET_DEVICE_ATTR, 2, 2, &value)), "half an MPIC register");
    answer(word(attr(mpic, KVM_GET_DEVICE_ATTR, 2, 0x50000, &value)), "an MPIC register behind the end");
    if (!profile) {
        mpic_round_trip(mpic);
        mpic_write(mpic, 0x1020, 0x80000000);
        mpic_reg(mpic, 0x10010);
        mpic_reg(mpic, 0x10018);
        for (uint64_t a = 0x10f0; a < 0x1200; a += 0x10) {
            mpic_write(mpic, a, 0);
        }
    }
    mpic_write(mpic, 0x1020, 0x80000000);
    mpic_write(mpic, 0x10200, 0x00080042);
    mpic_write(mpic, 0x10210, 1);
    mpic_write(mpic, 0x20080, 0x3);
    mpic_write(mpic, 0x1020, 0x20000000);
    mpic_write(mpic, 0x10e0, 0x1234);
    mpic_write(mpic, 0x1000, 0x1234);
    mpic_write(mpic, 0x1020, 0x80000000);
    mpic_reg(mpic, 0x10200);
    mpic_reg(mpic, 0x20080);
    answer(word(attr(mpic, KVM_GET_DEVICE_ATTR, 3, 7, &value)), "MPIC interrupt 7");
    answer(hex(value), "which is");
    answer(word(attr(mpic, KVM_GET_DEVICE_ATTR, 3, 1000, &value)), "MPIC interrupt 1000");
    close(mpic);
}

/* QEMU finds the CPU and its time base there. */
static void cpuinfo_lines(void)
{
    char text[128], key[32], value[64];
    FILE *f = fopen("/proc/cpuinfo", "re");

    while (f && fgets(text, sizeof(text), f)) {
        if (sscanf(text, "%31[a-z] : %63[^\n]", key, value) == 2 &&
            strcmp(key, "bogomips")) {
            line("cpuinfo %s %s", key, value);
        }
    }
    if (f) {
        fclose(f);
    }
}

static void ask_arch(void)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    struct kvm_dirty_tlb dirty = { };
    struct kvm_regs regs = { }, then;
    struct kvm_ppc_pvinfo pv = { };
    struct kvm_mp_state mp;
    struct kvm_fpu fpu;
    struct kvm_interrupt irq = { .irq = KVM_INTERRUPT_SET };

    cpuinfo_lines();
    ask_sregs(vcpu);
    answer(word(ioctl(vcpu, KVM_DIRTY_TLB, &dirty)), "KVM_DIRTY_TLB without an array");
    ask_one_regs(vcpu);
    answer(word(ioctl(vcpu, KVM_GET_REGS, &regs)), "KVM_GET_REGS");
    answer(hex(regs.pc), "PC");
    answer(hex(regs.msr), "MSR");
    for (size_t i = 0; i < sizeof(regs) / 8; i++) {
        ((uint64_t *)&regs)[i] = i * 0x10;
    }
    answer(word(ioctl(vcpu, KVM_SET_REGS, &regs)), "KVM_SET_REGS");
    ioctl(vcpu, KVM_GET_REGS, &then);
    for (size_t i = 0; i < sizeof(regs) / 8; i++) {
        answer(hex(((uint64_t *)&then)[i]), "word %zu of struct kvm_regs, written", i);
    }
    answer(word(ioctl(vcpu, KVM_GET_REGS, NULL)), "KVM_GET_REGS to address 0");
    answer(word(ioctl(vcpu, KVM_GET_FPU, &fpu)), "KVM_GET_FPU");
    answer(word(ioctl(vcpu, KVM_SET_FPU, &fpu)), "KVM_SET_FPU");
    answer(word(ioctl(vcpu, KVM_GET_MP_STATE, &mp)), "KVM_GET_MP_STATE");
    answer(word(ioctl(vm, KVM_PPC_GET_PVINFO, &pv)), "KVM_PPC_GET_PVINFO");
    answer(hex(pv.flags), "its flags");
    for (int i = 0; i < 4; i++) {
        answer(hex(pv.hcall[i]), "its instruction %d", i);
    }
    answer(enable(vcpu, KVM_CAP_PPC_BOOKE_WATCHDOG, 0, 0), "the watchdog");
    answer(enable(vcpu, KVM_CAP_PPC_EPR, 0, 1), "the EPR");
    answer(enable(vcpu, KVM_CAP_PPC_OSI, 0, 0), "OSI");
    answer(enable(vcpu, 9999, 0, 0), "KVM_ENABLE_CAP of 9999");
    answer(enable(vcpu, KVM_CAP_PPC_EPR, 1, 1), "KVM_ENABLE_CAP with flags");
    answer(word(ioctl(vcpu, KVM_INTERRUPT, &irq)), "KVM_INTERRUPT");
    irq.irq = KVM_INTERRUPT_UNSET;
    answer(word(ioctl(vcpu, KVM_INTERRUPT, &irq)), "KVM_INTERRUPT_UNSET");
    ask_geometry(vcpu);
    ask_tlb(vcpu);
    answer(fd_word(ioctl(vm, KVM_CREATE_VCPU, 1)), "a second vCPU");
    close(vcpu);
    close(vm);

    vm = ioctl(kvm, KVM_CREATE_VM, 0);
    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    ask_mpic(vm, vcpu);
    close(vcpu);
    close(vm);
}

static const char arch[] = "powerpc";

#endif

int main(int argc, char **argv)
{
    struct utsname u;
    unsigned major = 0, minor = 0;

    profile = argc == 3 && !strcmp(argv[1], "--profile");
    if (argc > 1 && !profile) {
        bool help = !strcmp(argv[1], "--help");

        fprintf(help ? stdout : stderr, "Usage: kvm-abi-probe [--profile NAME]\n");
        return help ? 0 : 2;
    }
    kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) {
        perror("kvm-abi-probe: /dev/kvm");
        return 1;
    }
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != 12) {
        fprintf(stderr, "kvm-abi-probe: /dev/kvm is not KVM's\n");
        return 1;
    }
    memory = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uname(&u);
    sscanf(u.release, "%u.%u", &major, &minor);
    line("# SPDX-License-Identifier: GPL-2.0-or-later");
    line("# Written by tests/sim/kvm-abi-probe --profile on Linux %s", u.release);
    line("name %s", profile ? argv[2] : "");
    line("kernel %u.%u", major, minor);
    line("arch %s", arch);
    ask_caps();
    ask_common();
    ask_arch();
    return 0;
}
