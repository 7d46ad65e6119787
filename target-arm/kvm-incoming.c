/*
 * System registers that come from another KVM
 *
 * Source and destination may run different kernels on different CPUs. A
 * register that only the destination's kernel knows keeps its reset value. One
 * that only the source's knows can be left out if the guest cannot tell;
 * anything else that the destination cannot have fails the migration, by name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "qapi/error.h"
#include "migration/vmstate.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "cpu.h"
#include "cpregs.h"
#include "kvm_arm.h"
#include "kvm-host-cpus.h"
#include "kvm-impl-cpus.h"

/* What KVM resets to where the reset value is UNKNOWN (reset_unknown()) */
#define KVM_UNKNOWN_VALUE 0x1de7ec7edbadc0deull

/* The name of a register for a human who knows the Arm ARM or KVM's API */
static char *reg_name(ARMCPU *cpu, uint64_t id)
{
    const ARMCPRegInfo *ri;

    if ((id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_DEMUX) {
        return g_strdup_printf("CCSIDR_EL1[%d]",
                               (int)(id & KVM_REG_ARM_DEMUX_VAL_MASK));
    }
    if (id == KVM_REG_ARM_PSCI_VERSION) {
        return g_strdup("the PSCI version");
    }
    ri = get_arm_cp_reginfo(cpu->cp_regs, kvm_to_cpreg_id(id));
    return ri ? g_strdup(ri->name) : kvm_print_register_name(id);
}

/*
 * Registers that not every kernel lists, of those that Linux 6.1 to 7.2 do, and
 * what their value has to be for a guest to do without. Any other register that
 * is not known here fails the migration.
 */
static const struct {
    uint64_t id, mask;
    enum { ALWAYS, IF_ZERO, IF_UNSET, IF_TIMER_IS_OFF } when;
} may_be_missing[] = {
    /* CCSIDR_EL1 of a cache that CLIDR_EL1, which is compared, lacks: 6.3 */
    { KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX |
      KVM_REG_ARM_DEMUX_ID_CCSIDR, ~KVM_REG_ARM_DEMUX_VAL_MASK, ALWAYS },
    /*
     * The physical timer: since 6.4. Before that its counter is the host's, so
     * that a guest that reads it sees it jump.
     */
    { KVM_REG_ARM_PTIMER_CNT, UINT64_MAX, ALWAYS },
    { KVM_REG_ARM_PTIMER_CTL, UINT64_MAX, IF_TIMER_IS_OFF },
    { KVM_REG_ARM_PTIMER_CVAL, UINT64_MAX, IF_TIMER_IS_OFF },
    /* TCR2_EL1, PIRE0_EL1, PIR_EL1: up to 6.12 on CPUs without them, too */
    { ARM64_SYS_REG(3, 0, 2, 0, 3), UINT64_MAX, IF_UNSET },
    { ARM64_SYS_REG(3, 0, 10, 2, 2), UINT64_MAX, IF_UNSET },
    { ARM64_SYS_REG(3, 0, 10, 2, 3), UINT64_MAX, IF_UNSET },
    /* Calls that are offered to a guest: since 6.15 */
    { KVM_REG_ARM_VENDOR_HYP_BMAP_2, UINT64_MAX, IF_ZERO },
};

static bool timer_is_off(ARMCPU *cpu)
{
    for (int v = 0; v < cpu->cpreg_vmstate_array_len; v++) {
        if (cpu->cpreg_vmstate_indexes[v] == KVM_REG_ARM_PTIMER_CTL) {
            return !(cpu->cpreg_vmstate_values[v] & 1);     /* ENABLE */
        }
    }
    return true;
}

/* Whether the guest of @cpu can do without register @id, which was @value */
static bool can_leave_out(ARMCPU *cpu, uint64_t id, uint64_t value)
{
    for (int i = 0; i < ARRAY_SIZE(may_be_missing); i++) {
        if ((id & may_be_missing[i].mask) != may_be_missing[i].id) {
            continue;
        }
        switch (may_be_missing[i].when) {
        case ALWAYS:
            return true;
        case IF_ZERO:
            return !value;
        case IF_UNSET:
            return !value || value == KVM_UNKNOWN_VALUE;
        case IF_TIMER_IS_OFF:
            return timer_is_off(cpu);
        }
    }
    return false;
}

void kvm_arm_cpu_pre_load(ARMCPU *cpu)
{
    /* VMSTATE_INT32_POSITIVE_LE takes what the field holds for the limit. */
    int room = 2 * cpu->cpreg_array_len;

    cpu->cpreg_vmstate_indexes = g_renew(uint64_t, cpu->cpreg_vmstate_indexes,
                                         room);
    cpu->cpreg_vmstate_values = g_renew(uint64_t, cpu->cpreg_vmstate_values,
                                        room);
    cpu->cpreg_vmstate_array_len = room;
}

/* MIDR_EL1, REVIDR_EL1 and AIDR_EL1, by which a guest knows errata */
static bool tells_errata(uint64_t id)
{
    return id == ARM64_SYS_REG(3, 0, 0, 0, 0) ||
           id == ARM64_SYS_REG(3, 0, 0, 0, 6) ||
           id == ARM64_SYS_REG(3, 1, 0, 0, 7);
}

/*
 * Whether a vCPU has register @id for life, and all have the same: ID registers
 * but MPIDR_EL1, cache sizes, CTR_EL0, and what firmware has, but not the
 * guest's switch for the workaround of Spectre v4
 */
static bool is_fixed(uint64_t id)
{
    switch (id & KVM_REG_ARM_COPROC_MASK) {
    case KVM_REG_ARM64_SYSREG:
        switch (id & CP_REG_ARM64_SYSREG_OP1_MASK) {
        case 0 << CP_REG_ARM64_SYSREG_OP1_SHIFT:
        case 1 << CP_REG_ARM64_SYSREG_OP1_SHIFT:
        case 3 << CP_REG_ARM64_SYSREG_OP1_SHIFT:
            return (id & (CP_REG_ARM64_SYSREG_OP0_MASK |
                          CP_REG_ARM64_SYSREG_CRN_MASK)) ==
                   3 << CP_REG_ARM64_SYSREG_OP0_SHIFT &&
                   id != ARM64_SYS_REG(3, 0, 0, 0, 5);
        default:
            return false;
        }
    case KVM_REG_ARM_FW:
        return id != KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2;
    case KVM_REG_ARM_DEMUX:
    case KVM_REG_ARM_FW_FEAT_BMAP:
        return true;
    default:
        return false;
    }
}

/*
 * Takes the @n registers @ids, in ascending order, with @values over. Then puts
 * all that @cpu has into KVM, or those that are fixed.
 */
static bool take_over(ARMCPU *cpu, const uint64_t *ids, const uint64_t *values,
                      int n, bool fixed_only, Error **errp)
{
    ERRP_GUARD();
    g_autofree uint64_t *before =
        g_memdup2(cpu->cpreg_values, cpu->cpreg_array_len * sizeof(*before));
    g_autoptr(GString) bad = g_string_new(NULL);
    uint64_t offered = 0;

    for (int v = 0; v < n; v++) {
        if (ids[v] == KVM_REG_ARM_VENDOR_HYP_BMAP_2) {
            offered = values[v];
        }
    }
    if (!kvm_arm_impl_cpus_loaded(offered, errp)) {
        return false;
    }

    for (int i = 0, v = 0; v < n; v++) {
        uint64_t id = ids[v];
        uint64_t value = values[v];

        while (i < cpu->cpreg_array_len && cpu->cpreg_indexes[i] < id) {
            i++;
        }
        if (i < cpu->cpreg_array_len && cpu->cpreg_indexes[i] == id) {
            cpu->cpreg_values[i] = value;
        } else if (!can_leave_out(cpu, id, value)) {
            g_autofree char *name = reg_name(cpu, id);

            g_string_append_printf(bad, "%s%s (0x%" PRIx64 ") is 0x%" PRIx64
                                   " there and not known here",
                                   bad->len ? "; " : "", name, id, value);
        }
    }

    for (int i = 0; i < cpu->cpreg_array_len; i++) {
        uint64_t id = cpu->cpreg_indexes[i];
        uint64_t value = cpu->cpreg_values[i], ours = 0;
        uint32_t value32 = value, ours32 = 0;
        bool is_32bit = (id & KVM_REG_SIZE_MASK) == KVM_REG_SIZE_U32;
        int ret = 0;

        if (tells_errata(id) && value != before[i] &&
            !cpu->kvm_impl_cpus && !cpu->kvm_lose_errata_workarounds) {
            /* KVM may take it, but the guest does not know this CPU's errata */
            ret = -EPERM;
        } else if (!fixed_only || is_fixed(id)) {
            ret = kvm_set_one_reg(CPU(cpu), id, is_32bit ? (void *)&value32 :
                                                           (void *)&value);
        }
        if (ret) {
            g_autofree char *name = reg_name(cpu, id);

            kvm_get_one_reg(CPU(cpu), id, is_32bit ? (void *)&ours32 :
                                                     (void *)&ours);
            g_string_append_printf(bad, "%s%s (0x%" PRIx64 ") is 0x%" PRIx64
                                   " there and 0x%" PRIx64 " here: %s",
                                   bad->len ? "; " : "", name, id, value,
                                   is_32bit ? ours32 : ours, strerror(-ret));
        }
    }

    if (fixed_only || bad->len) {
        /*
         * Where loading fails, also later, QEMU puts what it has into KVM once
         * more. Otherwise what has come so far comes again, with the vCPUs.
         */
        memcpy(cpu->cpreg_values, before,
               cpu->cpreg_array_len * sizeof(*before));
    }
    if (bad->len) {
        g_autofree char *differ = kvm_arm_host_cpus_differ(NULL);

        error_setg(errp, "this host's KVM cannot have the CPU of the incoming "
                   "state: %s", bad->str);
        error_append_hint(errp, "Start the source with a CPU type that both "
                          "hosts' kernels can show, see query-cpu-definitions, "
                          "and migrate to a kernel that is not older, or give "
                          "the source kvm-psci-version= of the older one.\n");
        if (differ) {
            error_append_hint(errp, "Here %s.\n", differ);
        }
        return false;
    }
    return true;
}

bool kvm_arm_load_cpreg_list(ARMCPU *cpu, Error **errp)
{
    return take_over(cpu, cpu->cpreg_vmstate_indexes,
                     cpu->cpreg_vmstate_values, cpu->cpreg_vmstate_array_len,
                     false, errp);
}

/*
 * What all vCPUs have for life is in the stream before all RAM, too, so that a
 * host that cannot have it refuses then. With it go the frequency of the
 * counter, in Hz, which KVM does not change, and the SVE vector lengths, a bit
 * for each 128: no ID register has these, and other ones lose registers.
 */
#define MAX_FIXED_REGS 128      /* 7.2 has some 80; more are looked at later */

typedef struct FixedRegs {
    uint64_t cntfrq;
    uint32_t vls;
    uint32_t n;
    uint64_t ids[MAX_FIXED_REGS], values[MAX_FIXED_REGS];
} FixedRegs;

static FixedRegs fixed_regs;

static uint64_t host_cntfrq(void)
{
    uint64_t cntfrq;

    asm("mrs %0, cntfrq_el0" : "=r"(cntfrq));
    return cntfrq;
}

static bool fixed_regs_needed(void *opaque)
{
    /* Those who do not know this do not know kvm_impl_cpus either. */
    return first_cpu && (ARM_CPU(first_cpu)->kvm_early_regs ||
                         ARM_CPU(first_cpu)->kvm_impl_cpus);
}

static int fixed_regs_pre_save(void *opaque)
{
    ARMCPU *cpu = ARM_CPU(first_cpu);

    /*
     * Of a vCPU that runs what was read last, as it would have us wait until it
     * exits. KVM may hide the GIC at its first run (kvm_finalize_sys_regs()).
     */
    if (!runstate_is_running() && !write_kvmstate_to_list(cpu)) {
        return -EIO;
    }
    memset(&fixed_regs, 0, sizeof(fixed_regs));
    fixed_regs.cntfrq = host_cntfrq();
    fixed_regs.vls = cpu->sve_vq.map;
    for (int i = 0; i < cpu->cpreg_array_len; i++) {
        if (is_fixed(cpu->cpreg_indexes[i]) && fixed_regs.n < MAX_FIXED_REGS) {
            fixed_regs.ids[fixed_regs.n] = cpu->cpreg_indexes[i];
            fixed_regs.values[fixed_regs.n++] = cpu->cpreg_values[i];
        }
    }
    return 0;
}

static bool fixed_regs_post_load(void *opaque, int version_id, Error **errp)
{
    if (fixed_regs.cntfrq != host_cntfrq()) {
        error_setg(errp, "the guest's counter runs at %" PRIu64 " Hz, and that "
                   "of this host at %" PRIu64 " Hz (CNTFRQ_EL0)",
                   fixed_regs.cntfrq, host_cntfrq());
        return false;
    }
    if (!first_cpu || fixed_regs.n > MAX_FIXED_REGS) {
        error_setg(errp, "the incoming state has %" PRIu32 " fixed registers",
                   fixed_regs.n);
        return false;
    }
    if (!take_over(ARM_CPU(first_cpu), fixed_regs.ids, fixed_regs.values,
                   fixed_regs.n, true, errp)) {
        return false;
    }
    if (fixed_regs.vls != ARM_CPU(first_cpu)->sve_vq.map) {
        error_setg(errp, "the guest's SVE vector lengths, a bit for each 128, "
                   "are 0x%x, and those here 0x%x; give both sve<N>=",
                   fixed_regs.vls, ARM_CPU(first_cpu)->sve_vq.map);
        return false;
    }
    return true;
}

static const VMStateDescription vmstate_fixed_regs = {
    .name = "kvm-fixed-regs",
    .version_id = 1,
    .minimum_version_id = 1,
    .early_setup = true,
    .needed = fixed_regs_needed,
    .pre_save = fixed_regs_pre_save,
    .post_load_errp = fixed_regs_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(cntfrq, FixedRegs),
        VMSTATE_UINT32(vls, FixedRegs),
        VMSTATE_UINT32(n, FixedRegs),
        VMSTATE_UINT64_ARRAY(ids, FixedRegs, MAX_FIXED_REGS),
        VMSTATE_UINT64_ARRAY(values, FixedRegs, MAX_FIXED_REGS),
        VMSTATE_END_OF_LIST()
    }
};

void kvm_arm_register_fixed_regs(void)
{
    vmstate_register(NULL, 0, &vmstate_fixed_regs, &fixed_regs);
}
