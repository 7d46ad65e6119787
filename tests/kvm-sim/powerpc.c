// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BookE PowerPC: registers, the TLBs that KVM and its user share, the MPIC.
 */
#ifdef __powerpc__

#include "sim.h"
#include "../lib/faults.h"
#include "booke-sregs.h"
#include <asm/ptrace.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

const char arch_name[] = "powerpc";
const int arch_vm_unknown = ENOTTY;

#define UPDATE_FLAGS (KVM_SREGS_E_UPDATE_MCSR | KVM_SREGS_E_UPDATE_TSR | \
                      KVM_SREGS_E_UPDATE_DEC | KVM_SREGS_E_UPDATE_DBSR)
#define MAX_TLB0 4096
#define MAX_TLB1 64
#define MAX_ENTRIES (MAX_TLB0 + MAX_TLB1)
#define MPIC_SIZE 0x40000
#define BRANCH_TO_SELF 0x48000000
#define LINES 0x100             /* no group: the levels of KVM_IRQ_LINE */

typedef struct kvm_book3e_206_tlb_entry entry;

struct arch_vcpu {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    uint64_t *others;           /* of the profile's registers, by their index */
    bool watchdog, mpic, interrupt;
    /* KVM_CAP_SW_TLB */
    uint64_t array;             /* the program's; 0: none */
    struct kvm_book3e_206_tlb_params params;
    unsigned entries;
    entry known[MAX_ENTRIES];   /* what KVM knows */
    bool announced[MAX_ENTRIES];
};

/* --- fields of struct kvm_regs and kvm_sregs by name */

#define S(name, field) { name, true, offsetof(struct kvm_sregs, field), \
                         sizeof(((struct kvm_sregs *)0)->field) }
#define R(name, field) { name, false, offsetof(struct kvm_regs, field), 8 }
#define GPR(n) R("gpr" #n, gpr[n])
static const struct field {
    const char *name;
    bool special;
    size_t offset, size;
} fields[] = {
    R("pc", pc), R("cr", cr), R("ctr", ctr), R("lr", lr), R("xer", xer),
    R("msr", msr), R("srr0", srr0), R("srr1", srr1), R("pid", pid),
    R("sprg0", sprg0), R("sprg1", sprg1), R("sprg2", sprg2), R("sprg3", sprg3),
    R("sprg4", sprg4), R("sprg5", sprg5), R("sprg6", sprg6), R("sprg7", sprg7),
    GPR(0), GPR(1), GPR(2), GPR(3), GPR(4), GPR(5), GPR(6), GPR(7),
    GPR(8), GPR(9), GPR(10), GPR(11), GPR(12), GPR(13), GPR(14), GPR(15),
    GPR(16), GPR(17), GPR(18), GPR(19), GPR(20), GPR(21), GPR(22), GPR(23),
    GPR(24), GPR(25), GPR(26), GPR(27), GPR(28), GPR(29), GPR(30), GPR(31),
    S("pvr", pvr), BOOKE_SREGS(S)
};

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!strcmp(fields[i].name, name)) {
            return &fields[i];
        }
    }
    return NULL;
}

static void *field_at(struct arch_vcpu *a, const struct field *f)
{
    return (char *)(f->special ? (void *)&a->sregs : (void *)&a->regs) + f->offset;
}

static uint64_t get_field(struct arch_vcpu *a, const struct field *f)
{
    return f->size == 4 ? *(uint32_t *)field_at(a, f)
                        : *(uint64_t *)field_at(a, f);
}

static void set_field(struct arch_vcpu *a, const struct field *f, uint64_t value)
{
    if (f->size == 4) {
        *(uint32_t *)field_at(a, f) = value;
    } else {
        *(uint64_t *)field_at(a, f) = value;
    }
}

/* --- the processor version register */

/*
 * A program reads it itself, by an instruction, and would see the CPU that we
 * run on. So that instruction is made one that traps, wherever the program has
 * it, and the signal's handler gives the profile's.
 */
#define MFPVR 0x7c1f42a6u       /* mfspr rT, 287; T in bits 25:21 */
#define MFPVR_MASK 0xfc1fffffu
#define TRAPS 0x00000000u       /* no instruction, with T as above */

static void read_pvr(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
#ifdef __powerpc64__
    unsigned long *regs = uc->uc_mcontext.gp_regs;
#else
    unsigned long *regs = (unsigned long *)uc->uc_mcontext.uc_regs->gregs;
#endif
    uint32_t code = *(uint32_t *)regs[PT_NIP];

    (void)info;
    if (code & MFPVR_MASK) {
        signal(sig, SIG_DFL);   /* another illegal instruction: again, and die */
        return;
    }
    regs[code >> 21 & 31] = profile.pvr;
    regs[PT_NIP] += 4;
}

static int patch_program(struct dl_phdr_info *info, size_t size, void *data)
{
    long page = sysconf(_SC_PAGESIZE);

    (void)size;
    (void)data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uint32_t *code = (uint32_t *)(info->dlpi_addr + p->p_vaddr);
        uintptr_t start = (uintptr_t)code & -page;
        size_t length = (uintptr_t)code + p->p_memsz - start;
        bool writable = false;

        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X)) {
            continue;
        }
        for (size_t n = 0; n < p->p_filesz / 4; n++) {
            if ((code[n] & MFPVR_MASK) != MFPVR) {
                continue;
            }
            if (!writable) {
                if (mprotect((void *)start, length, PROT_READ | PROT_WRITE | PROT_EXEC)) {
                    return 1;
                }
                writable = true;
            }
            code[n] = TRAPS | (code[n] & ~MFPVR_MASK);
            __builtin___clear_cache((char *)&code[n], (char *)&code[n + 1]);
        }
        if (writable) {
            mprotect((void *)start, length, PROT_READ | PROT_EXEC);
        }
    }
    return 1;                   /* the program comes first; libraries do not matter */
}

