// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AArch64: vCPU targets and features, registers, the vGIC.
 */
#ifdef __aarch64__

#include "sim.h"
#include "../lib/faults.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

const char arch_name[] = "arm64";
const int arch_vm_unknown = EINVAL;

#define FEATURES 7              /* bits that Linux up to 7.2 knows, but EL2's */
#define HAS_POWER_OFF (1u << KVM_ARM_VCPU_POWER_OFF)
#define HAS_EL1_32BIT (1u << KVM_ARM_VCPU_EL1_32BIT)
#define HAS_PMU (1u << KVM_ARM_VCPU_PMU_V3)
#define HAS_SVE (1u << KVM_ARM_VCPU_SVE)
#define HAS_PAUTH (3u << KVM_ARM_VCPU_PTRAUTH_ADDRESS)

#define CAP_ARM_MTE 205
#define CAP_EAGER_SPLIT 228
#define CAP_IMP_ID_REGS 239
#define CORE_GROUP 0x10
#define CCSIDR_GROUP 0x11
#define SVE_GROUP 0x15
#define SVE_VLS 0x15ffff
#define LINES 0x100             /* no group: the levels of KVM_IRQ_LINE */
#define REG_X0 0x6030000000100000
#define REG_PC 0x6030000000100040
#define SYSREG(op0, op1, crn, crm, op2) \
    (0x6030000000130000 | (op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define REG_PFR0 SYSREG(3, 0, 0, 4, 0)  /* ID_AA64PFR0_EL1; GIC in 27:24 */
#define REG_PFR1 SYSREG(3, 0, 0, 1, 1)  /* ID_PFR1_EL1; GIC in 31:28 */
#define REG_AA64PFR1 SYSREG(3, 0, 0, 4, 1) /* SSBS in 7:4 */
#define FW_PSCI_VERSION 0x6030000000140000
#define FW_WORKAROUND_2 0x6030000000140002
#define PSTATE 0x6030000000100042
#define REG_SP_EL1 0x6030000000100044
#define REG_ELR_EL1 0x6030000000100046
#define REG_SPSR_EL1 0x6030000000100048
#define REG_FPSR 0x60200000001000d4
#define REG_FPCR 0x60200000001000d5
/* The virtual timer's counter and value have each other's ids: asm/kvm.h */
#define TIMER_CTL SYSREG(3, 3, 14, 3, 1)
#define TIMER_CNT SYSREG(3, 3, 14, 3, 2)
#define TIMER_CVAL SYSREG(3, 3, 14, 0, 2)
#define PTIMER_CTL SYSREG(3, 3, 14, 2, 1)
#define PTIMER_CNT SYSREG(3, 3, 14, 0, 1)
#define PTIMER_CVAL SYSREG(3, 3, 14, 2, 2)
#define FIRMWARE_GROUP 0x14
#define HYPERCALL_GROUP 0x16
#define REG_TARGET_UNSET UINT32_MAX
#define VM_SMCCC_CTRL 0
#define VM_SMCCC_FILTER 0
#define FORWARD 2               /* KVM_SMCCC_FILTER_FWD_TO_USER, the last action */

/* Of KVM_DEV_TYPE_ARM_VGIC_V3 and _ITS; a device's registers are 64 KiB pages */
#define GICD_TYPER 4
#define GICD_IIDR 8
#define GICD_STATUSR 0x10
#define GICR_PROPBASER 0x70
#define GICR_TYPER 8
#define GITS_CTLR 0
#define GITS_IIDR 4
#define GITS_CBASER 0x80
#define GITS_CWRITER 0x88
#define GITS_CREADR 0x90
#define GITS_BASER 0x100
#define ICC_PMR 0xc230
#define ICC_BPR0 0xc643
#define ICC_BPR1 0xc663
#define ICC_CTLR 0xc664
#define ICC_SRE 0xc665
#define ICC_IGRPEN0 0xc666
#define ICC_IGRPEN1 0xc667

struct reg {
    const struct profile_reg *p;
    uint8_t *data;
    bool other_view;            /* of another register's data */
};

/* struct kvm_smccc_filter */
struct smccc_filter {
    uint32_t base, nr_functions;
    uint8_t action, pad[15];
};

struct arch_vm {
    uint32_t target, features;  /* of the first vCPU */
    bool imp;                   /* MIDR_EL1 and the like can be written */
    struct { uint64_t id, value; } *shared;     /* what differs from the profile */
    size_t n_shared;
    unsigned nr_irqs;
    uint64_t counter_base[2];   /* of the virtual and the physical counter */
    int less_pmu;               /* so many of the PMU's counters were taken away */
    struct smccc_filter filters[8];
    size_t n_filters;
};

struct arch_vcpu {
    bool initialised, finalized;
    uint32_t target, features;
    struct reg *regs;
    size_t n_regs;
    bool pmu_irq, pmu_initialised;
    struct kvm_vcpu_events events;
};

void arch_start(void)
{
}

void arch_vm_new(struct vm *vm)
{
    vm->arch = calloc(1, sizeof(*vm->arch));
    vm->arch->target = REG_TARGET_UNSET;
}

void arch_vm_free(struct vm *vm)
{
    free(vm->arch->shared);
    free(vm->arch);
}

/* The type is the guest's physical address bits; 0 is 40. */
int arch_vm_type_check(uint64_t type)
{
    int most = profile.caps[KVM_CAP_ARM_VM_IPA_SIZE];

    if (!type) {
        return most && most < 40 ? -EINVAL : 0;
    }
    return type & ~0xffull || type < 32 || (int)type > (most ?: 40) ? -EINVAL
                                                                    : 0;
}

static struct device *vgic(struct vm *vm)
{
    for (size_t i = 0; i < vm->n_devices; i++) {
        if (vm->devices[i]->type == KVM_DEV_TYPE_ARM_VGIC_V3 ||
            vm->devices[i]->type == KVM_DEV_TYPE_ARM_VGIC_V2) {
            return vm->devices[i];
        }
    }
    return NULL;
}

int arch_vcpu_new(struct vcpu *vcpu)
{
    struct device *gic = vgic(vcpu->o.vm);

    if (gic && gic->initialised) {
        violation(RULE_VGIC_ORDER, "a vCPU is made after the vGIC was initialised");
        return -EBUSY;
    }
    vcpu->arch = calloc(1, sizeof(*vcpu->arch));
    vcpu->arch->target = REG_TARGET_UNSET;
    return 0;
}

static void free_regs(struct arch_vcpu *a)
{
    for (size_t i = 0; i < a->n_regs; i++) {
        if (!a->regs[i].other_view) {
            free(a->regs[i].data);
        }
    }
    free(a->regs);
    a->regs = NULL;
    a->n_regs = 0;
}

void arch_vcpu_free(struct vcpu *vcpu)
{
    free_regs(vcpu->arch);
    free(vcpu->arch);
}

/* --- registers */

static struct reg *find_reg(struct vcpu *vcpu, uint64_t id)
{
    for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
        if (vcpu->arch->regs[i].p->id == id) {
            return &vcpu->arch->regs[i];
        }
    }
    return NULL;
}

/*
 * What is one for all vCPUs of a VM, by Linux's arch/arm64/kvm: is_vm_ftr_id_reg() of
 * sys_regs.c (6.1, where only CSV2 and CSV3 can be written at all, has them in struct
 * kvm_arch as well; MIDR_EL1 and its like came with 6.15), kvm_psci_version() and
 * kvm_arm_set_fw_reg_bmap() of hypercalls.c.
 */
static bool vm_wide(uint64_t id)
{
    unsigned group = id >> 16 & 0xfff, crm = id >> 3 & 0xf;

    if (group == FIRMWARE_GROUP) {
        return !(id & 0xffff);          /* KVM_REG_ARM_PSCI_VERSION */
    }
    return group == HYPERCALL_GROUP ||
           ((id & ~0x7full) == SYSREG(3, 0, 0, 0, 0) && crm >= 1 && crm < 8) ||
           (profile.kernel >= 612 && id == SYSREG(3, 3, 0, 0, 1)) ||    /* CTR_EL0 */
           (profile.kernel >= 615 && (id == SYSREG(3, 0, 0, 0, 0) ||
                                      id == SYSREG(3, 0, 0, 0, 6) ||
                                      id == SYSREG(3, 1, 0, 0, 7)));
}

/* A vCPU's own identification: is_vcpu_ftr_id_reg(), and CCSIDR_EL1 */
static bool vcpu_id_reg(uint64_t id)
{
    unsigned op1 = id >> 11 & 7;

    return (id >> 16 & 0xfff) == CCSIDR_GROUP ||
           (!vm_wide(id) && op1 != 2 && op1 < 4 && (id & ~0x383full) == SYSREG(3, 0, 0, 0, 0));
}

/*
 * What a further KVM_ARM_VCPU_INIT leaves alone. kvm_reset_vcpu() of reset.c clears struct
 * user_pt_regs, in which these three of EL1 are not, and kvm_timer_vcpu_reset() the timers'
 * control; their values are reset as well in 7.2, where TIMER_REG() has them. Since Linux 6.6 reset_vcpu_ftr_id_reg() of sys_regs.c sets
 * a vCPU's identification the first time only; struct kvm_vcpu_arch.ccsidr is never reset.
 */
static bool set_once(uint64_t id)
{
    return id == REG_SP_EL1 || id == REG_ELR_EL1 || id == REG_SPSR_EL1 ||
           ((id == TIMER_CVAL || id == PTIMER_CVAL) && profile.kernel <= 612) || (profile.kernel >= 606 && vcpu_id_reg(id));
}

/*
 * Set and clear are two views of one word: .reg of these in sys_reg_descs[]. What is
 * written through either is what it is then (Linux 6.1, and again since 6.15); in
 * between, set_pmreg() set and cleared those bits.
 */
static const struct { uint64_t set, clear; } pairs[] = {
    { SYSREG(3, 0, 9, 14, 1), SYSREG(3, 0, 9, 14, 2) },     /* PMINTENSET_EL1 */
    { SYSREG(3, 3, 9, 12, 1), SYSREG(3, 3, 9, 12, 2) },     /* PMCNTENSET_EL0 */
    { SYSREG(3, 3, 9, 14, 3), SYSREG(3, 3, 9, 12, 3) },     /* PMOVSSET_EL0 */
};

#define PMCR SYSREG(3, 3, 9, 12, 0)

static int pair_of(uint64_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        if (id == pairs[i].set || id == pairs[i].clear) {
            return i;
        }
    }
    return -1;
}

