/*
 * KVM vCPU targets of Arm CPU types
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_TARGET_H
#define TARGET_ARM_KVM_TARGET_H

#include "cpu-qom.h"
#include "system/kvm.h"

struct kvm_vcpu_init;

/* Lets the kernel choose: KVM_ARM_PREFERRED_TARGET is the host's own CPU. */
#define KVM_ARM_TARGET_PREFERRED UINT32_MAX

/**
 * kvm_arm_model_target:
 * @oc: an Arm CPU class
 * @target: filled in with the KVM vCPU target of the CPU type, which is
 *     KVM_ARM_TARGET_PREFERRED for those that take the host's
 *
 * Returns: false if QEMU knows none for it
 */
bool kvm_arm_model_target(ObjectClass *oc, uint32_t *target);

/**
 * kvm_arm_create_scratch_host_vcpu:
 * @s: the KVM accelerator whose device to use, initialised or not; NULL for
 *     /dev/kvm
 * @mte: enable MTE where the host has it: the kernel hides the MTE field of
 *     ID_AA64PFR1_EL1 unless that was done before the first vCPU, and refuses
 *     AArch32 at EL1 when it was
 * @fdarray: filled in with the descriptors of KVM, VM and vCPU, in that order
 * @errp: says which step failed and why
 *
 * Creates a vCPU in a VM of its own to ask the kernel about. It has yet to
 * be initialised.
 *
 * Returns: true if @fdarray is filled in, to be closed with
 * kvm_arm_destroy_scratch_host_vcpu(); false if nothing is open
 */
bool kvm_arm_create_scratch_host_vcpu(const KVMState *s, bool mte,
                                      int fdarray[3], Error **errp);

/**
 * kvm_arm_init_scratch_host_vcpu:
 * @fdarray: what kvm_arm_create_scratch_host_vcpu() filled in
 * @init: vCPU target and features to initialise it with;
 *     KVM_ARM_TARGET_PREFERRED is replaced by the host's own target
 * @errp: names the target that was refused and the one that would not be
 *
 * Returns: true if the kernel accepted @init
 */
bool kvm_arm_init_scratch_host_vcpu(const int fdarray[3],
                                    struct kvm_vcpu_init *init, Error **errp);

/**
 * kvm_arm_destroy_scratch_host_vcpu:
 * @fdarray: what kvm_arm_create_scratch_host_vcpu() filled in
 */
void kvm_arm_destroy_scratch_host_vcpu(const int fdarray[3]);

/**
 * kvm_arm_limit_to_aarch32:
 * @cpu: a CPU with ``aarch64=off``
 *
 * Takes SVE and pointer authentication, which came with the host's ID
 * registers, from @cpu. Linux refuses to initialise a vCPU that is to have
 * one of them together with AArch32 at EL1 (kvm_vcpu_init_check_features()).
 */
void kvm_arm_limit_to_aarch32(ARMCPU *cpu);

#endif
