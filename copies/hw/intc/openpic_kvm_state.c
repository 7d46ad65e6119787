/*
 * The state of an MPIC in the kernel
 *
 * KVM_DEV_MPIC_GRP_REGISTER has what a guest could read and write, and
 * KVM_DEV_MPIC_GRP_IRQ_ACTIVE has the inputs (see
 * Documentation/virt/kvm/devices/mpic.rst in Linux). What they do not have:
 *
 * - Which interrupts are in service. A guest that is saved between taking an
 *   interrupt and ending it ends one that is not in service, which does
 *   nothing; a level that is still active is pending for it meanwhile.
 * - For which CPUs an IPI is. With one CPU there is no doubt.
 * - The timers. The kernel stores their registers and does not run them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "hw/ppc/openpic_kvm.h"

/* Registers, from the MPIC's base (MPC8544E Reference Manual, 10.3) */
#define GCR             0x1020
#define  GCR_RESET      0x80000000
#define VIR             0x1080
#define IPIVPR(_ipi)    (0x10a0 + (_ipi) * 0x10)
#define SPVE            0x10e0
#define TFRR            0x10f0
#define MSIR(_n)        (0x1600 + (_n) * 0x10)
#define MSISR           0x1720
#define MSIIR           0x1740
#define IVPR(_irq)      (0x10000 + (_irq) * 0x20)
#define IDR(_irq)       (0x10010 + (_irq) * 0x20)
#define ILR(_irq)       (0x10018 + (_irq) * 0x20)
#define IPIDR(_cpu, _n) (0x20040 + (_cpu) * 0x1000 + (_n) * 0x10)
#define CTPR(_cpu)      (0x20080 + (_cpu) * 0x1000)
#define IACK(_cpu)      (0x200a0 + (_cpu) * 0x1000)

#define TBCR_CI         0x80000000

/* As fsl_common_init() of QEMU and Linux numbers them */
#define IRQ_IPI0        OPENPIC_MAX_SRC
#define IRQ_TIM0        (IRQ_IPI0 + OPENPIC_MAX_IPI)
#define IRQ_MSI         224

/* The first error stays; after one nothing more is done. */
typedef struct Access {
    int fd;
    Error **errp;
    bool failed;
} Access;

static void device_attr(Access *a, unsigned long request, uint32_t group,
                        uint64_t attr, uint32_t *val)
{
    struct kvm_device_attr device_attr = {
        .group = group,
        .attr = attr,
        .addr = (uintptr_t)val,
    };

    if (!a->failed && ioctl(a->fd, request, &device_attr) < 0) {
        a->failed = true;
        error_setg_errno(a->errp, errno, "MPIC: %s of %s 0x%" PRIx64 " failed",
                         request == KVM_SET_DEVICE_ATTR ?
                         "KVM_SET_DEVICE_ATTR" : "KVM_GET_DEVICE_ATTR",
                         group == KVM_DEV_MPIC_GRP_REGISTER ? "register" :
                         "interrupt", attr);
    }
}

static uint32_t get(Access *a, uint64_t reg)
{
    uint32_t val = 0;

    device_attr(a, KVM_GET_DEVICE_ATTR, KVM_DEV_MPIC_GRP_REGISTER, reg, &val);
    return val;
}

static void put(Access *a, uint64_t reg, uint32_t val)
{
    device_attr(a, KVM_SET_DEVICE_ATTR, KVM_DEV_MPIC_GRP_REGISTER, reg, &val);
}

static bool get_pending(Access *a, int irq)
{
    uint32_t val = 0;

    device_attr(a, KVM_GET_DEVICE_ATTR, KVM_DEV_MPIC_GRP_IRQ_ACTIVE, irq,
                &val);
    return val;
}

static void put_pending(Access *a, int irq, uint32_t val)
{
    device_attr(a, KVM_SET_DEVICE_ATTR, KVM_DEV_MPIC_GRP_IRQ_ACTIVE, irq,
                &val);
}

