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
 * kvmppc_core_check_processor_compat() in Linux). The kernel has to have the
 * capabilities without which no guest can be kept in sync.
 *
 * Returns: true if KVM on this host can run @model
 */
bool kvmppc_booke_can_run(const KVMState *s, PowerPCCPUClass *model,
                          PowerPCCPUClass *host, uint32_t host_pvr,
                          Error **errp);

/**
 * kvmppc_booke_enable_cap:
 * @cs: a BookE vCPU
 * @which: KVM_CAP_SW_TLB, KVM_CAP_PPC_EPR or KVM_CAP_PPC_BOOKE_WATCHDOG
 * @arg: what it wants to know
 * @errp: names the capability, and what follows when the kernel has none
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_enable_cap(CPUState *cs, uint32_t which, uint64_t arg,
                            Error **errp);

/**
 * kvmppc_booke_fatal: say why on stderr, and exit with 1
 * @err: why
 *
 * For callbacks of devices, which cannot fail. With &error_fatal, the error of
 * a monitor command would go to the monitor, which has no time to show it.
 */
G_NORETURN void kvmppc_booke_fatal(Error *err);

/**
 * kvmppc_booke_init_vcpu: share the vCPU's TLBs with KVM
 * @cpu: its geometry has been checked
 * @errp: names what the kernel refused
 *
 * From here on the entries belong to KVM while the vCPU runs, and to QEMU when
 * it does not (struct kvm_config_tlb in Documentation/virt/kvm/api.rst).
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_init_vcpu(PowerPCCPU *cpu, Error **errp);

/**
 * kvmppc_booke_push_tlb: announce changed TLB entries
 * @cpu: its vCPU does not run
 * @errp: the call that failed, and the number of entries
 *
 * KVM has to be told before the next KVM_RUN (Documentation/virt/kvm/api.rst
 * 4.60, KVM_DIRTY_TLB). Without a dirty entry there is no call. The entries
 * stay dirty when it fails.
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_push_tlb(PowerPCCPU *cpu, Error **errp);

struct kvm_sregs;

/**
 * kvmppc_booke_get_sregs: read the special registers as KVM has them
 * @cpu: its vCPU does not run
 * @sregs: where they go. Of u.e only what u.e.features has means something
 *         (KVM_SREGS_E_*; api.rst 4.13, KVM_GET_SREGS)
 * @errp: names the call that failed
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_get_sregs(PowerPCCPU *cpu, struct kvm_sregs *sregs,
                           Error **errp);

/**
 * kvmppc_booke_run_on: have a vCPU that is to stop leave a system call first
 * @cs: KVM_RUN was interrupted (-EINTR). Called on its thread, without the BQL
 *
 * This is what kvm_run_on is set to, see system/kvm_int.h.
 *
 * Returns: true if it has to run on: the next KVM_RUN is interrupted 0.5 ms
 * from now. False if it is not to stop, is not at such a place, or was there
 * 100 times in a row; and, with a warning, if a call fails
 */
bool kvmppc_booke_run_on(CPUState *cs);

/**
 * kvmppc_booke_drain: rid a vCPU of what KVM has queued for it
 * @cpu: has run; its registers in KVM are lost by this, and those in @cpu are
 *       yet to be put. Called on its thread
 * @errp: names what failed
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_drain(PowerPCCPU *cpu, Error **errp);

/**
 * kvmppc_booke_get: read the special registers
 * @cpu: its vCPU does not run
 * @errp: names the call that failed
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_get(PowerPCCPU *cpu, Error **errp);

/**
 * kvmppc_booke_put: announce changed TLB entries, write the special registers
 * @cpu: its vCPU does not run
 * @level: KVM_PUT_*_STATE. Registers that change while the vCPU does not run
 *         (KVM_SREGS_E_UPDATE_*: timers, machine checks) are written from
 *         KVM_PUT_RESET_STATE on, so that a running guest loses no tick
 * @errp: names the call that failed
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_put(PowerPCCPU *cpu, int level, Error **errp);

#ifdef CONFIG_KVM
/**
 * kvmppc_booke_get_timebase:
 * @cpu: its vCPU does not run
 * @tb: where the time base goes
 * @errp: names the call that failed
 *
 * The guest's time base is the host's: BookE KVM has no offset between them,
 * and in a guest in user mode the host's is read without KVM.
 *
 * Returns: 0, or a negative errno
 */
int kvmppc_booke_get_timebase(PowerPCCPU *cpu, uint64_t *tb, Error **errp);

/**
 * kvmppc_booke_translate: translate an address for a debugger
 * @env: its state is in sync
 * @ea: the effective address
 * @pa: where the physical one goes
 *
 * Looks into the shared TLBs, without any call to the kernel.
 *
 * Returns: true if an entry maps @ea in the current address space, for data or
 * for instructions, with the current process IDs
 */
bool kvmppc_booke_translate(CPUPPCState *env, vaddr ea, hwaddr *pa);
#else
static inline int kvmppc_booke_get_timebase(PowerPCCPU *cpu, uint64_t *tb,
                                            Error **errp)
{
    g_assert_not_reached();
}

static inline bool kvmppc_booke_translate(CPUPPCState *env, vaddr ea,
                                          hwaddr *pa)
{
    return false;
}
#endif

#endif
