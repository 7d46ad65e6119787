/*
 * Interrupts that KVM has queued for a BookE vCPU
 *
 * KVM on an e500v2 emulates the guest's interrupts: it queues one, and makes
 * the guest take it when it enters it the next time (pending_exceptions in
 * Linux' arch/powerpc/kvm/booke.c). A signal in between returns to user space,
 * and no call tells of the queue, or changes it. In a VM that goes on nothing
 * is lost. There are two cases in which it matters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <linux/kvm.h>
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "exec/cpu-common.h"
#include "system/memory.h"
#include "system/kvm_int.h"
#include "kvm-booke.h"

#define INSN_SC     0x44000002
#define INSN_B_SELF 0x48000000

#define MAS1_4K     (2 << MAS1_TSIZE_SHIFT)

/* Of half a millisecond each, see kvmppc_booke_run_on() */
#define RUN_ON_TRIES 100

#ifndef sigev_notify_thread_id      /* glibc has the field, without its name */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Have this vCPU thread's KVM_RUN end in half a millisecond. */
static bool interrupt_soon(void)
{
    static const struct itimerspec soon = { .it_value.tv_nsec = 500000 };
    static __thread timer_t timer;
    static __thread bool has_timer;
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID,
        .sigev_signo = SIG_IPI,
        .sigev_notify_thread_id = qemu_get_thread_id(),
    };

    if (!has_timer) {
        has_timer = !timer_create(CLOCK_MONOTONIC, &event, &timer);
    }
    return has_timer && !timer_settime(timer, 0, &soon, NULL);
}

static bool behind_system_call(CPUState *cs)
{
    CPUPPCState *env = cpu_env(cs);
    struct kvm_regs regs;
    uint32_t pid;
    uint64_t pa;

    if (kvm_vcpu_ioctl(cs, KVM_GET_REGS, &regs) < 0) {
        warn_report_once("vCPU %d: KVM_GET_REGS failed: %s; it may stop "
                         "inside a system call", cs->cpu_index,
                         strerror(errno));
        return false;
    }
    pid = regs.pid;
    return booke206_tlb_translate(&env->booke206, regs.pc - 4, &pid, 1,
                                  FIELD_EX64(regs.msr, MSR, IR), &pa) &&
           address_space_ldl_be(cs->as, pa, MEMTXATTRS_UNSPECIFIED, NULL) ==
           INSN_SC;
}

/*
 * The first case: NIP is behind a system call, and whether its interrupt is
 * still queued cannot be told. Saved and restored, it would be lost. (All
 * others come again, from registers, from the MPIC, or from executing the
 * instruction again.) Have a vCPU that is to stop run on from there.
 *
 * KVM has the guest take a queued call when it enters it: one try is enough,
 * unless the guest makes the next one meanwhile (that was 1 of 75). One that is
 * still there after RUN_ON_TRIES loops there, at an instruction that it got to
 * by a branch, and has no call queued. Without the bound it would never stop;
 * with it, it stops 50 ms later than others.
 */
bool kvmppc_booke_run_on(CPUState *cs)
{
    CPUPPCState *env = cpu_env(cs);
    bool run_on = qatomic_read(&cs->stop) &&
                  env->kvm_run_on_tries < RUN_ON_TRIES &&
                  behind_system_call(cs);

    if (run_on && !interrupt_soon()) {
        warn_report_once("vCPU %d stops at a system call, which a saved guest "
                         "can lose: no timer to go on with: %s",
                         cs->cpu_index, strerror(errno));
        run_on = false;
    }
    if (!run_on) {
        env->kvm_run_on_tries = 0;
        return false;
    }
    env->kvm_run_on_tries++;
    qatomic_set(&cs->exit_request, false);
    return true;
}

/*
 * Find a page of RAM that may be executed in address space 0, by any process
 * and in 32-bit mode, or have the entry @scratch of TLB1 map one.
 */