void arch_start(void)
{
    struct sigaction action = { .sa_sigaction = read_pvr, .sa_flags = SA_SIGINFO };

    sigaction(SIGILL, &action, NULL);
    dl_iterate_phdr(patch_program, NULL);
}

/* --- objects */

void arch_vm_new(struct vm *vm)
{
    (void)vm;
}

void arch_vm_free(struct vm *vm)
{
    (void)vm;
}

int arch_vm_type_check(uint64_t type)
{
    return type ? -EINVAL : 0;
}

int arch_vcpu_new(struct vcpu *vcpu)
{
    struct arch_vcpu *a = calloc(1, sizeof(*a));

    a->others = calloc(profile.n_regs, sizeof(*a->others));
    for (size_t i = 0; i < profile.n_regs; i++) {
        a->others[i] = profile.regs[i].value[0];
    }
    a->sregs.pvr = profile.pvr;
    for (size_t i = 0; i < profile.n_sregs; i++) {
        const struct field *f = find_field(profile.sregs[i].name);

        if (!f) {
            config_error("the profile's sreg %s is none; fields[] of tests/kvm-sim/powerpc.c has "
                         "those that are", profile.sregs[i].name);
        }
        set_field(a, f, profile.sregs[i].value);
    }
    a->sregs.u.e.pir = vcpu->id;
    vcpu->arch = a;
    return 0;
}

void arch_vcpu_free(struct vcpu *vcpu)
{
    free(vcpu->arch->others);
    free(vcpu->arch);
}

/* --- registers */

static uint64_t ticks(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 400000000ull + t.tv_nsec * 2 / 5;
}

static int get_regs(struct call *c)
{
    memcpy(c->in, &((struct vcpu *)c->object)->arch->regs, sizeof(struct kvm_regs));
    return 0;
}

static int set_regs(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;

    memcpy(&vcpu->arch->regs, c->in, sizeof(struct kvm_regs));
    snprintf(c->extra, sizeof(c->extra), "pc 0x%llx", (unsigned long long)vcpu->arch->regs.pc);
    return 0;
}

static int get_sregs(struct call *c)
{
    struct kvm_sregs *s = c->in;

    *s = ((struct vcpu *)c->object)->arch->sregs;
    if (profile.caps[KVM_CAP_PPC_BOOKE_SREGS]) {
        s->u.e.tb = ticks();
    } else {
        uint32_t pvr = s->pvr;

        memset(s, 0, sizeof(*s));
        s->pvr = pvr;
    }
    return 0;
}

static int set_sregs(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_sregs *now = &vcpu->arch->sregs, *s = c->in;
    uint32_t features = s->u.e.features, update = s->u.e.update_special;

    snprintf(c->extra, sizeof(c->extra), "features 0x%x update 0x%x", features, update);
    if (!profile.caps[KVM_CAP_PPC_BOOKE_SREGS]) {
        violation(RULE_SREGS, "KVM_CAP_PPC_BOOKE_SREGS is missing");
        return -EINVAL;
    }
    if (s->pvr != now->pvr) {
        violation(RULE_SREGS, "PVR 0x%x, and the vCPU's is 0x%x", s->pvr, now->pvr);
        return -EINVAL;
    }
    if (features & ~now->u.e.features) {
        violation(RULE_SREGS, "features 0x%x, and the kernel has 0x%x", features,
                  now->u.e.features);
    }
    if (update & ~UPDATE_FLAGS) {
        violation(RULE_SREGS, "update_special 0x%x", update);
    }
    if (features & KVM_SREGS_E_BASE) {
#define COPY(field) (now->u.e.field = s->u.e.field)
        COPY(csrr0), COPY(csrr1), COPY(mcsr), COPY(esr), COPY(dear);
        COPY(tcr);              /* VRSAVE is lost: vcpu_put() has the CPU's */
        if (update & KVM_SREGS_E_UPDATE_DEC) {
            COPY(dec);
        }
        if (update & KVM_SREGS_E_UPDATE_TSR) {
            COPY(tsr);
        }
    }
    if (features & KVM_SREGS_E_ARCH206) {
        if (s->u.e.pir != (uint32_t)vcpu->id) {
            violation(RULE_SREGS, "pir %u, and the vCPU's is %d", s->u.e.pir, vcpu->id);
            return -EINVAL;
        }
        COPY(mcsrr0), COPY(mcsrr1), COPY(decar), COPY(ivpr);
    }
    if (s->u.e.impl_id == KVM_SREGS_E_IMPL_FSL) {
        COPY(impl.fsl.svr), COPY(impl.fsl.hid0), COPY(impl.fsl.mcar);
    }
    if (features & KVM_SREGS_E_ARCH206_MMU) {
        COPY(mas0), COPY(mas1), COPY(mas2), COPY(mas7_3), COPY(mas4), COPY(mas6);
    }
    if (features & KVM_SREGS_E_IVOR) {
        memcpy(now->u.e.ivor_low, s->u.e.ivor_low, sizeof(s->u.e.ivor_low));
        if (features & KVM_SREGS_E_SPE) {
            memcpy(now->u.e.ivor_high, s->u.e.ivor_high, 3 * 4);
        }
        if (features & KVM_SREGS_E_PM) {
            COPY(ivor_high[3]);
        }
        if (features & KVM_SREGS_E_PC) {
            COPY(ivor_high[4]), COPY(ivor_high[5]);
        }
    }
    return 0;
}

static int no_fpu(struct call *c)
{
    (void)c;
    return -EOPNOTSUPP;
}