/* PMCR_EL0.N of the VM: since Linux 6.7 it can be made less, set_pmcr() */
static unsigned pmu_counters(struct vcpu *vcpu)
{
    struct reg *pmcr = find_reg(vcpu, PMCR);

    return pmcr ? (pmcr->p->value[0] >> 11 & 31) - vcpu->o.vm->arch->less_pmu : 0;
}

/* kvm_pmu_accessible_counter_mask() */
static uint64_t pmu_mask(struct vcpu *vcpu)
{
    return profile.kernel >= 607 ? 1u << 31 | ((1u << pmu_counters(vcpu)) - 1) : UINT64_MAX;
}

static uint64_t initial(struct vcpu *vcpu, const struct profile_reg *p)
{
    uint64_t value = p->value[0];
    struct arch_vm *vm = vcpu->o.vm->arch;

    if (p->vcpu_id) {
        value = (value & ~0xff0full) | (vcpu->id & 0xf) |
                (vcpu->id >> 4 & 0xff) << 8;
    }
    for (size_t i = 0; i < vm->n_shared; i++) {
        if (vm->shared[i].id == p->id) {
            value = vm->shared[i].value;
        }
    }
    return value;
}

/* Those of the profile that a vCPU with these features has, as after a reset */
static void reset_regs(struct vcpu *vcpu)
{
    struct arch_vcpu *a = vcpu->arch, before = *a;

    a->n_regs = 0;
    a->regs = calloc(profile.n_regs, sizeof(*a->regs));
    for (size_t i = 0; i < profile.n_regs; i++) {
        const struct profile_reg *p = &profile.regs[i];
        struct reg *r;

        if ((p->features & a->features) != p->features ||
            (p->without & a->features)) {
            continue;
        }
        r = find_reg(vcpu, p->id);
        if (!r) {
            r = &a->regs[a->n_regs++];
            r->data = calloc(1, 256);
        }
        r->p = p;
        memset(r->data, 0, 256);
        memcpy(r->data, &(uint64_t) { initial(vcpu, p) }, 8);
        memcpy(r->data + 8, &p->value[1], 8);
        for (size_t n = 0; set_once(p->id) && n < before.n_regs; n++) {
            if (before.regs[n].p->id == p->id) {
                memcpy(r->data, before.regs[n].data, 8);
            }
        }
    }
    free_regs(&before);
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct reg *set = find_reg(vcpu, pairs[i].set), *clear = find_reg(vcpu, pairs[i].clear);

        if (set && clear) {
            free(clear->data);
            clear->data = set->data;
            clear->other_view = true;
            memcpy(set->data, &(uint64_t) { set->p->value[0] & pmu_mask(vcpu) }, 8);
        }
    }
}

static void share(struct vm *vm, uint64_t id, uint64_t value)
{
    struct arch_vm *a = vm->arch;
    size_t i;

    for (i = 0; i < a->n_shared && a->shared[i].id != id; i++) {
    }
    if (i == a->n_shared) {
        a->shared = realloc(a->shared, (i + 1) * sizeof(*a->shared));
        a->n_shared++;
    }
    a->shared[i].id = id;
    a->shared[i].value = value;
    for (int n = 0; n < MAX_VCPUS; n++) {
        struct reg *r = vm->vcpus[n] ? find_reg(vm->vcpus[n], id) : NULL;

        if (r) {
            memcpy(r->data, &value, 8);
        }
    }
}

/* Some bits of a register that is one for the VM, once there is a vCPU that has it */
static void share_bits(struct vm *vm, uint64_t id, uint64_t mask, uint64_t bits)
{
    for (int n = 0; n < MAX_VCPUS; n++) {
        struct reg *r = vm->vcpus[n] ? find_reg(vm->vcpus[n], id) : NULL;
        uint64_t value;

        if (r) {
            memcpy(&value, r->data, 8);
            share(vm, id, (value & ~mask) | bits);
            return;
        }
    }
}

/* 0, or the errno of an id that is none */
static int malformed(struct vcpu *vcpu, uint64_t id)
{
    unsigned group = id >> 16 & 0xfff;
    unsigned size = one_reg_size(id);
    bool other_arch = (id & KVM_REG_ARCH_MASK) != KVM_REG_ARM64;

    if (!other_arch && group == CORE_GROUP) {
        for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
            uint64_t known = vcpu->arch->regs[i].p->id;

            if ((known ^ id) && !((known ^ id) & ~KVM_REG_SIZE_MASK)) {
                violation(RULE_REG_ID, "id 0x%llx, and its size is that of 0x%llx",
                          (unsigned long long)id, (unsigned long long)known);
                return EINVAL;
            }
        }
    }
    if (other_arch || size > 256 || size < 4 || group < CORE_GROUP ||
        group > 0x16 || group == 0x12 || (id & 0x000ffffff0000000)) {
        violation(RULE_REG_ID, "id 0x%llx", (unsigned long long)id);
        return other_arch ? EINVAL : ENOENT;
    }
    return 0;
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 62500000ull + t.tv_nsec / 16;
}

/*
 * A counter's distance from the host's is one for the VM: timer_set_offset() of
 * arch_timer.c, update_vtimer_cntvoff() in Linux 6.1.
 */
static uint64_t *counter_base(struct vcpu *vcpu, uint64_t id)
{
    return &vcpu->o.vm->arch->counter_base[id != TIMER_CNT];
}

static void get_value(struct vcpu *vcpu, const struct reg *r, uint64_t *value)
{
    memcpy(value, r->data, 8);
    if (r->p->ticks) {
        *value = now() - *counter_base(vcpu, r->p->id);
    }
    if (r->p->id == PMCR && profile.kernel >= 607) {
        *value = (*value & ~0xf800ull) | pmu_counters(vcpu) << 11;
    } else if (pair_of(r->p->id) >= 0) {
        *value &= pmu_mask(vcpu);
    }
    /*
     * get_kernel_wa_level() of hypercalls.c: a host that has SSBS is mitigated by it, and
     * a guest that does not see it is told that the host needs no workaround.
     */
    if (r->p->id == FW_WORKAROUND_2 && profile.kernel >= 612) {
        struct reg *pfr1 = find_reg(vcpu, REG_AA64PFR1);

        if (pfr1 && (pfr1->p->value[0] & 0xf0) && !(pfr1->data[0] & 0xf0)) {
            *value = KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED;
        }
    }
    /*
     * read_timer_ctl() of arch_timer.c: ISTATUS, whether the timer is enabled or not. In 7.2
     * only the guest sees it: arch_timer_get_user() of sys_regs.c.
     */
    if ((r->p->id == TIMER_CTL || r->p->id == PTIMER_CTL) && profile.kernel <= 612) {
        bool virtual = r->p->id == TIMER_CTL;
        struct reg *cval = find_reg(vcpu, virtual ? TIMER_CVAL : PTIMER_CVAL);
        uint64_t at = 0;

        if (cval) {
            memcpy(&at, cval->data, 8);
        }
        *value &= ~4ull;
        if (at <= now() - *counter_base(vcpu, virtual ? TIMER_CNT : PTIMER_CNT)) {
            *value |= 4;
        }
    }
}

/* KVM_REG_ARM_PSCI_VERSION: kvm_arm_set_fw_reg() */
static bool psci_known(struct vcpu *vcpu, uint64_t version)
{
    if (!(vcpu->arch->features & 1u << KVM_ARM_VCPU_PSCI_0_2)) {
        return version == 1;
    }
    return version == 2 || version == 0x10000 || version == 0x10001 ||
           (profile.kernel >= 613 && (version == 0x10002 || version == 0x10003));
}

/* How many bytes of a register there are with the vCPU's longest vector */
static size_t sve_bytes(struct vcpu *vcpu, uint64_t id, size_t size)
{
    struct reg *vls = find_reg(vcpu, 0x6060000000000000 | SVE_VLS);
    uint64_t lengths = 0;

    if ((id >> 16 & 0xfff) != SVE_GROUP || (id & 0xfffffff) == SVE_VLS || !vls) {
        return size;
    }
    memcpy(&lengths, vls->data, 8);
    return lengths ? size / 16 * (64 - __builtin_clzll(lengths)) : 0;
}

