/*
 * The kinds of CPUs that an AArch64 host has
 *
 * The ID registers that Linux shows user space and guests hold for all CPUs
 * (read_sanitised_ftr_reg()). But a vCPU's target and, before Linux 6.3, its
 * cache registers are those of the CPU that a call happens to run on, and the
 * MIDR_EL1 that KVM tells is the boot CPU's, wherever a guest is going to run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/cutils.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "kvm-host-cpus.h"

/* MIDR_EL1 of each CPU that a thread was allowed to run on; 0 if not known */
static uint64_t *midrs;
static unsigned long n_midrs;

static bool read_id_reg(unsigned cpu, const char *name, uint64_t *value)
{
    g_autofree char *path =
        g_strdup_printf("/sys/devices/system/cpu/cpu%u/regs/identification/%s",
                        cpu, name);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) &&
           !qemu_strtou64(g_strchomp(text), NULL, 16, value);
}

KVMArmHostCPUs kvm_arm_host_cpus(uint64_t *midr, uint64_t *revidr)
{
    KVMArmHostCPUs cpus = KVM_ARM_HOST_CPUS_UNKNOWN;
    g_autofree unsigned long *may = NULL;
    unsigned long nbits;
    QemuThread self;

    /* Registers are also put by a vCPU's thread without it. */
    BQL_LOCK_GUARD();
    qemu_thread_get_self(&self);
    if (qemu_thread_get_affinity(&self, &may, &nbits)) {
        return KVM_ARM_HOST_CPUS_UNKNOWN;
    }
    if (nbits > n_midrs) {
        midrs = g_renew(uint64_t, midrs, nbits);
        memset(midrs + n_midrs, 0, (nbits - n_midrs) * sizeof(*midrs));
        n_midrs = nbits;
    }
    for (unsigned long i = 0; i < nbits; i++) {
        /* A CPU that goes offline takes its file away. */
        if (!test_bit(i, may) ||
            (!midrs[i] && !read_id_reg(i, "midr_el1", &midrs[i]))) {
            continue;
        }
        if (cpus == KVM_ARM_HOST_CPUS_UNKNOWN) {
            cpus = KVM_ARM_HOST_CPUS_ALIKE;
            *midr = midrs[i];
            if (revidr && !read_id_reg(i, "revidr_el1", revidr)) {
                *revidr = 0;
            }
        } else if (!kvm_arm_midr_is_kind(midrs[i], *midr)) {
            cpus = KVM_ARM_HOST_CPUS_DIFFER;
        }
    }
    return cpus;
}

GArray *kvm_arm_host_impl_cpus(void)
{
    GArray *cpus = g_array_new(false, true, sizeof(KVMArmImplCPU));
    g_autofree unsigned long *may = NULL;
    unsigned long nbits;
    QemuThread self;

    qemu_thread_get_self(&self);
    if (qemu_thread_get_affinity(&self, &may, &nbits)) {
        return cpus;
    }
    for (unsigned long i = find_first_bit(may, nbits); i < nbits;
         i = find_next_bit(may, nbits, i + 1)) {
        KVMArmImplCPU cpu = { };
        bool known = false;

        if (!read_id_reg(i, "midr_el1", &cpu.midr) ||
            !read_id_reg(i, "revidr_el1", &cpu.revidr)) {
            continue;
        }
        if (!read_id_reg(i, "aidr_el1", &cpu.aidr)) {
            cpu.aidr = 0;
        }
        for (int n = 0; n < cpus->len; n++) {
            known |= !memcmp(&g_array_index(cpus, KVMArmImplCPU, n), &cpu,
                             sizeof(cpu));
        }
        if (!known) {
            g_array_append_val(cpus, cpu);
        }
    }
    return cpus;
}

char *kvm_arm_host_cpus_differ(const KVMArmModel *model)
{
    uint64_t midr;

    BQL_LOCK_GUARD();
    kvm_arm_host_cpus(&midr, NULL);
    return kvm_arm_cpus_differ(midrs, n_midrs, model);
}