/* MSIR is cleared by reading it, and can only be set bit by bit. */
static void put_msi(Access *a, int n, uint32_t msir)
{
    for (int bit = 0; bit < 32; bit++) {
        if (msir & (1u << bit)) {
            put(a, MSIIR, (uint32_t)n << 29 | bit << 24);
        }
    }
}

OpenPICState *kvm_openpic_state_new(uint32_t nb_cpus)
{
    OpenPICState *s = g_new0(OpenPICState, 1);

    s->max_irq = OPENPIC_MAX_IRQ;
    s->irq_ipi0 = IRQ_IPI0;
    s->irq_tim0 = IRQ_TIM0;
    s->irq_msi = IRQ_MSI;
    s->nb_cpus = nb_cpus;
    for (int cpu = 0; cpu < nb_cpus; cpu++) {
        s->dst[cpu].raised.queue_size = IRQQUEUE_SIZE_BITS;
        s->dst[cpu].raised.queue = bitmap_new(IRQQUEUE_SIZE_BITS);
        s->dst[cpu].servicing.queue_size = IRQQUEUE_SIZE_BITS;
        s->dst[cpu].servicing.queue = bitmap_new(IRQQUEUE_SIZE_BITS);
    }
    return s;
}

bool kvm_openpic_reset_state(int fd, uint32_t nb_cpus, Error **errp)
{
    Access a = { .fd = fd, .errp = errp };

    put(&a, GCR, GCR_RESET);
    for (int n = 0; n < MAX_MSI; n++) {
        get(&a, MSIR(n));               /* reset leaves them */
    }
    for (int cpu = 0; cpu < nb_cpus; cpu++) {
        get(&a, IACK(cpu));             /* takes the CPU's input back */
    }
    return !a.failed;
}

static void get_source(Access *a, OpenPICState *s, int irq)
{
    IRQSource *src = &s->src[irq];

    src->idr = src->destmask = get(a, IDR(irq));
    src->ivpr = get(a, IVPR(irq));
    src->pending = get_pending(a, irq);
}

bool kvm_openpic_get_state(int fd, OpenPICState *s, Error **errp)
{
    Access a = { .fd = fd, .errp = errp };
    uint32_t msisr;

    s->gcr = get(&a, GCR);
    s->vir = get(&a, VIR);
    s->spve = get(&a, SPVE);
    s->tfrr = get(&a, TFRR);
    for (int cpu = 0; cpu < s->nb_cpus; cpu++) {
        s->dst[cpu].ctpr = get(&a, CTPR(cpu));
        s->dst[cpu].raised.next = s->dst[cpu].servicing.next = -1;
        bitmap_zero(s->dst[cpu].raised.queue, IRQQUEUE_SIZE_BITS);
        bitmap_zero(s->dst[cpu].servicing.queue, IRQQUEUE_SIZE_BITS);
    }
    for (int irq = 0; irq < IRQ_IPI0; irq++) {
        get_source(&a, s, irq);
    }
    for (int ipi = 0; ipi < OPENPIC_MAX_IPI; ipi++) {
        IRQSource *src = &s->src[IRQ_IPI0 + ipi];

        src->ivpr = get(&a, IPIVPR(ipi));
        src->pending = !!(src->ivpr & IVPR_ACTIVITY_MASK);
        src->destmask = src->pending;
        if (src->pending && s->nb_cpus > 1 && !a.failed) {
            error_setg(errp, "The MPIC in the kernel does not tell for which "
                       "CPUs the pending IPI %d is: let the guest run on and "
                       "try again, or use -M kernel_irqchip=off", ipi);
            return false;
        }
    }
    for (int tmr = 0; tmr < OPENPIC_MAX_TMR; tmr++) {
        s->src[IRQ_TIM0 + tmr].ivpr = IVPR_MASK_MASK;
        s->src[IRQ_TIM0 + tmr].idr = s->src[IRQ_TIM0 + tmr].destmask = 1;
        s->timers[tmr].tbcr = TBCR_CI;
    }
    msisr = get(&a, MSISR);
    for (int n = 0; n < MAX_MSI; n++) {
        s->msi[n].msir = 0;
        if (msisr & (1u << n)) {
            /* The guest may run on: it has to find them. */
            s->msi[n].msir = get(&a, MSIR(n));
            put_msi(&a, n, s->msi[n].msir);
        }
    }
    for (int irq = 0; irq < OPENPIC_MAX_IRQ; irq++) {
        for (int cpu = 0; cpu < s->nb_cpus; cpu++) {
            if (s->src[irq].ivpr & IVPR_ACTIVITY_MASK &&
                s->src[irq].destmask & (1u << cpu)) {
                set_bit(irq, s->dst[cpu].raised.queue);
            }
        }
    }
    return !a.failed;
}

