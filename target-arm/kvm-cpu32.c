/*
 * CPU types of qemu-system-arm that are the host's CPU in AArch32 state
 *
 * 32-bit Arm hosts have had no KVM since Linux 5.7, but AArch64 ones whose
 * CPU has AArch32 at EL1 run 32-bit guests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "internals.h"
#include "kvm_arm.h"
#include "kvm-target.h"

void kvm_arm_host_cpu32_initfn(Object *obj)
{
    ARMCPU *cpu = ARM_CPU(obj);

    kvm_arm_set_cpu_features_from_host(cpu);
    unset_feature(&cpu->env, ARM_FEATURE_AARCH64);
}

static const ARMCPUInfo host_cpus32[] = {
    { .name = "host", .initfn = kvm_arm_host_cpu32_initfn },
#ifndef CONFIG_TCG
    { .name = "max", .initfn = kvm_arm_host_cpu32_initfn },
#endif
};

static void kvm_arm_cpu32_register_types(void)
{
    for (int i = 0; i < ARRAY_SIZE(host_cpus32); i++) {
        arm_cpu_register(&host_cpus32[i]);
    }
}

type_init(kvm_arm_cpu32_register_types)
