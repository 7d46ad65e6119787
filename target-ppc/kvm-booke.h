/*
 * KVM on BookE PowerPC
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TARGET_PPC_KVM_BOOKE_H
#define TARGET_PPC_KVM_BOOKE_H

#include "cpu.h"
#include "system/kvm.h"

static inline bool kvmppc_is_booke(PowerPCCPUClass *pcc)
{
    return pcc->excp_model == POWERPC_EXCP_BOOKE;
}

/**
 * kvmppc_booke_can_run:
 * @s: the KVM accelerator, not yet initialised
 * @model: the CPU type that was asked for
 * @host: the CPU type of the host, or NULL if QEMU knows none for its PVR
 * @host_pvr: the host's PVR
 * @errp: says why not
 *
 * BookE KVM shows guests the host's own core: the PVR cannot be set, and the
 * guest's TLBs work like the host's core defines them (see
 * kvmppc_core_check_processor_compat() in Linux). The TLBs are shared with
 * QEMU through KVM_CAP_SW_TLB.
 *
 * Returns: true if KVM on this host can run @model
 */
bool kvmppc_booke_can_run(const KVMState *s, PowerPCCPUClass *model,
                          PowerPCCPUClass *host, uint32_t host_pvr,
                          Error **errp);

#endif