static int set_value(struct vcpu *vcpu, struct reg *r, const uint8_t *data,
                     size_t size)
{
    const struct profile_reg *p = r->p;
    unsigned group = p->id >> 16 & 0xfff;
    bool same = !memcmp(data, r->data, size);
    bool free_now = p->imp && vcpu->o.vm->arch->imp;
    uint64_t old, new = 0, n;
    int pair = pair_of(p->id);

    memcpy(&old, r->data, 8);
    memcpy(&new, data, size < 8 ? size : 8);
    n = new >> 11 & 31;
    if (p->ticks) {
        *counter_base(vcpu, p->id) = now() - new;
        return 0;
    }
    /* set_id_reg() since Linux 6.6, kvm_arm_set_fw_reg_bmap() */
    if (vm_wide(p->id) && vcpu->o.vm->ran && !same &&
        (group == HYPERCALL_GROUP || (group != FIRMWARE_GROUP && profile.kernel >= 606))) {
        return -EBUSY;
    }
    if (p->id == FW_PSCI_VERSION) {
        if (!psci_known(vcpu, new)) {
            return -EINVAL;
        }
    } else if (!free_now) {
        switch (p->how) {
        case HOW_RW:
            new = (new & p->mask) | (p->value[0] & ~p->mask);
            break;
        case HOW_WO:
            break;
        case HOW_SAME:
            return same ? 0 : -p->error;
        case HOW_RO:
            return -p->error;
        case HOW_KEEP:
            return 0;
        case HOW_FIELDS:
            for (int i = 0; i < 16; i++) {
                unsigned n = new >> 4 * i & 0xf;

                if (!(p->fields[i] >> n & 1) && n != (old >> 4 * i & 0xf)) {
                    return -p->error;
                }
            }
            break;
        }
    }
    if (p->id == PMCR && profile.kernel >= 607 && !vcpu->o.vm->ran && n <= (p->value[0] >> 11 & 31)) {
        vcpu->o.vm->arch->less_pmu = (p->value[0] >> 11 & 31) - n;
    }
    if (pair >= 0) {
        new &= pmu_mask(vcpu);
        if (profile.kernel >= 607 && profile.kernel < 615) {
            new = p->id == pairs[pair].set ? old | new : old & ~new;
        }
    }
    if (vm_wide(p->id)) {
        share(vcpu->o.vm, p->id, new);
        return 0;
    }
    if (group == FIRMWARE_GROUP) {
        return 0;               /* kvm_arm_set_fw_reg(): the host's workarounds; checked only */
    }
    memcpy(r->data, data, sve_bytes(vcpu, p->id, size));        /* sve_reg_to_region() */
    memcpy(r->data, &new, size < 8 ? size : 8);
    return 0;
}

/* The host's vector lengths up to any of them, and none less */
static int set_vls(struct reg *r, const uint8_t *data, uint64_t value)
{
    uint64_t up_to = value ? UINT64_MAX >> __builtin_clzll(value) : 0;

    if (!value || value != (r->p->value[0] & up_to)) {
        return -EINVAL;
    }
    memcpy(r->data, data, 64);
    return 0;
}

/* What stands before each use of a vCPU */
static int initialised(struct vcpu *vcpu)
{
    if (!vcpu->arch->initialised) {
        violation(RULE_INIT_FIRST, "%s is used before", vcpu->o.name);
        return -ENOEXEC;
    }
    return 0;
}

/*
 * Before Linux 6.3 CCSIDR_EL1 is that of the CPU that this runs on, and so is what is
 * compared with it: get_ccsidr() of sys_regs.c. A profile has no others that differ:
 * MIDR_EL1 is the boot CPU's (invariant_sys_regs[]), ID registers hold for all CPUs.
 */
static void as_here(struct reg *r)
{
    uint64_t value = r->p->value[0];
    bool differs = false;

    for (size_t k = 0; k < profile.n_cpus; k++) {
        const struct profile_cpus *cpus = &profile.cpus[k];

        for (size_t i = 0; i < cpus->n_regs; i++) {
            if (cpus->regs[i].id == r->p->id) {
                differs = true;
                value = cpus == cpus_here() ? cpus->regs[i].value : value;
            }
        }
    }
    if (differs) {
        memcpy(r->data, &value, 8);
    }
}

static int one_reg(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_one_reg *one = c->in;
    bool set = (uint32_t)c->type->request == (uint32_t)KVM_SET_ONE_REG;
    uint8_t data[256] = { };
    struct reg *r;
    size_t size;
    uint64_t value;
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    ret = malformed(vcpu, one->id);
    if (ret) {
        return -ret;
    }
    if ((one->id >> 16 & 0xfff) == SVE_GROUP && (vcpu->arch->features & HAS_SVE)) {
        bool vls = (one->id & 0xffff) == 0xffff;

        if (vls ? set && vcpu->arch->finalized : !vcpu->arch->finalized) {
            return -EPERM;
        }
    }
    r = find_reg(vcpu, one->id);
    if (!r || r->p->gone || fault_gone(one->id)) {
        return -ENOENT;
    }
    as_here(r);
    size = one_reg_size(one->id);
    if (set) {
        if (user_read(data, one->addr, size)) {
            violation(RULE_POINTER, "the value at 0x%llx cannot be read",
                      (unsigned long long)one->addr);
            return -EFAULT;
        }
        memcpy(&value, data, 8);
        ret = (one->id & 0xfffffff) == SVE_VLS ? set_vls(r, data, value) :
              set_value(vcpu, r, data, size);
    } else {
        if (r->p->how == HOW_WO) {
            return -r->p->error;
        }
        memcpy(data, r->data, size);
        get_value(vcpu, r, &value);
        memcpy(data, &value, size < 8 ? size : 8);
        if (user_write(one->addr, data, size)) {
            violation(RULE_POINTER, "the value at 0x%llx cannot be written",
                      (unsigned long long)one->addr);
            return -EFAULT;
        }
    }
    snprintf(c->extra, sizeof(c->extra), "0x%llx", (unsigned long long)value);
    return ret;
}

static int get_reg_list(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    uint64_t room, *head = c->in, n = 0;
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if ((vcpu->arch->features & HAS_SVE) && !vcpu->arch->finalized) {
        violation(RULE_FINALIZE_FIRST, "%s's registers are listed", vcpu->o.name);
        return -EPERM;
    }
    room = *head;
    for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
        const struct profile_reg *p = vcpu->arch->regs[i].p;

        n += !p->hidden && !p->gone && !fault_gone(p->id);
    }
    *head = n;
    if (n > room) {
        return -E2BIG;
    }
    n = 0;
    for (size_t i = 0; i < vcpu->arch->n_regs; i++) {
        const struct profile_reg *p = vcpu->arch->regs[i].p;

        if (p->hidden || p->gone || fault_gone(p->id)) {
            continue;
        }
        if (user_write(c->arg + 8 + 8 * n++, &p->id, 8)) {
            violation(RULE_POINTER, "the list has no room for %llu registers",
                      (unsigned long long)*head);
            return -EFAULT;
        }
    }
    return 0;
}

/* --- vCPU */

/* Whether KVM wants the target of the CPU that this runs on */
static bool own_target(void)
{
    return cpus_here() && profile.kernel < 606;
}

static int preferred_target(struct call *c)
{
    struct kvm_vcpu_init *init = c->in;

    if (profile.preferred < 0) {
        return -EINVAL;
    }
    init->target = own_target() ? cpus_here()->target : (uint32_t)profile.preferred;
    return 0;
}

/* kvm_target_cpu() of guest.c; since Linux 6.6 the generic one is taken as well */
static bool good_target(uint32_t target)
{
    if (!cpus_here()) {
        return target < 32 && profile.targets >> target & 1;
    }
    return target == cpus_here()->target ||
           (!own_target() && target == (uint32_t)profile.preferred);
}

static bool bad_features(struct vcpu *vcpu, uint32_t features)
{
    struct arch_vm *vm = vcpu->o.vm->arch;
    uint32_t pauth = features & HAS_PAUTH;

    if ((features & ~profile.features) ||
        (pauth && pauth != HAS_PAUTH) ||
        ((features & HAS_EL1_32BIT) && (features & profile.only64))) {
        return true;
    }
    /* One width for all; since Linux 6.5 all features, but POWER_OFF */
    return vm->target != REG_TARGET_UNSET &&
           ((features ^ vm->features) &
            (profile.masks ? ~HAS_POWER_OFF : HAS_EL1_32BIT));
}