/* Registers that are a field of struct kvm_sregs as well */
static const struct {
    uint64_t id;
    const char *name;
} aliases[] = {
    { KVM_REG_PPC_TCR, "tcr" }, { KVM_REG_PPC_TSR, "tsr" },
    { KVM_REG_PPC_OR_TSR, "tsr" }, { KVM_REG_PPC_CLEAR_TSR, "tsr" },
    { KVM_REG_PPC_VRSAVE, "vrsave" }, { KVM_REG_PPC_MAS0, "mas0" },
    { KVM_REG_PPC_MAS1, "mas1" }, { KVM_REG_PPC_MAS2, "mas2" },
    { KVM_REG_PPC_MAS7_3, "mas7_3" }, { KVM_REG_PPC_MAS4, "mas4" },
    { KVM_REG_PPC_MAS6, "mas6" }, { KVM_REG_PPC_MMUCFG, "mmucfg" },
    { KVM_REG_PPC_TLB0CFG, "tlbcfg0" }, { KVM_REG_PPC_TLB1CFG, "tlbcfg1" },
};

static const struct field *alias(uint64_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (aliases[i].id == id) {
            return find_field(aliases[i].name);
        }
    }
    return NULL;
}

/* Later lines of a profile win. */
static const struct profile_reg *find_reg(uint64_t id)
{
    for (size_t i = profile.n_regs; i--; ) {
        if (profile.regs[i].id == id) {
            return &profile.regs[i];
        }
    }
    return NULL;
}

static int one_reg(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct arch_vcpu *a = vcpu->arch;
    struct kvm_one_reg *one = c->in;
    bool set = (uint32_t)c->type->request == (uint32_t)KVM_SET_ONE_REG;
    const struct profile_reg *p = find_reg(one->id);
    const struct field *f = alias(one->id);
    size_t size = one_reg_size(one->id), n = 0;
    uint64_t value = 0, old;
    uint32_t half;

    if ((one->id & KVM_REG_ARCH_MASK) != KVM_REG_PPC || size > 16) {
        violation(RULE_REG_ID, "id 0x%llx", (unsigned long long)one->id);
        return -EINVAL;
    }
    if (!profile.caps[KVM_CAP_ONE_REG]) {
        return -EINVAL;         /* one may ask so, too */
    }
    if (!p || p->gone || fault_gone(one->id) || size > 8) {
        return -EINVAL;
    }
    n = p - profile.regs;
    old = f ? get_field(a, f) : a->others[n];
    if (!set) {
        if (p->how == HOW_WO) {
            return -p->error;
        }
        half = old;
        if (user_write(one->addr, size == 4 ? (void *)&half : (void *)&old, size)) {
            violation(RULE_POINTER, "the value at 0x%llx", (unsigned long long)one->addr);
            return -EFAULT;
        }
        return 0;
    }
    if (user_read(size == 4 ? (void *)&half : (void *)&value, one->addr, size)) {
        violation(RULE_POINTER, "the value at 0x%llx", (unsigned long long)one->addr);
        return -EFAULT;
    }
    value = size == 4 ? half : value;
    snprintf(c->extra, sizeof(c->extra), "0x%llx", (unsigned long long)value);
    switch (p->how) {
    case HOW_RO:
        return -p->error;
    case HOW_SAME:
        return value == old ? 0 : -p->error;
    case HOW_KEEP:
        return 0;
    default:
        break;
    }
    value = (value & p->mask) | (p->value[0] & ~p->mask);
    if (one->id == KVM_REG_PPC_OR_TSR) {
        value |= old;
    } else if (one->id == KVM_REG_PPC_CLEAR_TSR) {
        value = old & ~value;
    }
    if (f) {
        set_field(a, f, value);
    } else {
        a->others[n] = value;
    }
    return 0;
}

/* --- the TLBs */

static bool power_of_2(uint32_t n)
{
    return n && !(n & (n - 1));
}

static uint32_t tlbcfg(uint32_t old, uint32_t entries, uint32_t ways, uint32_t most)
{
    return (old & 0x00fff000) | (entries <= most ? entries : 0) | ways << 24;
}

static int config_tlb(struct vcpu *vcpu, uint64_t at)
{
    struct arch_vcpu *a = vcpu->arch;
    struct kvm_book3e_206_tlb_params p;
    struct kvm_config_tlb cfg;
    const char *bad = NULL;
    size_t length;
    char byte;

    if (user_read(&cfg, at, sizeof(cfg)) ||
        (cfg.mmu_type == KVM_MMU_FSL_BOOKE_NOHV && user_read(&p, cfg.params, sizeof(p)))) {
        violation(RULE_POINTER, "the TLBs' description cannot be read");
        return -EFAULT;
    }
    if (cfg.mmu_type == KVM_MMU_FSL_BOOKE_HV) {
        return -EINVAL;         /* documented, and no kernel has it: one may ask */
    }
    if (cfg.mmu_type != KVM_MMU_FSL_BOOKE_NOHV) {
        violation(RULE_TLB_GEOMETRY, "MMU type %u", cfg.mmu_type);
        return -EINVAL;
    }
    if (p.tlb_sizes[1] > MAX_TLB1) {
        bad = "TLB1 is too large";
    } else if (p.tlb_ways[1] != p.tlb_sizes[1]) {
        bad = "TLB1 is not fully associative";
    } else if (p.tlb_sizes[2] || p.tlb_sizes[3] || p.tlb_ways[2] || p.tlb_ways[3]) {
        bad = "there is a TLB2 or TLB3";
    } else if (!power_of_2(p.tlb_ways[0]) ||
               !power_of_2(p.tlb_sizes[0] / p.tlb_ways[0])) {
        bad = "TLB0's ways or sets are no power of two";
    }
    length = ((size_t)p.tlb_sizes[0] + p.tlb_sizes[1]) * sizeof(entry);
    if (!bad && cfg.array_len < length) {
        bad = "the array is too short";
    }
    if (!bad && p.tlb_sizes[0] > MAX_TLB0) {
        bad = "the simulation has no such TLB0";
    }
    if (bad) {
        violation(RULE_TLB_GEOMETRY, "%s: %u/%u + %u/%u, %u bytes", bad, p.tlb_sizes[0],
                  p.tlb_ways[0], p.tlb_sizes[1], p.tlb_ways[1], cfg.array_len);
        return -EINVAL;
    }
    reserved_zero(p.reserved, sizeof(p.reserved), "the TLBs' reserved parameters");
    for (size_t i = 0; i < length; i += 4096) {
        if (user_read(&byte, cfg.array + i, 1) || user_write(cfg.array + i, &byte, 1)) {
            violation(RULE_POINTER, "the array of TLB entries is no memory");
            return -EFAULT;
        }
    }
    /* KVM takes them for empty until they are announced. */
    memset(a->known, 0, sizeof(a->known));
    memset(a->announced, 0, sizeof(a->announced));
    a->array = cfg.array;
    a->params = p;
    a->entries = p.tlb_sizes[0] + p.tlb_sizes[1];
    a->sregs.u.e.tlbcfg[0] = tlbcfg(a->sregs.u.e.tlbcfg[0], p.tlb_sizes[0], p.tlb_ways[0], 2048);
    a->sregs.u.e.tlbcfg[1] = tlbcfg(a->sregs.u.e.tlbcfg[1], p.tlb_sizes[1], p.tlb_ways[1], 64);
    return 0;
}

