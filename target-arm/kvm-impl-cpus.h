/*
 * Telling a guest on which CPUs it may run
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_IMPL_CPUS_H
#define TARGET_ARM_KVM_IMPL_CPUS_H

#include "cpu-qom.h"

/* The name of the property; its value is what kvm_arm_impl_cpus_ask() takes */
#define KVM_ARM_IMPL_CPUS "kvm-target-impl-cpus"

/**
 * kvm_arm_impl_cpus_check:
 * @text: a value of the property
 * @errp: what is wrong with it, and what it may be
 *
 * Returns: true if it can be taken. Which CPUs the host has does not matter
 */
bool kvm_arm_impl_cpus_check(const char *text, Error **errp);

/**
 * kvm_arm_impl_cpus_ask:
 * @text: a value of the property: "host", or MIDR_EL1[:REVIDR_EL1[:AIDR_EL1]]
 *     of up to 32 CPUs with "-" between them
 * @fds: descriptors of KVM, VM and vCPU, which has been initialised
 * @errp: what is wrong with it, what the kernel lacks, or which of the host's
 *     CPUs is not on the list
 *
 * Returns: true if the guest can be told that it may run on these CPUs, and the
 * host's are among them
 */
bool kvm_arm_impl_cpus_ask(const char *text, const int fds[3], Error **errp);

/**
 * kvm_arm_impl_cpus_init_vcpu:
 * @cpu: a vCPU that has been initialised; no vCPU has run yet
 * @fds: its descriptors
 * @errp: as kvm_arm_impl_cpus_ask()
 *
 * Has KVM leave the guest's question to QEMU, if @cpu has the property.
 *
 * Returns: true unless that fails
 */
bool kvm_arm_impl_cpus_init_vcpu(ARMCPU *cpu, const int fds[3], Error **errp);

/**
 * kvm_arm_impl_cpus_call:
 * @cpu: a vCPU whose guest made an SMCCC call that KVM left to QEMU
 * @nr: which one
 *
 * Sets the guest's X0 to X3 to the answer, as Linux's
 * Documentation/virt/kvm/arm/hypercalls.rst has it.
 *
 * Returns: 0, or -errno if the guest has no answer and must not go on
 */
int kvm_arm_impl_cpus_call(ARMCPU *cpu, uint64_t nr);

/**
 * kvm_arm_impl_cpus_loaded:
 * @offered: KVM_REG_ARM_VENDOR_HYP_BMAP_2 of an incoming state, or 0
 * @errp: what is to be done
 *
 * Returns: true unless a guest of this QEMU can ask, and that one cannot. The
 * other way round check_moved() has refused it, or KVM denies the calls
 */
bool kvm_arm_impl_cpus_loaded(uint64_t offered, Error **errp);

/* Has the list migrate. It goes, and is looked at, before all RAM. */
void kvm_arm_impl_cpus_register(void);

#endif