static int vcpu_init(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_vcpu_init *init = c->in;
    struct arch_vcpu *a = vcpu->arch;
    uint32_t features = init->features[0];

    snprintf(c->extra, sizeof(c->extra), "target %u features 0x%x",
             init->target, features);
    if (!reserved_zero(&init->features[1], sizeof(init->features) - 4,
                       "features behind the first word")) {
        return -ENOENT;
    }
    if (!good_target(init->target)) {
        return -EINVAL;
    }
    if (features & ~profile.known_features) {
        return -ENOENT;
    }
    /* POWER_OFF belongs to the call since Linux 6.5, and to the vCPU before */
    if (a->initialised && (a->target != init->target ||
        (a->features ^ features) & (profile.masks ? ~HAS_POWER_OFF : ~0u))) {
        violation(RULE_INIT_SAME, "target %u features 0x%x, and before %u and 0x%x",
                  init->target, features, a->target, a->features);
        /* Linux 6.6 and later do not remember the target. */
        if (!profile.masks || (a->features ^ features) & ~HAS_POWER_OFF) {
            return -EINVAL;
        }
    }
    if (bad_features(vcpu, features)) {
        return -EINVAL;
    }
    if (vcpu->o.vm->arch->target == REG_TARGET_UNSET) {
        vcpu->o.vm->arch->target = init->target;
        vcpu->o.vm->arch->features = features;
    }
    a->target = init->target;
    a->features = features;
    a->initialised = true;
    if (!(features & HAS_SVE)) {
        a->finalized = true;
    }
    vcpu->mp_state.mp_state = features & HAS_POWER_OFF ? KVM_MP_STATE_STOPPED
                                                       : KVM_MP_STATE_RUNNABLE;
    /* vcpu_reset_hcr(): no SError is pending any more */
    memset(&a->events, 0, sizeof(a->events));
    reset_regs(vcpu);
    return 0;
}

static int vcpu_finalize(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    int *what = c->in, ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if (*what != KVM_ARM_VCPU_SVE || !(vcpu->arch->features & HAS_SVE)) {
        return -EINVAL;
    }
    if (vcpu->arch->finalized) {
        return -EPERM;
    }
    vcpu->arch->finalized = true;
    return 0;
}

static int get_mp_state(struct call *c)
{
    memcpy(c->in, &((struct vcpu *)c->object)->mp_state, 4);
    return 0;
}

static int set_mp_state(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    uint32_t state = *(uint32_t *)c->in;

    if (state != KVM_MP_STATE_RUNNABLE && state != KVM_MP_STATE_STOPPED) {
        return -EINVAL;
    }
    vcpu->mp_state.mp_state = state;
    return 0;
}

static int get_events(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;

    vcpu->arch->events.exception.serror_has_esr =
        profile.caps[KVM_CAP_ARM_INJECT_SERROR_ESR] > 0;
    memcpy(c->in, &vcpu->arch->events, sizeof(vcpu->arch->events));
    return profile.kernel > 612 ? initialised(vcpu) : 0;
}

/*
 * __kvm_arm_vcpu_set_events() of guest.c: an SError is made pending, and by zero it is
 * not taken back. Linux 7.2 has a guest take it at once that does not mask it, and any
 * has it take an external abort; both are not simulated.
 */
static int set_events(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_vcpu_events *events = c->in, *now = &vcpu->arch->events;
    bool ras = profile.caps[KVM_CAP_ARM_INJECT_SERROR_ESR] > 0;
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if (!reserved_zero(events->reserved, sizeof(events->reserved),
                       "struct kvm_vcpu_events' reserved words")) {
        return -EINVAL;
    }
    if (!events->exception.serror_pending) {
        return 0;
    }
    if (events->exception.serror_has_esr &&
        (!ras || events->exception.serror_esr & ~0x1ffffffull)) {   /* ESR_ELx.ISS */
        return -EINVAL;
    }
    now->exception.serror_pending = 1;
    if (ras) {                  /* else there is no register for it; ISV says "unknown" */
        now->exception.serror_esr = events->exception.serror_has_esr ?
                                    events->exception.serror_esr : 1 << 24;
    }
    return 0;
}