static int dirty_tlb(struct call *c)
{
    struct arch_vcpu *a = ((struct vcpu *)c->object)->arch;
    struct kvm_dirty_tlb *dirty = c->in;
    uint8_t bitmap[(MAX_ENTRIES + 63) / 64 * 8];
    size_t size = (a->entries + 63) / 64 * 8, got = allocated_size(dirty->bitmap);
    unsigned count = 0;

    snprintf(c->extra, sizeof(c->extra), "num_dirty %u", dirty->num_dirty);
    if (!a->array) {
        violation(RULE_DIRTY_BITMAP, "there is no array; KVM_CAP_SW_TLB comes first");
        return 0;
    }
    if (got && got < size) {
        violation(RULE_DIRTY_BITMAP, "%u entries need %zu bytes, and the bitmap has %zu",
                  a->entries, size, got);
    }
    if (user_read(bitmap, dirty->bitmap, size)) {
        violation(RULE_DIRTY_BITMAP, "%u entries need %zu bytes, and they cannot be read",
                  a->entries, size);
        return 0;               /* the kernel does not look */
    }
    for (unsigned i = 0; i < 8 * size; i++) {
        if (!(bitmap[i / 8] >> i % 8 & 1)) {
            continue;
        }
        count++;
        if (i >= a->entries) {
            violation(RULE_DIRTY_COUNT, "bit %u is set, and there are %u entries", i, a->entries);
            break;
        }
        a->announced[i] = true;
    }
    if (count != dirty->num_dirty) {
        violation(RULE_DIRTY_COUNT, "num_dirty is %u, and %u bits are set",
                  dirty->num_dirty, count);
    }
    return 0;
}

#define VALID 0x80000000u       /* MAS1[V] */

static bool differ(const entry *x, const entry *y)
{
    return ((x->mas1 | y->mas1) & VALID) && memcmp(x, y, sizeof(*x));
}

static entry *read_array(struct vcpu *vcpu, entry *array)
{
    struct arch_vcpu *a = vcpu->arch;

    if (user_read(array, a->array, a->entries * sizeof(*array))) {
        violation(RULE_TLB_RUNNING, "the array of TLB entries is gone");
        return a->known;
    }
    return array;
}

int arch_run_enter(struct vcpu *vcpu)
{
    struct arch_vcpu *a = vcpu->arch;
    static entry buffer[MAX_ENTRIES];
    entry *array;

    if (!a->array) {
        return 0;
    }
    array = read_array(vcpu, buffer);
    for (unsigned i = 0; i < a->entries; i++) {
        if (!a->announced[i] && differ(&array[i], &a->known[i])) {
            violation(RULE_TLB_ANNOUNCED, "entry %u of %s has MAS1 0x%08x MAS2 0x%llx, and KVM "
                      "knows MAS1 0x%08x MAS2 0x%llx", i, vcpu->o.name, array[i].mas1,
                      (unsigned long long)array[i].mas2, a->known[i].mas1,
                      (unsigned long long)a->known[i].mas2);
        }
    }
    memcpy(a->known, array, a->entries * sizeof(*array));
    memset(a->announced, 0, sizeof(a->announced));
    return 0;
}

void arch_run_leave(struct vcpu *vcpu)
{
    struct arch_vcpu *a = vcpu->arch;
    static entry buffer[MAX_ENTRIES];
    entry *array;

    if (!a->array) {
        return;
    }
    array = read_array(vcpu, buffer);
    for (unsigned i = 0; i < a->entries; i++) {
        if (memcmp(&array[i], &a->known[i], sizeof(*array))) {
            violation(RULE_TLB_RUNNING, "entry %u of %s changed while it ran", i, vcpu->o.name);
            a->known[i] = array[i];
        }
    }
}

/* While it runs there are no announced entries: those that KVM knows are all. */
void arch_state(struct vcpu *vcpu, FILE *f)
{
    struct arch_vcpu *a = vcpu->arch;

    fprintf(f, "vcpu%d:enabled watchdog:%d,mpic:%d,interrupt:%d\n", vcpu->id, a->watchdog,
            a->mpic, a->interrupt);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        fprintf(f, "vcpu%d:%s 0x%llx\n", vcpu->id, fields[i].name,
                (unsigned long long)get_field(a, &fields[i]));
    }
    for (size_t i = 0; i < profile.n_regs; i++) {
        const struct profile_reg *p = find_reg(profile.regs[i].id);

        if (p == &profile.regs[i] && !p->ticks && !p->gone && !alias(p->id)) {
            fprintf(f, "vcpu%d:0x%llx 0x%llx\n", vcpu->id, (unsigned long long)p->id,
                    (unsigned long long)a->others[i]);
        }
    }
    fprintf(f, "vcpu%d:tlb %u/%u,%u/%u\n", vcpu->id, a->params.tlb_sizes[0],
            a->params.tlb_ways[0], a->params.tlb_sizes[1], a->params.tlb_ways[1]);
    for (unsigned i = 0; i < a->entries; i++) {
        const entry *e = &a->known[i];

        if (memcmp(e, &(entry) { }, sizeof(*e))) {
            fprintf(f, "vcpu%d:tlb:%u 0x%x,0x%llx,0x%llx,0x%x\n", vcpu->id, i, e->mas1,
                    (unsigned long long)e->mas2, (unsigned long long)e->mas7_3, e->mas8);
        }
    }
}