static void find_code(BookE206TLB *tlb, unsigned int scratch, uint64_t *ea,
                      uint64_t *pa)
{
    BookE206TLBEntry entry = {
        .mas1 = MAS1_VALID | MAS1_4K,
        .mas7_3 = MAS3_SX | MAS3_SR,
    };

    for (unsigned int i = tlb->nb_entries; i-- > 0; ) {
        BookE206TLBEntry e = booke206_tlb_get_entry(tlb, i);

        *ea = e.mas2 & MAS2_EPN_MASK;
        if ((e.mas1 & (MAS1_VALID | MAS1_TS | MAS1_TID_MASK)) == MAS1_VALID &&
            (e.mas7_3 & MAS3_SX) && *ea == (uint32_t)*ea &&
            booke206_tlb_translate(tlb, *ea, NULL, 0, false, pa) &&
            *pa < current_machine->ram_size) {
            return;
        }
    }
    *ea = *pa = 0;
    booke206_tlb_set_entry(tlb, scratch, &entry);
}

/*
 * The second case: the vCPU gets another state, by a reset or an incoming one,
 * which has nothing to do with what is queued. Let it take that before, at a
 * place where all vectors, and NIP, are the same branch to itself.
 */
int kvmppc_booke_drain(PowerPCCPU *cpu, Error **errp)
{
    CPUState *cs = CPU(cpu);
    BookE206TLB *tlb = &cpu->env.booke206;
    unsigned int scratch = booke206_tlb_index(tlb, 1, 0, 0);
    BookE206TLBEntry entry = booke206_tlb_get_entry(tlb, scratch);
    uint32_t insn = cpu_to_be32(INSN_B_SELF), saved;
    struct kvm_regs regs = {};
    struct kvm_sregs sregs;
    const char *call = "KVM_SET_SREGS";
    uint64_t ea, pa;
    int ret;

    find_code(tlb, scratch, &ea, &pa);
    ret = kvmppc_booke_push_tlb(cpu, errp);
    if (ret == 0) {
        ret = kvmppc_booke_get_sregs(cpu, &sregs, errp);
    }
    if (ret < 0) {
        goto out;
    }
    sregs.u.e.ivpr = ea & ~0xffffull;
    for (int i = 0; i < ARRAY_SIZE(sregs.u.e.ivor_low); i++) {
        sregs.u.e.ivor_low[i] = ea & 0xfff0;
    }
    for (int i = 0; i < ARRAY_SIZE(sregs.u.e.ivor_high); i++) {
        sregs.u.e.ivor_high[i] = ea & 0xfff0;
    }
    regs.pc = ea;
    ret = kvm_vcpu_ioctl(cs, KVM_SET_SREGS, &sregs);
    if (ret == 0) {
        call = "KVM_SET_REGS";
        ret = kvm_vcpu_ioctl(cs, KVM_SET_REGS, &regs);
    }

    address_space_read(cs->as, pa, MEMTXATTRS_UNSPECIFIED, &saved, 4);
    address_space_write_rom(cs->as, pa, MEMTXATTRS_UNSPECIFIED, &insn, 4);
    address_space_flush_icache_range(cs->as, pa, 4);
    /*
     * One is taken with each entry, and two can be queued at a time. An old
     * kick, of another thread or by the timer, must not keep KVM_RUN from
     * entering the guest: forget it, before the timer is set that ends this
     * KVM_RUN. The last kick is left, so that the vCPU's next KVM_RUN returns
     * at once and kvm_cpu_exec() looks what a forgotten one was for.
     */
    for (int i = 0; i < 3 && ret == 0; i++) {
        call = "KVM_RUN";
        kvm_eat_signals(cs);
        ret = interrupt_soon() ? kvm_vcpu_ioctl(cs, KVM_RUN, 0) : -errno;
        ret = ret == -EINTR ? 0 : ret;
    }
    address_space_write_rom(cs->as, pa, MEMTXATTRS_UNSPECIFIED, &saved, 4);
    address_space_flush_icache_range(cs->as, pa, 4);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "vCPU %d: %s failed, to have it take "
                         "queued interrupts before it gets another state",
                         cs->cpu_index, call);
    }
out:
    booke206_tlb_set_entry(tlb, scratch, &entry);
    return ret;
}
