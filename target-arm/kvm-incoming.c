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
#include "system/kvm.h"
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
    ri = get_arm_cp_reginfo(cpu->cp_regs, kvm_to_cpreg_id(id));
    return ri ? g_strdup(ri->name) : kvm_print_register_name(id);
}

/* Whether a guest can do without register @id, which was @value */
static bool can_leave_out(uint64_t id, uint64_t value)
{
    if ((id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_DEMUX) {
        /* CCSIDR_EL1 of a cache that CLIDR_EL1, which is compared, lacks */
        return true;
    }
    switch (id) {
    case KVM_REG_ARM_PTIMER_CNT:
        /* Before Linux 6.4 the physical counter is the host's. */
        return true;
    case KVM_REG_ARM_PTIMER_CTL:
        return !(value & 1);                    /* not ENABLE */
    }
    return value == 0 || value == KVM_UNKNOWN_VALUE;
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

bool kvm_arm_load_cpreg_list(ARMCPU *cpu, Error **errp)
{
    g_autoptr(GString) bad = g_string_new(NULL);
    uint64_t offered = 0;

    for (int i = 0, v = 0; v < cpu->cpreg_vmstate_array_len; v++) {
        uint64_t id = cpu->cpreg_vmstate_indexes[v];
        uint64_t value = cpu->cpreg_vmstate_values[v];

        if (id == KVM_REG_ARM_VENDOR_HYP_BMAP_2) {
            offered = value;
        }
        while (i < cpu->cpreg_array_len && cpu->cpreg_indexes[i] < id) {
            i++;
        }
        if (i < cpu->cpreg_array_len && cpu->cpreg_indexes[i] == id) {
            cpu->cpreg_values[i] = value;
        } else if (!can_leave_out(id, value)) {
            g_autofree char *name = reg_name(cpu, id);

            g_string_append_printf(bad, "%s%s (0x%" PRIx64 ") is 0x%" PRIx64
                                   " there and not known here",
                                   bad->len ? "; " : "", name, id, value);
        }
    }

    if (!kvm_arm_impl_cpus_loaded(offered, errp)) {
        return false;
    }

    for (int i = 0; i < cpu->cpreg_array_len; i++) {
        uint64_t id = cpu->cpreg_indexes[i];
        uint64_t value = cpu->cpreg_values[i], ours = 0;
        uint32_t value32 = value, ours32 = 0;
        bool is_32bit = (id & KVM_REG_SIZE_MASK) == KVM_REG_SIZE_U32;
        int ret = kvm_set_one_reg(CPU(cpu), id, is_32bit ? (void *)&value32 :
                                                           (void *)&value);

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

    if (bad->len) {
        g_autofree char *differ = kvm_arm_host_cpus_differ(NULL);

        error_setg(errp, "this host's KVM cannot have the CPU of the incoming "
                   "state: %s", bad->str);
        error_append_hint(errp, "Start the source with a CPU type that both "
                          "hosts' kernels can show, see query-cpu-definitions, "
                          "and migrate to a kernel that is not older.\n");
        if (differ) {
            error_append_hint(errp, "Here %s.\n", differ);
        }
        return false;
    }
    return true;
}