/* The guest's tlbwe, and what a test expects of an entry */
static int tlb_step(struct vcpu *vcpu, char **argv)
{
    struct arch_vcpu *a = vcpu->arch;
    uint64_t n, mas1, mas2, mas7_3;
    entry e;

    if (!parse_number(argv[1], &n) || !parse_number(argv[2], &mas1) ||
        !parse_number(argv[3], &mas2) || !parse_number(argv[4], &mas7_3) ||
        !a->array || n >= a->entries) {
        return 1;
    }
    if (!strcmp(argv[0], "tlbwe")) {
        e = (entry) { .mas1 = mas1, .mas2 = mas2, .mas7_3 = mas7_3 };
        a->known[n] = e;
        return user_write(a->array + n * sizeof(e), &e, sizeof(e)) != 0;
    }
    e = a->known[n];
    if (e.mas1 != mas1 || ((mas1 & VALID) && (e.mas2 != mas2 || e.mas7_3 != mas7_3))) {
        violation(RULE_SCRIPT, "TLB entry %llu is MAS1 0x%x MAS2 0x%llx MAS7_3 0x%llx",
                  (unsigned long long)n, e.mas1, (unsigned long long)e.mas2,
                  (unsigned long long)e.mas7_3);
    }
    return 0;
}

bool arch_hypercall(struct vcpu *vcpu, uint64_t nr)
{
    (void)vcpu, (void)nr;
    config_error("step hypercall: not on PowerPC; take it out of the script");
}

int arch_step(struct vcpu *vcpu, int argc, char **argv)
{
    const struct field *f = argc == 3 ? find_field(argv[1]) : NULL;
    uint64_t value;

    if (argc == 5 && (!strcmp(argv[0], "tlbwe") || !strcmp(argv[0], "expect-tlb"))) {
        return tlb_step(vcpu, argv);
    }
    if (!f || !parse_number(argv[2], &value)) {
        return 1;
    }
    if (!strcmp(argv[0], "set")) {
        set_field(vcpu->arch, f, value);
        return 0;
    }
    if (!strcmp(argv[0], "expect")) {
        if (get_field(vcpu->arch, f) != value) {
            violation(RULE_SCRIPT, "%s of %s is 0x%llx and was to be 0x%llx", argv[1],
                      vcpu->o.name, (unsigned long long)get_field(vcpu->arch, f),
                      (unsigned long long)value);
        }
        return 0;
    }
    return 1;
}

/* An address, with the PID from bit 32 on and the address space in bit 40 */
static bool mapped(struct arch_vcpu *a, uint64_t linear, uint64_t *physical)
{
    uint32_t address = linear, pid = linear >> 32 & 0xff, as = linear >> 40 & 1;

    for (unsigned i = 0; i < a->entries; i++) {
        entry *e = &a->known[i];
        uint64_t size = 1024ull << (e->mas1 >> 7 & 31);
        uint32_t tid = e->mas1 >> 16 & 0xff;

        if (i < a->params.tlb_sizes[0]) {
            size = 4096;        /* TLB0 has one page size */
        }
        if ((e->mas1 & VALID) && (!tid || tid == pid) && (e->mas1 >> 12 & 1) == as &&
            !((address ^ e->mas2) & ~(size - 1) & 0xfffff000)) {
            *physical = (e->mas7_3 & ~0xfffull & ~(size - 1)) | (address & (size - 1));
            return true;
        }
    }
    return false;
}

static int translate(struct call *c)
{
    struct kvm_translation *t = c->in;

    t->valid = mapped(((struct vcpu *)c->object)->arch, t->linear_address,
                      &t->physical_address);
    return 0;
}

/* QEMU has a vCPU take queued interrupts at a branch to itself. */
bool arch_loops(struct vcpu *vcpu)
{
    struct arch_vcpu *a = vcpu->arch;
    uint32_t insn;
    uint64_t pa;

    if (!mapped(a, a->regs.pc | (a->regs.msr >> 5 & 1) << 40, &pa)) {
        return false;
    }
    for (int i = 0; i < MAX_SLOTS; i++) {
        struct slot *s = &vcpu->o.vm->slots[i];

        if (s->used && pa >= s->gpa && pa - s->gpa < s->size) {
            return !user_read(&insn, s->hva + pa - s->gpa, 4) && insn == BRANCH_TO_SELF;
        }
    }
    return false;
}

/* --- vCPU and VM */

static struct device *mpic(struct vm *vm)
{
    return vm->n_devices ? vm->devices[0] : NULL;
}

static int connect_mpic(struct vcpu *vcpu, struct kvm_enable_cap *e)
{
    struct object *o = object_of(e->args[0]);

    if (!o) {
        return -EBADF;
    }
    if (o->kind != KIND_DEVICE || o->vm != vcpu->o.vm || e->args[1] >= 32) {
        violation(RULE_MPIC_ORDER, "%s is connected to %s as %llu", vcpu->o.name,
                  o->name, (unsigned long long)e->args[1]);
        return -EPERM;
    }
    if (vcpu->arch->mpic) {
        violation(RULE_MPIC_ORDER, "%s is connected twice", vcpu->o.name);
        return -EEXIST;
    }
    vcpu->arch->mpic = true;
    ((struct device *)o)->vcpus++;
    return 0;
}