/* KVM_SET_DEVICE_ATTR and the like, on a vCPU */
static int vcpu_attr(struct call *c)
{
    struct vcpu *vcpu = (struct vcpu *)c->object;
    struct kvm_device_attr *a = c->in;
    uint32_t request = c->type->request;
    bool has = request == (uint32_t)KVM_HAS_DEVICE_ATTR;
    bool get = request == (uint32_t)KVM_GET_DEVICE_ATTR;
    struct device *gic = vgic(vcpu->o.vm);
    uint32_t irq = 0;
    uint64_t ipa;
    int ret = 0;

    if (a->flags) {
        violation(RULE_RESERVED, "flags of struct kvm_device_attr");
    }
    switch (a->group) {
    case KVM_ARM_VCPU_PMU_V3_CTRL:
        if (!(vcpu->arch->features & HAS_PMU)) {
            return has ? -ENXIO : -ENODEV;
        }
        if (a->attr > 3 || (get && a->attr)) {
            return -ENXIO;
        }
        if (has || get) {
            return has ? 0 : !vcpu->arch->pmu_irq ? -ENXIO :
                   user_write(a->addr, &irq, 4);
        }
        if (vcpu->arch->pmu_initialised) {
            return -EBUSY;
        }
        if (a->attr == KVM_ARM_VCPU_PMU_V3_IRQ) {
            ret = user_read(&irq, a->addr, 4);
            if (!ret && vcpu->arch->pmu_irq) {
                return -EBUSY;
            }
            if (!ret && (irq < 16 || irq > 31)) {
                return -EINVAL;
            }
            vcpu->arch->pmu_irq = !ret;
        } else if (a->attr == KVM_ARM_VCPU_PMU_V3_INIT) {
            if (gic && !gic->initialised) {
                violation(RULE_VGIC_ORDER, "the PMU is initialised before the vGIC");
                return -ENODEV;
            }
            if (gic && !vcpu->arch->pmu_irq) {
                return -ENXIO;
            }
            vcpu->arch->pmu_initialised = true;
        }
        break;
    case KVM_ARM_VCPU_TIMER_CTRL:
        if (a->attr > (profile.kernel >= 604 ? 3 : 1)) {
            return -ENXIO;
        }
        if (get) {
            irq = a->attr ? 30 : 27;
            return user_write(a->addr, &irq, 4);
        }
        if (!has) {
            ret = user_read(&irq, a->addr, 4);
            if (!ret && (irq < 16 || irq > 31)) {
                return -EINVAL;
            }
            if (!ret && vcpu->o.vm->ran) {
                return -EBUSY;
            }
        }
        break;
    case KVM_ARM_VCPU_PVTIME_CTRL:
        if (a->attr || !profile.caps[KVM_CAP_STEAL_TIME]) {
            return -ENXIO;
        }
        if (!has && !get) {
            ret = user_read(&ipa, a->addr, 8);
            if (!ret && (ipa & 63)) {
                return -EINVAL;
            }
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

int arch_run_enter(struct vcpu *vcpu)
{
    struct device *gic = vgic(vcpu->o.vm);
    int ret = initialised(vcpu);

    if (ret) {
        return ret;
    }
    if (!vcpu->arch->finalized) {
        violation(RULE_FINALIZE_FIRST, "%s is run", vcpu->o.name);
        return -EPERM;
    }
    if (gic && !gic->initialised) {
        violation(RULE_VGIC_ORDER, "%s runs before the vGIC is initialised", vcpu->o.name);
        return -ENODEV;
    }
    if ((vcpu->arch->features & HAS_PMU) && vcpu->arch->pmu_irq &&
        !vcpu->arch->pmu_initialised) {
        return -EINVAL;
    }
    /* kvm_finalize_sys_regs() of sys_regs.c */
    if (!gic && profile.kernel >= 612 && !vcpu->o.vm->ran) {
        share_bits(vcpu->o.vm, REG_PFR0, 0xf000000, 0);
        share_bits(vcpu->o.vm, REG_PFR1, 0xf0000000, 0);
    }
    return 0;
}

void arch_run_leave(struct vcpu *vcpu)
{
    (void)vcpu;
}

bool arch_loops(struct vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

void arch_state(struct vcpu *vcpu, FILE *f)
{
    struct arch_vcpu *a = vcpu->arch;

    fprintf(f, "vcpu%d:init %u,0x%x,pmu:%d%d\n", vcpu->id, a->target, a->features,
            a->pmu_irq, a->pmu_initialised);
    fprintf(f, "vcpu%d:events %u,%u,0x%llx\n", vcpu->id, a->events.exception.serror_pending,
            a->events.exception.serror_has_esr,
            (unsigned long long)a->events.exception.serror_esr);
    for (size_t i = 0; i < a->n_regs; i++) {
        const struct profile_reg *p = a->regs[i].p;
        size_t size = one_reg_size(p->id);

        if (p->ticks || p->gone) {
            continue;
        }
        fprintf(f, "vcpu%d:0x%llx ", vcpu->id, (unsigned long long)p->id);
        for (size_t n = size; n--; ) {
            fprintf(f, "%02x", a->regs[i].data[n]);
        }
        fprintf(f, "\n");
    }
}

int arch_step(struct vcpu *vcpu, int argc, char **argv)
{
    uint64_t id, value, is;
    struct reg *r;

    if (argc != 3 || (strcmp(argv[0], "set") && strcmp(argv[0], "expect"))) {
        return 1;
    }
    if (!strcmp(argv[1], "pc")) {
        id = REG_PC;
    } else if (!parse_reg_id(argv[1], &id)) {
        return 1;
    }
    r = find_reg(vcpu, id);
    if (!r || !parse_number(argv[2], &value)) {
        return 1;
    }
    if (!strcmp(argv[0], "set")) {
        memcpy(r->data, &value, one_reg_size(id) < 8 ? 4 : 8);
        return 0;
    }
    get_value(vcpu, r, &is);
    if (is != value) {
        violation(RULE_SCRIPT, "%s of %s is 0x%llx and was to be 0x%llx", argv[1],
                  vcpu->o.name, (unsigned long long)is, (unsigned long long)value);
    }
    return 0;
}

/* --- VM */

/* KVM_SET_DEVICE_ATTR and the like, on a VM: kvm_smccc_set_filter() of hypercalls.c */
static int vm_attr(struct call *c)
{
    struct vm *vm = c->object->vm;
    struct kvm_device_attr *a = c->in;
    struct smccc_filter f;
    uint64_t last;
    int ret;

    if (profile.kernel < 604) {
        return -EINVAL;
    }
    if (a->group != VM_SMCCC_CTRL || a->attr != VM_SMCCC_FILTER) {
        return -ENXIO;
    }
    if (c->type->request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    ret = user_read(&f, a->addr, sizeof(f));
    if (ret) {
        return ret;
    }
    last = (uint64_t)f.base + f.nr_functions - 1;
    for (size_t i = 0; i < sizeof(f.pad); i++) {
        if (f.pad[i]) {
            violation(RULE_RESERVED, "pad of struct kvm_smccc_filter");
        }
    }
    if (!f.nr_functions || last > UINT32_MAX || f.action > FORWARD) {
        return -EINVAL;
    }
    if (vm->ran) {
        return -EBUSY;
    }
    for (size_t i = 0; i < vm->arch->n_filters; i++) {
        const struct smccc_filter *o = &vm->arch->filters[i];

        if (f.base < (uint64_t)o->base + o->nr_functions && o->base <= last) {
            return -EEXIST;
        }
    }
    if (vm->arch->n_filters == ARRAY_SIZE(vm->arch->filters)) {
        return -ENOMEM;
    }
    vm->arch->filters[vm->arch->n_filters++] = f;
    return 0;
}

/* kvm_smccc_call_handler(): of what is forwarded; no call is done by KVM itself here */
bool arch_hypercall(struct vcpu *vcpu, uint64_t nr)
{
    struct arch_vm *a = vcpu->o.vm->arch;

    for (size_t i = 0; i < a->n_filters; i++) {
        if (nr - a->filters[i].base < a->filters[i].nr_functions &&
            a->filters[i].action == FORWARD) {
            vcpu->run->exit_reason = KVM_EXIT_HYPERCALL;
            memset(&vcpu->run->hypercall, 0, sizeof(vcpu->run->hypercall));
            vcpu->run->hypercall.nr = nr;
            return true;
        }
    }
    for (int x = 0; x < 4; x++) {
        struct reg *r = find_reg(vcpu, REG_X0 + 2 * x);

        memcpy(r->data, &(uint64_t) { x ? 0 : UINT64_MAX }, 8);
    }
    return false;
}

static int enable_cap(struct call *c)
{
    struct kvm_enable_cap *e = c->in;
    struct vm *vm = c->object->vm;
    int ret = check_enable_cap(e, e->cap == KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 ||
                                  e->cap == CAP_EAGER_SPLIT);

    if (ret) {
        return ret;
    }
    switch (e->cap) {
    case KVM_CAP_ARM_NISV_TO_USER:
    case KVM_CAP_HALT_POLL:
        return 0;
    case CAP_EAGER_SPLIT:
        return e->args[0] & 0xfff ? -EINVAL : 0;
    case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
        if (e->args[0] & ~(uint64_t)profile.caps[e->cap]) {
            return -EINVAL;
        }
        vm->protect = e->args[0];
        return 0;
    case CAP_ARM_MTE:
    case CAP_IMP_ID_REGS:
        if (vm->n_vcpus) {
            violation(RULE_CAP_BEFORE_VCPU, "capability %u, and %s has %d vCPUs",
                      e->cap, vm->o.name, vm->n_vcpus);
            return -EINVAL;
        }
        vm->arch->imp |= e->cap == CAP_IMP_ID_REGS;
        return 0;
    }
    return -EINVAL;
}

static int get_masks(struct call *c)
{
    struct { uint64_t addr; uint32_t range, reserved[13]; } *m = c->in;

    if (!profile.masks) {
        return -EINVAL;
    }
    if (!reserved_zero(m->reserved, sizeof(m->reserved),
                       "struct reg_mask_range's reserved words") || m->range) {
        return -EINVAL;
    }
    if (user_write(m->addr, profile.id_masks, sizeof(profile.id_masks))) {
        violation(RULE_POINTER, "the masks have no room of %zu bytes", sizeof(profile.id_masks));
        return -EFAULT;
    }
    return 0;
}

static int irq_line(struct call *c)
{
    struct kvm_irq_level *irq = c->in;
    struct vm *vm = c->object->vm;
    struct device *gic = vgic(vm);
    unsigned type = irq->irq >> KVM_ARM_IRQ_TYPE_SHIFT & KVM_ARM_IRQ_TYPE_MASK;
    unsigned n = irq->irq & KVM_ARM_IRQ_NUM_MASK;
    unsigned cpu = (irq->irq >> KVM_ARM_IRQ_VCPU_SHIFT & KVM_ARM_IRQ_VCPU_MASK) +
                   256 * (irq->irq >> KVM_ARM_IRQ_VCPU2_SHIFT & KVM_ARM_IRQ_VCPU2_MASK);

    snprintf(c->extra, sizeof(c->extra), "type %u vcpu %u number %u level %u",
             type, cpu, n, irq->level);
    if (type == KVM_ARM_IRQ_TYPE_CPU) {
        if (gic) {
            return -ENXIO;
        }
        return n > KVM_ARM_IRQ_CPU_FIQ ? -EINVAL : 0;
    }
    if (!gic || !gic->initialised) {
        violation(RULE_IRQ_ORDER, "an interrupt, and no vGIC that is initialised");
        return -ENXIO;
    }
    if (type == KVM_ARM_IRQ_TYPE_PPI ? n < 16 || n > 31 :
        type != KVM_ARM_IRQ_TYPE_SPI || n < 32 || n >= vm->arch->nr_irqs) {
        violation(RULE_IRQ_ORDER, "type %u has no interrupt %u", type, n);
        return -EINVAL;
    }
    if (type == KVM_ARM_IRQ_TYPE_PPI && (cpu >= MAX_VCPUS || !vm->vcpus[cpu])) {
        return -EINVAL;
    }
    attr_set(gic, LINES, irq->irq, irq->level);
    return 0;
}

static int create_irqchip(struct call *c)
{
    (void)c;
    return -ENODEV;             /* a GICv2, which these hosts have not */
}

/* --- vGIC. What its registers keep: Linux's arch/arm64/kvm/vgic/ */

/* Whether the host's CPU has AArch32 at EL0: EL0 in ID_AA64PFR0_EL1 */
static bool aarch32_el0(void)
{
    for (size_t i = 0; i < profile.n_regs; i++) {
        if (profile.regs[i].id == REG_PFR0) {
            return (profile.regs[i].value[0] & 0xf) == 2;
        }
    }
    return false;
}

int arch_device_new(struct device *d)
{
    struct vm *vm = d->o.vm;
    bool gic = d->type == KVM_DEV_TYPE_ARM_VGIC_V3 ||
               d->type == KVM_DEV_TYPE_ARM_VGIC_V2;

    if (gic && vgic(vm)) {
        return -EEXIST;
    }
    if (gic) {
        vm->irqchip = true;
    }
    if (d->type == KVM_DEV_TYPE_ARM_VGIC_ITS && vgic(vm)) {     /* vgic_its_create() */
        attr_set(vgic(vm), KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_PROPBASER, 0x580);
        attr_set(vgic(vm), KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_PROPBASER + 4, 0);
    }
    /* kvm_vgic_create() of vgic-init.c: the GIC's system registers are there again */
    if (d->type == KVM_DEV_TYPE_ARM_VGIC_V3 && profile.kernel > 612) {
        share_bits(vm, REG_PFR0, 0xf000000, 0x1000000);
        share_bits(vm, REG_PFR1, 0xf0000000, aarch32_el0() ? 0x10000000 : 0);
    }
    return 0;
}

static int init_vgic(struct device *d)
{
    struct vm *vm = d->o.vm;
    uint64_t value;

    if (d->type == KVM_DEV_TYPE_ARM_VGIC_ITS) {
        if (!vgic(vm) || !vgic(vm)->initialised) {
            violation(RULE_VGIC_ORDER, "the ITS is initialised before the vGIC");
            return -ENODEV;
        }
        d->initialised = true;
        return 0;
    }
    for (int i = 0; i < MAX_VCPUS; i++) {
        if (vm->vcpus[i] && !vm->vcpus[i]->arch->initialised) {
            violation(RULE_VGIC_ORDER, "the vGIC is initialised before %s", vm->vcpus[i]->o.name);
        }
    }
    if (!vm->arch->nr_irqs) {
        vm->arch->nr_irqs = 64 + 32;
    }
    if (!d->initialised && attr_get(d, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_TYPER, &value) != -EINVAL) {
        attr_set(d, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_TYPER,
                 (value & ~0x1full) | (vm->arch->nr_irqs / 32 - 1));
    }
    d->initialised = true;
    return 0;
}

/* Base addresses: each is set once */
static int address(struct device *d, uint32_t request, struct kvm_device_attr *a,
                   uint64_t *value)
{
    bool its = d->type == KVM_DEV_TYPE_ARM_VGIC_ITS;
    bool region = a->attr == KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION;
    uint64_t old;

    if (its ? a->attr != KVM_VGIC_ITS_ADDR_TYPE :
        d->type == KVM_DEV_TYPE_ARM_VGIC_V2 ? a->attr > 1 :
        a->attr != KVM_VGIC_V3_ADDR_TYPE_DIST &&
        a->attr != KVM_VGIC_V3_ADDR_TYPE_REDIST && !region) {
        return request == (uint32_t)KVM_HAS_DEVICE_ATTR ? -ENXIO : -ENODEV;
    }
    if (request == (uint32_t)KVM_GET_DEVICE_ATTR) {
        return its ? -ENXIO :
               attr_get(d, a->group, a->attr, value) ? (*value = UINT64_MAX, 0) : 0;
    }
    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    if (!region && !attr_get(d, a->group, a->attr, &old)) {
        violation(RULE_VGIC_ORDER, "address %llu is set twice", (unsigned long long)a->attr);
        return -EEXIST;
    }
    if ((region ? *value & 0xffffffff0000 : *value) & 0xffff & ~(region ? 0xffffull : 0)) {
        return -EINVAL;
    }
    if (!region && *value >> (profile.caps[KVM_CAP_ARM_VM_IPA_SIZE] ?: 40)) {
        return -E2BIG;
    }
    attr_set(d, a->group, a->attr, *value);
    return 0;
}

/* Set-enable and clear-enable are two views of one register, and so on. */
static uint64_t bank(uint64_t offset, bool *clears)
{
    uint64_t in_frame = offset & 0xffff;

    *clears = false;
    if (in_frame >= 0x100 && in_frame < 0x400 && in_frame & 0x80) {
        *clears = true;
        return offset & ~0x80ull;
    }
    return offset;
}

/* vgic_sanitise_field(): no outer shareability, no inner non-cacheable mapping */
static uint64_t sanitised(uint64_t reg, int outer, int inner)
{
    if ((reg >> 10 & 3) == 2) {
        reg ^= 3 << 10;
    }
    if ((reg >> inner & 7) < 2) {
        reg = (reg & ~(7ull << inner)) | 3ull << inner;
    }
    return (reg >> outer & 7) > 1 ? reg & ~(7ull << outer) : reg;
}

static struct device *its_of(struct vm *vm)
{
    for (size_t i = 0; i < vm->n_devices; i++) {
        if (vm->devices[i]->type == KVM_DEV_TYPE_ARM_VGIC_ITS) {
            return vm->devices[i];
        }
    }
    return NULL;
}

/* The tables of .write and .uaccess_write in vgic-mmio-v3.c: what is there afterwards */
static uint64_t dist_keeps(uint64_t offset, uint64_t old, uint64_t value)
{
    if (offset == 0) {          /* GICD_CTLR: Enable */
        return (old & ~2ull) | (value & 2);
    }
    if (offset >= 0x6100 && offset < 0x8000) {      /* IROUTER: Aff2 to Aff0 */
        return offset & 4 ? old : value & 0xffffff;
    }
    if (offset >= 0x420 && offset < 0x800) {        /* IPRIORITYR: five bits of each */
        return value & 0xf8f8f8f8;
    }
    if (offset >= 0xc08 && offset < 0xd00) {        /* ICFGR: edge or not */
        return value & 0xaaaaaaaa;
    }
    /* IGROUPR to ICACTIVER; private interrupts are the redistributors' */
    return offset >= 0x80 && offset < 0x400 && offset & 0x7c ? value : old;
}

static uint64_t redist_keeps(struct device *d, uint64_t cpu, uint64_t offset, uint64_t old,
                             uint64_t value)
{
    uint64_t half = 0, ctlr = 0, both;
    uint64_t key = (offset < 0x78 ? 0 : cpu << 32) | (offset ^ 4);

    attr_get(d, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, cpu << 32, &ctlr);
    if (offset >= 0x70 && offset < 0x80) {          /* PROPBASER, PENDBASER */
        if (ctlr & 1) {
            return old;
        }
        attr_get(d, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, key, &half);
        both = sanitised(offset & 4 ? value << 32 | half : half << 32 | value, 56, 7);
        both &= offset < 0x78 ? ~0xf8f0000000000060ull : ~0xf8f000000000f07full;
        return offset & 4 ? both >> 32 : (uint32_t)both;
    }
    if (offset == 0) {          /* GICR_CTLR: EnableLPIs */
        return its_of(d->o.vm) ? (old & ~1ull) | (value & 1) : old;
    }
    if (offset >= 0x10400 && offset < 0x10420) {
        return value & 0xf8f8f8f8;
    }
    return offset >= 0x10080 && offset < 0x10400 && !(offset & 0x7c) ? value : old;
}

/* vgic_read_irq_line_level_info(): no SGIs, and none that are edge-triggered */
static uint64_t levels(struct device *d, uint64_t cpu, uint64_t intid, uint64_t lines)
{
    uint64_t edge = 0, n = intid / 16 * 4;

    for (int i = 0; i < 32; i++) {
        if (i % 16 == 0) {
            attr_get(d, intid < 32 ? KVM_DEV_ARM_VGIC_GRP_REDIST_REGS :
                     KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
                     intid < 32 ? cpu << 32 | (0x10c00 + n) : 0xc00 + n, &edge);
            n += 4;
        }
        if (intid + i < 16 || edge >> (i % 16 * 2 + 1) & 1) {
            lines &= ~(1ull << i);
        }
    }
    return lines;
}

/* Reads a register of @cpu's, or of the distributor, or writes it, as the kernel's user does */
static uint64_t gic_access(struct device *d, uint32_t group, uint64_t cpu, uint64_t offset,
                           bool write, uint64_t value)
{
    bool dist = group == KVM_DEV_ARM_VGIC_GRP_DIST_REGS;
    bool line = group == KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO;
    uint64_t key, old = 0, in_frame = offset & 0xffff;
    bool clears = false;

    if (dist || (line ? offset >= 32 : offset >= 0x70 && offset < 0x78)) {
        cpu = 0;                /* one for the VM */
    }
    key = (line ? offset : bank(offset, &clears)) | cpu << 32;
    attr_get(d, group, key, &old);
    if (dist && offset == GICD_STATUSR) {
        old = UINT32_MAX;
    }
    if (!dist && !line && (offset & ~4ull) == GICR_TYPER) {
        old = offset == GICR_TYPER ? (old & ~0xffff10ull) | cpu << 8 |
              ((int)cpu == d->o.vm->n_vcpus - 1 ? 0x10 : 0) |
              (its_of(d->o.vm) ? 1 : 0) : cpu;          /* Last, PLPIS */
    }
    value = (uint32_t)value;
    if (!write) {
        return line ? levels(d, cpu, offset, old) : (in_frame & 0xff80) == 0x280 ? 0 : old;
    }
    if (!line && in_frame >= 0x280 && in_frame < 0x300) {
        return old;             /* clear-pending is ignored from user space */
    }
    if (!line && in_frame >= 0x100 && in_frame < 0x400 && (in_frame & ~0xffull) != 0x200) {
        value = clears ? old & ~value : old | value;
    }
    if (!line) {
        value = dist ? dist_keeps(offset, old, value) :
                redist_keeps(d, cpu, offset, old, value);
    }
    if (value != old) {
        attr_set(d, group, key, value);
    }
    return value;
}

static int gic_register(struct device *d, uint32_t request,
                        struct kvm_device_attr *a, uint64_t *value)
{
    bool dist = a->group == KVM_DEV_ARM_VGIC_GRP_DIST_REGS;
    uint64_t offset = a->attr & 0xffffffff, cpu = a->attr >> 32;
    struct vm *vm = d->o.vm;

    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return offset & 3 ? -ENXIO : 0;
    }
    if (!d->initialised) {
        violation(RULE_VGIC_ORDER, "a register before KVM_DEV_ARM_VGIC_CTRL_INIT");
        return -EBUSY;
    }
    for (int i = 0; i < MAX_VCPUS; i++) {
        if (vm->vcpus[i] && vm->vcpus[i]->running) {
            violation(RULE_RUNNING, "the vGIC's registers, and %s runs", vm->vcpus[i]->o.name);
            return -EBUSY;
        }
    }
    /* Aff3.Aff2.Aff1.Aff0 of a vCPU; ours have the number in Aff0 and Aff1 */
    cpu = cpu >> 8 << 4 | (cpu & 0xf);
    if (!dist && (cpu >= MAX_VCPUS || !vm->vcpus[cpu])) {
        return -EINVAL;
    }
    offset &= ~3ull;
    if (request == (uint32_t)KVM_GET_DEVICE_ATTR) {
        *value = gic_access(d, a->group, cpu, offset, false, 0);
        return 0;
    }
    if (dist && offset == GICD_IIDR && *value != gic_access(d, a->group, 0, offset, false, 0)) {
        return -EINVAL;
    }
    gic_access(d, a->group, cpu, offset, true, *value);
    return 0;
}

/* A CPU interface's register, by the upper half of @attr; vgic-sys-reg-v3.c */
static uint64_t icc_get(struct device *d, uint64_t attr)
{
    uint64_t value = 0;

    attr_get(d, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, attr, &value);
    return value;
}

static int icc_set(struct device *d, uint64_t attr, uint64_t value)
{
    uint64_t old = icc_get(d, attr), ctlr = icc_get(d, (attr & ~0xffffull) | ICC_CTLR);

    switch (attr & 0xffff) {
    case ICC_CTLR:              /* CBPR and EOImode; PRIbits, IDbits not more than there are */
        if ((value >> 8 & 7) > (old >> 8 & 7) || (value >> 11 & 7) > (old >> 11 & 7) ||
            (value ^ old) & 0xc000) {
            return -EINVAL;
        }
        value = (value & 0x3f03) | (old & 0xc000);
        break;
    case ICC_SRE:
        return value & 1 ? 0 : -EINVAL;
    case ICC_PMR:
        value &= 0xff;
        break;
    case ICC_BPR1:
        if (ctlr & 1) {         /* BPR0 is for both */
            return 0;
        }
        /* fall through */
    case ICC_BPR0:
        value &= 7;
        break;
    case ICC_IGRPEN0:
    case ICC_IGRPEN1:
        value &= 1;
        break;
    default:                    /* active priorities */
        value = (uint32_t)value;
    }
    if (value != old) {
        attr_set(d, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, attr, value);
    }
    return 0;
}

static int cpu_sysreg(struct device *d, uint32_t request,
                      struct kvm_device_attr *a, uint64_t *value)
{
    uint64_t known, this = a->attr & ~0xffffull;

    /* Those that the profile names are there. */
    if (attr_get(d, a->group, a->attr, &known)) {
        if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
            return -ENXIO;
        }
        /* ICC_AP0Rn_EL1 and ICC_AP1Rn_EL1 of more priorities than there are */
        return (a->attr & 0xfff4) == 0xc644 || (a->attr & 0xfffc) == 0xc648 ?
               -EINVAL : -ENOENT;
    }
    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    if (!d->initialised) {
        violation(RULE_VGIC_ORDER, "a register before KVM_DEV_ARM_VGIC_CTRL_INIT");
        return -EBUSY;
    }
    if (request == (uint32_t)KVM_SET_DEVICE_ATTR) {
        return icc_set(d, a->attr, *value);
    }
    *value = icc_get(d, a->attr);
    if ((a->attr & 0xffff) == ICC_BPR1 && icc_get(d, this | ICC_CTLR) & 1) {
        known = icc_get(d, this | ICC_BPR0) + 1;
        *value = known < 7 ? known : 7;
    }
    return 0;
}

static uint64_t its_get(struct device *d, uint64_t attr)
{
    uint64_t value = 0;

    attr_get(d, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, attr, &value);
    if (attr == GITS_CTLR) {
        value = (value & 1) | (uint64_t)(its_get(d, GITS_CREADR) == its_get(d, GITS_CWRITER)) << 31;
    }
    return value;
}

/* vgic-its.c: .its_write and .uaccess_its_write */
static int its_set(struct device *d, uint64_t attr, uint64_t value)
{
    const uint32_t group = KVM_DEV_ARM_VGIC_GRP_ITS_REGS;
    const uint64_t ro = 0x71full << 48, valid = 1ull << 63;
    bool enabled = its_get(d, GITS_CTLR) & 1;
    uint64_t size = ((its_get(d, GITS_CBASER) & 0xff) + 1) << 12, old = its_get(d, attr);

    switch (attr) {
    case GITS_CTLR:
        if (!enabled && value & 1 &&
            !(its_get(d, GITS_BASER) & its_get(d, GITS_BASER + 8) & its_get(d, GITS_CBASER) & valid)) {
            return 0;
        }
        attr_set(d, group, attr, value & 1);
        if (value & 1) {        /* what the guest's memory has to say is not simulated */
            attr_set(d, group, GITS_CREADR, its_get(d, GITS_CWRITER));
        }
        return 0;
    case GITS_IIDR:
        return value >> 12 & 0xf ? -EINVAL : 0;
    case GITS_CBASER:
        if (!enabled) {
            attr_set(d, group, attr, sanitised(value, 53, 59) & ~0xf000ull);
            attr_set(d, group, GITS_CREADR, 0);
            attr_set(d, group, GITS_CWRITER, 0);
        }
        return 0;
    case GITS_CREADR:
        if (enabled) {
            return -EBUSY;
        }
        /* fall through */
    case GITS_CWRITER:
        value &= 0xfffe0;
        if (value >= size) {
            return attr == GITS_CREADR ? -EINVAL : 0;
        }
        attr_set(d, group, attr, value);
        if (enabled) {
            attr_set(d, group, GITS_CREADR, value);
        }
        return 0;
    case GITS_BASER:
    case GITS_BASER + 8:
        if (!enabled) {         /* the table's type and its entries' size are the ITS's own */
            value &= ~(ro | (attr == GITS_BASER ? 0 : 1ull << 62));
            value = sanitised(value | (old & ro), 53, 59);
            attr_set(d, group, attr, (value & ~0x300ull) | 0x200);      /* 64 KiB pages */
        }
        return 0;
    }
    return 0;                   /* read-only, or not there */
}

/* vgic_its_reset() */
static void its_reset(struct device *d)
{
    const uint32_t group = KVM_DEV_ARM_VGIC_GRP_ITS_REGS;

    for (uint64_t a = GITS_BASER; a <= GITS_BASER + 8; a += 8) {
        attr_set(d, group, a, its_get(d, a) & ~(1ull << 63));
    }
    attr_set(d, group, GITS_CBASER, 0);
    attr_set(d, group, GITS_CREADR, 0);
    attr_set(d, group, GITS_CWRITER, 0);
    attr_set(d, group, GITS_CTLR, 0);
}

static int its_register(struct device *d, uint32_t request,
                        struct kvm_device_attr *a, uint64_t *value)
{
    uint64_t base;

    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return a->attr & 3 ? -ENXIO : 0;
    }
    if (a->attr >= 8 && a->attr & 7) {
        return -EINVAL;
    }
    if (attr_get(d, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &base)) {
        violation(RULE_VGIC_ORDER, "an ITS register before the ITS has an address");
        return -ENXIO;
    }
    if (request == (uint32_t)KVM_SET_DEVICE_ATTR) {
        return its_set(d, a->attr, *value);
    }
    *value = its_get(d, a->attr);
    return 0;
}

static int nr_irqs(struct device *d, uint32_t request, uint64_t *value)
{
    unsigned *n = &d->o.vm->arch->nr_irqs;

    if (request != (uint32_t)KVM_SET_DEVICE_ATTR) {
        *value = *n;
        return 0;
    }
    if (*value < 64 || *value > 1024 || *value & 31) {
        return -EINVAL;
    }
    if (d->initialised || *n) {
        return -EBUSY;
    }
    *n = *value;
    return 0;
}

static int control(struct device *d, uint32_t request, struct kvm_device_attr *a)
{
    bool its = d->type == KVM_DEV_TYPE_ARM_VGIC_ITS;

    if (its ? a->attr > KVM_DEV_ARM_ITS_CTRL_RESET || a->attr == 3 :
        a->attr != KVM_DEV_ARM_VGIC_CTRL_INIT &&
        a->attr != KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES) {
        return -ENXIO;
    }
    if (request == (uint32_t)KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    if (request == (uint32_t)KVM_GET_DEVICE_ATTR) {
        return -ENXIO;
    }
    if (a->attr == KVM_DEV_ARM_VGIC_CTRL_INIT) {
        return init_vgic(d);
    }
    if (!d->initialised) {
        violation(RULE_VGIC_ORDER, "tables before KVM_DEV_ARM_VGIC_CTRL_INIT");
        return -EBUSY;
    }
    if (its && a->attr == KVM_DEV_ARM_ITS_CTRL_RESET) {
        its_reset(d);
    }
    return 0;
}

int arch_device_attr(struct device *d, unsigned long request,
                     struct kvm_device_attr *a)
{
    bool its = d->type == KVM_DEV_TYPE_ARM_VGIC_ITS;
    uint32_t r = request;
    bool set = r == (uint32_t)KVM_SET_DEVICE_ATTR;
    bool get = r == (uint32_t)KVM_GET_DEVICE_ATTR;
    size_t size = a->group == KVM_DEV_ARM_VGIC_GRP_ADDR ||
                  a->group == KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS ||
                  a->group == KVM_DEV_ARM_VGIC_GRP_ITS_REGS ? 8 : 4;
    uint64_t value = 0;
    int ret;

    if (set && a->group != KVM_DEV_ARM_VGIC_GRP_CTRL &&
        user_read(&value, a->addr, size)) {
        violation(RULE_POINTER, "the attribute's value at 0x%llx", (unsigned long long)a->addr);
        return -EFAULT;
    }
    switch (a->group) {
    case KVM_DEV_ARM_VGIC_GRP_ADDR:
        ret = address(d, r, a, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_CTRL:
        return control(d, r, a);
    case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
        ret = its ? -ENXIO : nr_irqs(d, r, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_DIST_REGS:
    case KVM_DEV_ARM_VGIC_GRP_REDIST_REGS:
    case KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO:
        ret = its ? -ENXIO : gic_register(d, r, a, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS:
        ret = its ? -ENXIO : cpu_sysreg(d, r, a, &value);
        break;
    case KVM_DEV_ARM_VGIC_GRP_ITS_REGS:
        ret = its ? its_register(d, r, a, &value) : -ENXIO;
        break;
    case 9:                     /* KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ */
        return !its && profile.kernel > 612 && r == (uint32_t)KVM_HAS_DEVICE_ATTR ? 0 : -ENXIO;
    default:
        return -ENXIO;
    }
    if (!ret && get && user_write(a->addr, &value, size)) {
        violation(RULE_POINTER, "the attribute's value at 0x%llx", (unsigned long long)a->addr);
        return -EFAULT;
    }
    return ret;
}

/* --- what a guest does */

/* What a guest can write, and not only KVM's user: no identification, no firmware's state */
static bool guest_writes(const struct profile_reg *p)
{
    unsigned group = p->id >> 16 & 0xfff;

    return p->how == HOW_RW && !p->ticks && !p->gone && group != FIRMWARE_GROUP &&
           group != HYPERCALL_GROUP && (p->id & 0xfffffff) != SVE_VLS &&
           !vcpu_id_reg(p->id) && !vm_wide(p->id);
}

/* All that this vCPU's guest can write is another value then, and a vCPU that waits runs */
void arch_scribble(struct vcpu *vcpu, uint64_t seed)
{
    struct arch_vcpu *a = vcpu->arch;
    uint64_t n, value, old, bits;

    for (size_t i = 0; i < a->n_regs; i++) {
        const struct profile_reg *p = a->regs[i].p;
        uint8_t *data = a->regs[i].data;
        size_t size = one_reg_size(p->id);

        if (p->id == PSTATE) {          /* the condition flags */
            data[3] = (data[3] & 0xf) | (scribbled(seed, p->id, vcpu->id) & 0xf0);
        }
        if (!guest_writes(p) || a->regs[i].other_view) {
            continue;
        }
        memcpy(&old, data, 8);
        bits = p->id == REG_FPSR ? 0xf800009f : p->id == REG_FPCR ? 0x07c00000 :
               p->id == PMCR ? 0xff : UINT64_MAX;       /* the others are zero, or N */
        bits &= p->mask;
        value = (old & ~bits) | (scribbled(seed, p->id, vcpu->id) & bits);
        memcpy(data, &value, size < 8 ? size : 8);
        for (n = 8; n < sve_bytes(vcpu, p->id, size); n += 8) {
            value = scribbled(seed, p->id + n, vcpu->id);
            memcpy(data + n, &value, size - n < 8 ? size - n : 8);
        }
    }
    a->events.exception.serror_pending = 1;
    if (profile.caps[KVM_CAP_ARM_INJECT_SERROR_ESR] > 0) {
        a->events.exception.serror_esr = scribbled(seed, 0, vcpu->id) & 0x1ffffff;
    }
    vcpu->mp_state.mp_state = KVM_MP_STATE_RUNNABLE;
}

/* The interrupts from @first on, 32 at a time, of the distributor or @cpu's redistributor */
static void scribble_irqs(struct device *d, uint64_t seed, uint32_t group, uint64_t cpu,
                          uint64_t base, uint64_t first, uint64_t last)
{
    for (uint64_t n = first; n < last; n += 32) {
        uint64_t bits = base + n / 8, value;

        gic_access(d, group, cpu, bits + 0x80, true, scribbled(seed, bits, cpu));
        for (uint64_t bank = 0x100; bank < 0x400; bank += 0x100) {
            value = (uint32_t)scribbled(seed, bits + bank, cpu);
            gic_access(d, group, cpu, bits + bank + 0x80, true, ~value & UINT32_MAX);
            gic_access(d, group, cpu, bits + bank, true, value);
        }
        for (uint64_t i = 0; i < 32; i += 4) {
            gic_access(d, group, cpu, base + 0x400 + n + i, true,
                       (uint32_t)scribbled(seed, base + n + i, cpu));
        }
        for (uint64_t i = 0; i < 8; i += 4) {
            gic_access(d, group, cpu, base + 0xc00 + n / 4 + i, true,
                       (uint32_t)scribbled(seed, base + 0xc00 + n + i, cpu));
        }
        value = levels(d, cpu, n, (uint32_t)scribbled(seed, base + 0xe00 + n, cpu));
        gic_access(d, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, cpu, n, true, value);
    }
}

static void scribble_its(struct device *d, uint64_t seed)
{
    uint64_t address = scribbled(seed, 1, 0) & 0xff0000;

    its_set(d, GITS_CTLR, 0);
    its_set(d, GITS_BASER, 1ull << 63 | 0x40000000 | address);
    its_set(d, GITS_BASER + 8, 1ull << 63 | 0x41000000 | address);
    its_set(d, GITS_CBASER, 1ull << 63 | 0x42000000 | address | 0xf);
    its_set(d, GITS_CREADR, scribbled(seed, 2, 0) & 0xffe0);
    its_set(d, GITS_CWRITER, its_get(d, GITS_CREADR));
    its_set(d, GITS_CTLR, 1);
}

void arch_scribble_device(struct device *d, uint64_t seed)
{
    static const uint16_t icc[] = {
        ICC_PMR, ICC_BPR0, ICC_BPR1, ICC_IGRPEN0, ICC_IGRPEN1, 0xc644, 0xc648,
    };
    const uint32_t dist = KVM_DEV_ARM_VGIC_GRP_DIST_REGS, redist = KVM_DEV_ARM_VGIC_GRP_REDIST_REGS;
    struct vm *vm = d->o.vm;

    if (!d->initialised) {
        return;
    }
    if (d->type == KVM_DEV_TYPE_ARM_VGIC_ITS) {
        scribble_its(d, seed);
    }
    if (d->type != KVM_DEV_TYPE_ARM_VGIC_V3) {
        return;
    }
    scribble_irqs(d, seed, dist, 0, 0, 32, vm->arch->nr_irqs);
    for (uint64_t n = 32; n < vm->arch->nr_irqs; n++) {
        gic_access(d, dist, 0, 0x6000 + 8 * n, true,
                   scribbled(seed, 0x6000 + n, 0) % vm->n_vcpus);
    }
    gic_access(d, dist, 0, 0, true, 2);
    for (int cpu = 0; cpu < MAX_VCPUS; cpu++) {
        if (!vm->vcpus[cpu]) {
            continue;
        }
        gic_access(d, redist, cpu, 0, true, 0);
        scribble_irqs(d, seed, redist, cpu, 0x10000, 0, 32);
        for (uint64_t a = 0x70; a < 0x80; a += 4) {
            gic_access(d, redist, cpu, a, true, (uint32_t)scribbled(seed, a, a < 0x78 ? 0 : cpu));
        }
        for (size_t i = 0; i < ARRAY_SIZE(icc); i++) {
            icc_set(d, (uint64_t)cpu << 32 | icc[i], scribbled(seed, icc[i], cpu) | 2);
        }
        /* EOImode; with CBPR there would be no ICC_BPR1_EL1 */
        icc_set(d, (uint64_t)cpu << 32 | ICC_CTLR,
                (icc_get(d, (uint64_t)cpu << 32 | ICC_CTLR) & ~3ull) | (cpu ? 0 : 2));
    }
    for (int cpu = 0; cpu < MAX_VCPUS; cpu++) {
        if (vm->vcpus[cpu]) {
            gic_access(d, redist, cpu, 0, true, 1);
        }
    }
}

const struct call_type arch_calls[] = {
    T(KVM_ENABLE_CAP, KIND_VM, struct kvm_enable_cap, IN, enable_cap),
    T(KVM_SET_DEVICE_ATTR, KIND_VM, struct kvm_device_attr, IN, vm_attr),
    T(KVM_HAS_DEVICE_ATTR, KIND_VM, struct kvm_device_attr, IN, vm_attr),
    T(KVM_ARM_PREFERRED_TARGET, KIND_VM, struct kvm_vcpu_init, OUT, preferred_target),
    { "KVM_ARM_GET_REG_WRITABLE_MASKS", _IOC(_IOC_READ, KVMIO, 0xb6, 64), KIND_VM,
      64, IN, get_masks },
    T(KVM_IRQ_LINE, KIND_VM, struct kvm_irq_level, IN, irq_line),
    V(KVM_CREATE_IRQCHIP, KIND_VM, 0, create_irqchip),
    T(KVM_ARM_VCPU_INIT, KIND_VCPU, struct kvm_vcpu_init, IN | STATE, vcpu_init),
    T(KVM_ARM_VCPU_FINALIZE, KIND_VCPU, int, IN, vcpu_finalize),
    T(KVM_GET_ONE_REG, KIND_VCPU, struct kvm_one_reg, IN | STATE, one_reg),
    T(KVM_SET_ONE_REG, KIND_VCPU, struct kvm_one_reg, IN | STATE, one_reg),
    T(KVM_GET_REG_LIST, KIND_VCPU, uint64_t, IN | OUT, get_reg_list),
    T(KVM_GET_MP_STATE, KIND_VCPU, struct kvm_mp_state, OUT | STATE, get_mp_state),
    T(KVM_SET_MP_STATE, KIND_VCPU, struct kvm_mp_state, IN | STATE, set_mp_state),
    T(KVM_GET_VCPU_EVENTS, KIND_VCPU, struct kvm_vcpu_events, OUT | STATE, get_events),
    T(KVM_SET_VCPU_EVENTS, KIND_VCPU, struct kvm_vcpu_events, IN | STATE, set_events),
    T(KVM_SET_DEVICE_ATTR, KIND_VCPU, struct kvm_device_attr, IN, vcpu_attr),
    T(KVM_GET_DEVICE_ATTR, KIND_VCPU, struct kvm_device_attr, IN, vcpu_attr),
    T(KVM_HAS_DEVICE_ATTR, KIND_VCPU, struct kvm_device_attr, IN, vcpu_attr),
    { }
};

#endif