/* Put a source as it was, but masked. */
static void put_source(Access *a, const IRQSource *src, int irq)
{
    /* As a level, because only a level can be taken back. */
    put(a, IVPR(irq), IVPR_MASK_MASK | IVPR_SENSE_MASK);
    put_pending(a, irq, 0);
    put(a, IDR(irq), src->idr);
    put(a, ILR(irq), OPENPIC_OUTPUT_INT);
    put(a, IVPR(irq), src->ivpr | IVPR_MASK_MASK);
    if (src->pending) {
        put_pending(a, irq, 1);
    }
}

/* In the order of their priorities each is taken as the guest took it. */
static void put_in_service(Access *a, OpenPICState *s, int cpu)
{
    put(a, CTPR(cpu), 0);
    for (int priority = 1; priority <= 15; priority++) {
        for (int irq = 0; irq < IRQ_IPI0; irq++) {
            const IRQSource *src = &s->src[irq];

            if (IVPR_PRIORITY(src->ivpr) != priority ||
                !test_bit(irq, s->dst[cpu].servicing.queue)) {
                continue;
            }
            put(a, IVPR(irq), src->ivpr & ~IVPR_MASK_MASK);
            put_pending(a, irq, 1);
            get(a, IACK(cpu));
            put_source(a, src, irq);
        }
    }
}

bool kvm_openpic_put_state(int fd, OpenPICState *s, Error **errp)
{
    Access a = { .fd = fd, .errp = errp };

    for (int tmr = 0; tmr < OPENPIC_MAX_TMR; tmr++) {
        if (!(s->timers[tmr].tbcr & TBCR_CI)) {
            error_setg(errp, "Timer %d of the MPIC runs, which the MPIC in "
                       "the kernel cannot: use -M kernel_irqchip=off", tmr);
            return false;
        }
    }
    if (!kvm_openpic_reset_state(fd, s->nb_cpus, errp)) {
        return false;
    }

    /* With all sources masked, nothing is delivered before its time. */
    put(&a, GCR, s->gcr);
    put(&a, SPVE, s->spve);
    put(&a, TFRR, s->tfrr);
    for (int irq = 0; irq < IRQ_IPI0; irq++) {
        put_source(&a, &s->src[irq], irq);
    }
    for (int cpu = 0; cpu < s->nb_cpus; cpu++) {
        put_in_service(&a, s, cpu);
        put(&a, CTPR(cpu), s->dst[cpu].ctpr);
    }
    for (int n = 0; n < MAX_MSI; n++) {
        put_msi(&a, n, s->msi[n].msir);
    }
    for (int irq = 0; irq < IRQ_IPI0; irq++) {
        if (!(s->src[irq].ivpr & IVPR_MASK_MASK)) {
            put(&a, IVPR(irq), s->src[irq].ivpr);
        }
    }
    for (int ipi = 0; ipi < OPENPIC_MAX_IPI; ipi++) {
        const IRQSource *src = &s->src[IRQ_IPI0 + ipi];

        put(&a, IPIVPR(ipi), src->ivpr);
        if (src->pending) {
            put(&a, IPIDR(0, ipi), src->destmask);
        }
    }
    return !a.failed;
}