static int enable_cap(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_enable_cap *e = c->in;
    int ret = check_enable_cap(e, e->cap == KVM_CAP_IRQ_MPIC ? 2 :
                               e->cap == KVM_CAP_SW_TLB || e->cap == KVM_CAP_PPC_EPR);

    if (ret) {
        return ret;
    }
    switch (e->cap) {
    case KVM_CAP_PPC_OSI:
    case KVM_CAP_PPC_EPR:
        return 0;
    case KVM_CAP_PPC_BOOKE_WATCHDOG:
        vcpu->arch->watchdog = true;
        return 0;
    case KVM_CAP_SW_TLB:
        return config_tlb(vcpu, e->args[0]);
    case KVM_CAP_IRQ_MPIC:
        return connect_mpic(vcpu, e);
    }
    return -EINVAL;
}

static int vm_enable_cap(struct call *c)
{
    return check_enable_cap(c->in, 0) ?: -EINVAL;       /* BookE has none */
}

static int interrupt(struct call *c)
{
    struct kvm_interrupt *irq = c->in;

    snprintf(c->extra, sizeof(c->extra), "%d", (int)irq->irq);
    if (irq->irq != KVM_INTERRUPT_SET && irq->irq != KVM_INTERRUPT_UNSET &&
        irq->irq != KVM_INTERRUPT_SET_LEVEL) {
        violation(RULE_IRQ_ORDER, "KVM_INTERRUPT of %d", (int)irq->irq);
    }
    ((struct vcpu *)c->object)->arch->interrupt = irq->irq != KVM_INTERRUPT_UNSET;
    return 0;
}

static int irq_line(struct call *c)
{
    struct kvm_irq_level *irq = c->in;
    struct device *d = mpic(c->object->vm);
    uint64_t base;

    snprintf(c->extra, sizeof(c->extra), "%u level %u", irq->irq, irq->level);
    if (!d || attr_get(d, KVM_DEV_MPIC_GRP_MISC, KVM_DEV_MPIC_BASE_ADDR, &base)) {
        violation(RULE_MPIC_ORDER, "an interrupt, and no MPIC with an address");
        return d ? 0 : -ENXIO;
    }
    attr_set(d, LINES, irq->irq, irq->level);
    return 0;
}

static int no_mp_state(struct call *c)
{
    (void)c;
    return -EINVAL;
}

static int get_pvinfo(struct call *c)
{
    /* A hypercall: lis r0, ori r0, sc, nop; the magic is KVM's signature. */
    struct kvm_ppc_pvinfo info = {
        .hcall = { 0x3c004b56, 0x60004d21, 0x44000002, 0x60000000 },
        .flags = 1,             /* KVM_PPC_PVINFO_FLAGS_EV_IDLE */
    };

    if (!profile.caps[KVM_CAP_PPC_GET_PVINFO]) {
        return -EINVAL;
    }
    return user_write(c->arg, &info, sizeof(info));
}

/* --- MPIC */

int arch_device_new(struct device *d)
{
    if (mpic(d->o.vm)) {
        violation(RULE_MPIC_ORDER, "a second MPIC");
        return -EINVAL;
    }
    d->o.vm->irqchip = true;
    return 0;
}

static bool mpic_has(uint64_t offset)
{
    return offset < 0x10f0 || (offset >= 0x10f0 && offset < 0x1310) ||
           (offset >= 0x1600 && offset < 0x1800) ||
           (offset >= 0x3800 && offset < 0x4000) ||
           (offset >= 0x10000 && offset < 0x12000) ||
           (offset >= 0x20000 && offset < 0x3f100);
}

/* write_IRQreg_ivpr() of Linux's arch/powerpc/kvm/mpic.c */
static uint32_t ivpr(uint32_t old, uint32_t value, bool sense, bool polarity)
{
    uint32_t keeps = 0x800fffff | (sense ? 0x400000 : 0) | (polarity ? 0x800000 : 0);

    return (old & 0x40000000) | (value & keeps);
}

/* write_IRQreg_idr(): the CPUs, and on the older one the same as critical */
static uint32_t idr(struct device *d, uint32_t value)
{
    uint32_t cpus = (1u << (d->vcpus ?: 1)) - 1;

    return value & (d->type == KVM_DEV_TYPE_FSL_MPIC_20 ?
                    cpus | cpus << (31 - (d->vcpus ?: 1)) | 0x80000000 : cpus);
}

static bool is_ilr(uint64_t offset)
{
    return offset >= 0x10000 && offset < 0x12000 && (offset & 0x1f) == 0x18;
}

static int mpic_register(struct device *d, uint32_t request,
                         struct kvm_device_attr *a, uint32_t *value)
{
    static const uint32_t timers[] = { 0, 0x80000000, 0x80000000, 0 };
    uint64_t offset = a->attr, old = 0, at = offset;
    bool set = request == (uint32_t)KVM_SET_DEVICE_ATTR, written = false, timer;

