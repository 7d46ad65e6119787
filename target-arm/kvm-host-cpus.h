/*
 * The kinds of CPUs that an AArch64 host has
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_HOST_CPUS_H
#define TARGET_ARM_KVM_HOST_CPUS_H

#include "kvm-models.h"

/* What the host says of the CPUs that a thread may run on */
typedef enum KVMArmHostCPUs {
    KVM_ARM_HOST_CPUS_UNKNOWN,
    KVM_ARM_HOST_CPUS_ALIKE,
    KVM_ARM_HOST_CPUS_DIFFER,
} KVMArmHostCPUs;

/**
 * kvm_arm_host_cpus:
 * @midr: set to the MIDR_EL1 of the first of them, unless that is unknown
 * @revidr: the same for REVIDR_EL1; may be NULL
 *
 * CPUs of one part and different revisions are alike: KVM tells them apart
 * nowhere.
 *
 * Returns: whether the CPUs that the calling thread may run on are alike;
 * unknown where /sys does not say
 */
KVMArmHostCPUs kvm_arm_host_cpus(uint64_t *midr, uint64_t *revidr);

/* What tells a CPU from others of which Linux knows other errata */
typedef struct KVMArmImplCPU {
    uint64_t midr, revidr, aidr;
} KVMArmImplCPU;

/**
 * kvm_arm_host_impl_cpus:
 *
 * Returns: those that the calling thread may run on, each KVMArmImplCPU once;
 * to be freed with g_array_unref(). None where /sys does not say; AIDR_EL1 is 0
 * where it does not
 */
GArray *kvm_arm_host_impl_cpus(void);

/**
 * kvm_arm_host_cpus_differ:
 * @model: the model that is wanted, or NULL for any
 *
 * Returns: kvm_arm_cpus_differ() of the CPUs that threads of QEMU were allowed
 * to run on whenever this was looked at
 */
char *kvm_arm_host_cpus_differ(const KVMArmModel *model);

#endif
