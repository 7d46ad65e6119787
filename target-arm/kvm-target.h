/*
 * KVM vCPU targets of Arm CPU types
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_TARGET_H
#define TARGET_ARM_KVM_TARGET_H

#include "cpu-qom.h"
#include "kvm-models.h"
#include "system/kvm.h"

struct kvm_vcpu_init;

/* What a scratch VM may have enabled before its vCPU is created */
enum {
    /*
     * MTE: the kernel hides ID_AA64PFR1_EL1.MTE without it, and refuses
     * AArch32 at EL1 with it.
     */
    KVM_ARM_SCRATCH_MTE = 1,
    /* Other MIDR_EL1, REVIDR_EL1 and AIDR_EL1 than the host's */
    KVM_ARM_SCRATCH_IMP_ID_REGS = 2,
};

/**
 * kvm_arm_create_scratch_host_vcpu:
 * @s: the KVM accelerator whose device to use, initialised or not; NULL for
 *     /dev/kvm
 * @enable: KVM_ARM_SCRATCH_* to enable in the VM where the kernel has them;
 *     those that it refused are cleared. NULL for none.
 * @fdarray: filled in with the descriptors of KVM, VM and vCPU, in that order
 * @errp: says which step failed and why
 *
 * Creates a vCPU in a VM of its own to ask the kernel about. It has yet to
 * be initialised.
 *
 * Returns: true if @fdarray is filled in, to be closed with
 * kvm_arm_destroy_scratch_host_vcpu(); false if nothing is open
 */
bool kvm_arm_create_scratch_host_vcpu(const KVMState *s, unsigned *enable,
                                      int fdarray[3], Error **errp);

/**
 * kvm_arm_try_vcpu_init:
 * @fdarray: descriptors of KVM, VM and vCPU
 * @init: features to initialise the vCPU with; its target is filled in
 * @errp: names the feature or target that was refused
 *
 * Initialises the vCPU with the target that this kernel prefers for the host's
 * CPU. Linux 4.3 to 6.5 wants the number of the host's own CPU, or GENERIC_V8
 * if it has none; since 6.6 GENERIC_V8 is always preferred
 * (arch/arm64/kvm/arm.c, kvm_vcpu_init_check_features() and its caller). So
 * what is preferred is always right; whether the host's CPU is the one that is
 * wanted, MIDR_EL1 tells.
 *
 * Returns: true if the kernel accepted @init
 */
bool kvm_arm_try_vcpu_init(const int fdarray[3], struct kvm_vcpu_init *init,
                           Error **errp);

/**
 * kvm_arm_destroy_scratch_host_vcpu:
 * @fdarray: what kvm_arm_create_scratch_host_vcpu() filled in
 */
void kvm_arm_destroy_scratch_host_vcpu(const int fdarray[3]);

/**
 * kvm_arm_psci_version:
 * @text: a value of property kvm-psci-version, such as "1.1"
 * @version: set to that as the PSCI call PSCI_VERSION has it (DEN0022)
 * @errp: what it may be
 *
 * Returns: true if it is a version of PSCI. A kernel may not have it
 */
bool kvm_arm_psci_version(const char *text, uint32_t *version, Error **errp);

/**
 * kvm_arm_set_psci_version:
 * @vcpu: a vCPU that has been initialised with KVM_ARM_VCPU_PSCI_0_2; no vCPU
 *     has run yet
 * @version: of PSCI, for all of the VM
 * @is_told: the guest is to ask on which CPUs it may run. Linux does so after
 *     it found SMCCC 1.1, which it looks for with PSCI 1.0 (psci_probe())
 * @errp: that the kernel does not have it, or that such a guest does not ask
 *
 * Returns: true if guests have that version
 */
bool kvm_arm_set_psci_version(int vcpu, uint32_t version, bool is_told,
                              Error **errp);

/**
 * kvm_arm_become_model:
 * @model: the model that the vCPU is to be
 * @fds: descriptors of KVM, VM and vCPU, which has been initialised
 * @cpu: the CPU that it is to look like
 * @errp: names both CPUs, and why the kernel cannot show the one for the other
 *
 * Gives the vCPU the identification registers of @cpu. On the CPU that @model
 * is, MIDR_EL1, REVIDR_EL1 and AIDR_EL1 stay the host's, by whose revision a
 * guest chooses its errata workarounds, unless it is told on which CPUs it may
 * run, or nobody cares. Kernels that cannot write MIDR_EL1 (before Linux 6.15)
 * only run @model on that CPU, and the guest reads the host's registers. So it
 * does with kvm-host-id-regs=on.
 *
 * Returns: true if the vCPU is that model
 */
bool kvm_arm_become_model(const KVMArmModel *model, const int fds[3],
                          ARMCPU *cpu, Error **errp);

/**
 * kvm_arm_host_cpu32_initfn:
 * @obj: a CPU of qemu-system-arm
 *
 * Makes @obj the host's CPU in AArch32 state, as ``host`` and, with KVM,
 * ``max`` are there.
 */
void kvm_arm_host_cpu32_initfn(Object *obj);

#endif