    if (offset & 3 || !mpic_has(offset)) {
        return -ENXIO;
    }
    /*
     * The timers' registers begin at 0x10f0. openpic_tmr_write() makes an address of the
     * offset from there, and openpic_tmr_read() does not: TBCR is written at 0x1110 and
     * read at 0x1100, and so on. They are there twice.
     */
    timer = offset >= 0x1100 && offset < 0x1310 && !(offset & 0xf);
    if (timer) {
        at = 0x1100 + ((set ? offset : offset - 0x10f0) & 0xff);
    }
    attr_get(d, a->group, offset, &old);
    for (size_t i = 0; i < d->n_attrs; i++) {
        if (d->attrs[i].group == a->group && d->attrs[i].attr == at) {
            old = d->attrs[i].value;
            written = true;
        }
    }
    if (!written && timer) {
        old = timers[at >> 4 & 3];
    }
    /* openpic_reset(): interrupts go to CPU 0; in a new MPIC there is none yet */
    if (!written && ((timer && (at & 0x30) == 0x30) ||
                     (offset >= 0x10000 && offset < 0x12000 && (offset & 0x1f) == 0x10))) {
        old = d->initialised && d->vcpus;
    }
    if (offset >= 0x20000 && (offset & 0xfff) == 0x90) {
        old = (offset - 0x20000) >> 12;         /* WHOAMI */
    }
    if (!set) {
        *value = old;
        return 0;
    }
    if (offset & 7 || (offset < 0x10000 && offset & 0xf)) {
        return 0;
    }
    switch (offset) {
    case 0x1020:                /* GCR: bit 31 resets all, but for what openpic_reset() forgets */
        if (*value & 0x80000000) {
            for (size_t i = d->n_attrs; i--; ) {
                if (d->attrs[i].group == a->group && !is_ilr(d->attrs[i].attr)) {
                    d->attrs[i] = d->attrs[--d->n_attrs];
                }
            }
            d->initialised = true;
            return 0;
        }
        *value &= d->type == KVM_DEV_TYPE_FSL_MPIC_42 ? 0x60000000 : 0x20000000;
        break;
    case 0x1090:                /* PIR */
        return -ENXIO;
    case 0x10a0: case 0x10b0: case 0x10c0: case 0x10d0:
        *value = ivpr(old, *value, false, false);
        break;
    case 0x10e0:
        *value &= 0xffff;
        break;
    case 0x10f0:                /* TFRR */
        break;
    case 0x1100 ... 0x130f:
        if (!(offset & 0x30)) {
            return 0;           /* TCCR */
        }
        *value = (offset & 0x30) == 0x20 ? ivpr(old, *value, false, false) :
                 (offset & 0x30) == 0x30 ? idr(d, *value) : *value;
        break;
    case 0x10000 ... 0x11fff:
        if (!(offset & 0x1f)) {
            *value = ivpr(old, *value, offset < 0x10200, true);
        } else if ((offset & 0x1f) == 0x10) {
            *value = idr(d, *value);
        } else if (is_ilr(offset) && d->type == KVM_DEV_TYPE_FSL_MPIC_42) {
            *value &= 0xff;
        } else {
            return 0;
        }
        break;
    default:
        if (offset < 0x20000 || (offset & 0xfff) != 0x80) {
            return 0;           /* read-only, or of the CPU that asks, and the user is none */
        }
        *value &= 0xf;          /* CTPR */
    }
    attr_set(d, a->group, at, *value);
    return 0;
}

int arch_device_attr(struct device *d, unsigned long request,
                     struct kvm_device_attr *a)
{
    uint32_t r = request, value32 = 0;
    bool set = r == (uint32_t)KVM_SET_DEVICE_ATTR;
    bool has = r == (uint32_t)KVM_HAS_DEVICE_ATTR;
    uint64_t value64 = 0;
    int ret = 0;

    switch (a->group) {
    case KVM_DEV_MPIC_GRP_MISC:
        if (a->attr != KVM_DEV_MPIC_BASE_ADDR) {
            return -ENXIO;
        }
        if (has) {
            return 0;
        }
        if (!set) {
            attr_get(d, a->group, a->attr, &value64);
            ret = user_write(a->addr, &value64, 8);
            break;
        }
        ret = user_read(&value64, a->addr, 8);
        if (!ret && value64 & 0x3ffff) {
            violation(RULE_MPIC_ORDER, "base address 0x%llx", (unsigned long long)value64);
            return -EINVAL;
        }
        if (!ret) {
            attr_set(d, a->group, a->attr, value64);
        }
        break;
    case KVM_DEV_MPIC_GRP_REGISTER:
        if (has) {
            return 0;
        }
        for (int i = 0; i < MAX_VCPUS; i++) {
            struct vcpu *v = d->o.vm->vcpus[i];

            /* The interrupts of a guest that runs are its own. */
            if (set && v && v->running && a->attr >= 0x20000 &&
                (a->attr & 0xfff) == 0xb0) {
                violation(RULE_RUNNING, "%s's interrupt is ended, and it runs", v->o.name);
            }
        }
        if (set) {
            ret = user_read(&value32, a->addr, 4);
        }
        if (!ret) {
            ret = mpic_register(d, r, a, &value32);
            if (ret) {
                return ret;
            }
        }
        if (!ret && !set) {
            ret = user_write(a->addr, &value32, 4);
        }
        break;
    case KVM_DEV_MPIC_GRP_IRQ_ACTIVE:
        if (a->attr > 256) {
            return has ? -ENXIO : -EINVAL;
        }
        if (has) {
            return 0;
        }
        if (set) {
            ret = user_read(&value32, a->addr, 4);
            if (!ret && value32 > 1) {
                return -EINVAL;
            }
            if (!ret) {
                attr_set(d, a->group, a->attr, value32);
            }
        } else {
            attr_get(d, a->group, a->attr, &value64);
            value32 = value64;
            ret = user_write(a->addr, &value32, 4);
        }
        break;
    default:
        return -ENXIO;
    }
    if (ret) {
        violation(RULE_POINTER, "the attribute's value at 0x%llx", (unsigned long long)a->addr);
    }
    return ret;
}

/* --- what a guest does */

