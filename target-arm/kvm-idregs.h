/*
 * Identification registers of Arm vCPUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_ARM_KVM_IDREGS_H
#define TARGET_ARM_KVM_IDREGS_H

#include "cpu-qom.h"

/**
 * kvm_arm_set_id_regs:
 * @fds: descriptors of KVM, VM and vCPU; the VM has
 *     KVM_CAP_ARM_WRITABLE_IMP_ID_REGS enabled, the vCPU is initialised with
 *     the features of @cpu and has not run
 * @cpu: the CPU that the vCPU is to look like, realized or not
 * @own: leave MIDR_EL1, REVIDR_EL1 and AIDR_EL1 alone, as they are @cpu's but
 *     for its revision
 * @errp: names the register and field that the kernel does not set, the value
 *     that is wanted and the one that is there
 *
 * Gives the vCPU the identification registers of @cpu, and reads them back.
 * Fields that belong to KVM, see id_regs[], are left alone.
 *
 * Returns: true if a guest sees @cpu
 */
bool kvm_arm_set_id_regs(const int fds[3], ARMCPU *cpu, bool own, Error **errp);

#endif