/* What its supervisor can write of a field, and has reason to */
static uint64_t guest_writes(struct arch_vcpu *a, const struct field *f)
{
    static const struct { const char *name; uint64_t bits; } some[] = {
        { "msr", 0x2d200 },     /* without SPE, FP, WE and the address spaces */
        { "xer", 0xe000007f }, { "cr", UINT32_MAX }, { "pid", 0xff }, { "pc", 0xfffffffc },
        { "tcr", 0xcfdfe000 },  /* a watchdog that resets is there until the reset */
        { "tsr", 0x0c000000 },  /* QEMU ends a watchdog's time-out whenever the guest goes on */
        { "ivpr", 0xffff0000 }, { "mas7_3", 0xfffffffff },
        { "mas2", UINT32_MAX },
        /* of the CPU or the kernel, read-only, or in no structure that the kernel takes */
        { "features", 0 }, { "impl_id", 0 }, { "svr", 0 }, { "pir", 0 }, { "pvr", 0 },
        { "mcar", 0 }, { "sprg8", 0 }, { "epr", 0 }, { "vrsave", 0 }, { "epcr", 0 },
        { "mmucfg", 0 }, { "eptcfg", 0 }, { "tlbcfg0", 0 }, { "tlbcfg1", 0 }, { "tlbcfg2", 0 },
        { "tlbps0", 0 }, { "tlbps1", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
        if (!strcmp(some[i].name, f->name)) {
            return some[i].bits;
        }
    }
    if (!strncmp(f->name, "ivor", 4)) {
        return get_field(a, f) ? 0xfff0 : 0;    /* those that the core has */
    }
    return f->size == 4 ? UINT32_MAX : (unsigned long)-1;
}

static void scribble_tlbs(struct vcpu *vcpu, uint64_t seed)
{
    struct arch_vcpu *a = vcpu->arch;
    unsigned tlb0 = a->params.tlb_sizes[0], sets = tlb0 / (a->params.tlb_ways[0] ?: 1);

    for (unsigned n = 0; n < a->entries; n += n < tlb0 ? 11 : 3) {
        uint64_t r = scribbled(seed, n, vcpu->id), size = n < tlb0 ? 4096 : 4096 << (r % 5 * 2);
        entry e = { .mas1 = VALID | (r >> 8 & 0x3f0000) | (r >> 20 & 0x1000) };

        e.mas1 |= (__builtin_ctzll(size) - 10) << 7 | (n < tlb0 ? 0 : r & 0x40000000);
        e.mas2 = ((uint32_t)(r >> 13) & -size) | (r & 0x1f);
        if (n < tlb0) {         /* an address of its set */
            e.mas2 = (e.mas2 & ~((uint64_t)(sets - 1) << 12)) |
                     (uint64_t)(n / a->params.tlb_ways[0]) << 12;
        }
        e.mas7_3 = ((r >> 17 & 0xfffffffff) & -size) | (r & 0x3f);
        a->known[n] = e;
        user_write(a->array + n * sizeof(e), &e, sizeof(e));
    }
}

void arch_scribble(struct vcpu *vcpu, uint64_t seed)
{
    struct arch_vcpu *a = vcpu->arch;

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        uint64_t bits = guest_writes(a, &fields[i]);
        uint64_t value = scribbled(seed, i, vcpu->id) & bits;

        if (bits) {
            set_field(a, &fields[i], (get_field(a, &fields[i]) & ~bits) | (value ?: bits));
        }
    }
    for (size_t i = 0; i < profile.n_regs; i++) {
        const struct profile_reg *p = &profile.regs[i];

        if (p == find_reg(p->id) && p->how == HOW_RW && !p->ticks && !p->gone && !alias(p->id)) {
            uint64_t size = one_reg_size(p->id);

            a->others[i] = scribbled(seed, p->id, vcpu->id) & p->mask &
                           (size < sizeof(long) ? UINT32_MAX : (unsigned long)-1);
        }
    }
    scribble_tlbs(vcpu, seed);
}

void arch_scribble_device(struct device *d, uint64_t seed)
{
    struct kvm_device_attr a = { .group = KVM_DEV_MPIC_GRP_REGISTER };

    for (a.attr = 0x1020; a.attr < 0x20000 + (uint64_t)d->vcpus * 0x1000; a.attr += 8) {
        uint32_t value = scribbled(seed, a.attr, 0);

        /* no reset, and nothing that asks for an interrupt now */
        if (mpic_has(a.attr) && a.attr != 0x1090 && (a.attr < 0x1400 || a.attr >= 0x10000) &&
            (a.attr < 0x20000 || (a.attr & 0xfff) == 0x80)) {
            value &= a.attr == 0x1020 ? 0x60000000 : UINT32_MAX;
            mpic_register(d, KVM_SET_DEVICE_ATTR, &a, &value);
        }
    }
}

const struct call_type arch_calls[] = {
    T(KVM_ENABLE_CAP, KIND_VCPU, struct kvm_enable_cap, IN, enable_cap),
    T(KVM_ENABLE_CAP, KIND_VM, struct kvm_enable_cap, IN, vm_enable_cap),
    V(KVM_PPC_GET_PVINFO, KIND_VM, 0, get_pvinfo),
    T(KVM_IRQ_LINE, KIND_VM, struct kvm_irq_level, IN, irq_line),
    T(KVM_IRQ_LINE_STATUS, KIND_VM, struct kvm_irq_level, IN | OUT, irq_line),
    T(KVM_GET_REGS, KIND_VCPU, struct kvm_regs, OUT | STATE, get_regs),
    T(KVM_SET_REGS, KIND_VCPU, struct kvm_regs, IN | STATE, set_regs),
    T(KVM_GET_SREGS, KIND_VCPU, struct kvm_sregs, OUT | STATE, get_sregs),
    T(KVM_SET_SREGS, KIND_VCPU, struct kvm_sregs, IN | STATE, set_sregs),
    T(KVM_GET_FPU, KIND_VCPU, struct kvm_fpu, OUT | STATE, no_fpu),
    T(KVM_SET_FPU, KIND_VCPU, struct kvm_fpu, IN | STATE, no_fpu),
    T(KVM_GET_ONE_REG, KIND_VCPU, struct kvm_one_reg, IN | STATE, one_reg),
    T(KVM_SET_ONE_REG, KIND_VCPU, struct kvm_one_reg, IN | STATE, one_reg),
    T(KVM_INTERRUPT, KIND_VCPU, struct kvm_interrupt, IN | ASYNC, interrupt),
    T(KVM_DIRTY_TLB, KIND_VCPU, struct kvm_dirty_tlb, IN, dirty_tlb),
    T(KVM_TRANSLATE, KIND_VCPU, struct kvm_translation, IN | OUT, translate),
    T(KVM_GET_MP_STATE, KIND_VCPU, struct kvm_mp_state, OUT | STATE, no_mp_state),
    T(KVM_SET_MP_STATE, KIND_VCPU, struct kvm_mp_state, IN | STATE, no_mp_state),
    { }
};

#endif
