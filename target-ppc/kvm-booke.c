/*
 * KVM on BookE PowerPC
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "system/kvm_int.h"
#include "kvm-booke.h"
#include "kvm_ppc.h"

/* The vCPU capabilities that BookE guests use, and what they are used for */
static const struct {
    uint32_t cap;
    const char *name;
    bool required;
    const char *absent;
} booke_caps[] = {
#define CAP(_cap) .cap = _cap, .name = #_cap
    { CAP(KVM_CAP_SW_TLB), .required = true,
      .absent = "the kernel does not share the guest's TLBs" },
    { CAP(KVM_CAP_PPC_BOOKE_SREGS), .required = true,
      .absent = "the kernel does not show the guest's special registers" },
    { CAP(KVM_CAP_ONE_REG),
      .absent = "IACn, DACn and EPR are not reset and do not migrate" },
    { CAP(KVM_CAP_PPC_EPR),
      .absent = "guests cannot use the external proxy of QEMU's MPIC" },
    { CAP(KVM_CAP_PPC_BOOKE_WATCHDOG),
      .absent = "the guest's watchdog never expires" },
#undef CAP
};

static int booke_cap_index(uint32_t cap)
{
    for (int i = 0; i < ARRAY_SIZE(booke_caps); i++) {
        if (booke_caps[i].cap == cap) {
            return i;
        }
    }
    g_assert_not_reached();
}

static const char *family_name(PowerPCCPUClass *pcc)
{
    return DEVICE_CLASS(ppc_cpu_get_family_class(pcc))->desc;
}

bool kvmppc_booke_can_run(const KVMState *s, PowerPCCPUClass *model,
                          PowerPCCPUClass *host, uint32_t host_pvr,
                          Error **errp)
{
    bool can_run = true;
    int fd;

    if (!host || ppc_cpu_get_family_class(model) !=
                 ppc_cpu_get_family_class(host)) {
        error_setg(errp, "its family is '%s' and the host's is '%s' "
                   "(PVR 0x%08" PRIx32 "), which KVM cannot hide",
                   family_name(model), host ? family_name(host) : "unknown",
                   host_pvr);
        return false;
    }

    fd = kvm_probe_open(s, errp);
    if (fd < 0) {
        return false;
    }
    for (int i = 0; i < ARRAY_SIZE(booke_caps) && can_run; i++) {
        if (booke_caps[i].required &&
            ioctl(fd, KVM_CHECK_EXTENSION, booke_caps[i].cap) <= 0) {
            error_setg(errp, "%s (%s is missing)", booke_caps[i].absent,
                       booke_caps[i].name);
            can_run = false;
        }
    }
    qemu_close(fd);
    return can_run;
}

int kvmppc_booke_enable_cap(CPUState *cs, uint32_t which, uint64_t arg,
                            Error **errp)
{
    int i = booke_cap_index(which), ret;

    if (!kvm_check_extension(cs->kvm_state, which)) {
        error_setg(errp, "%s (%s is missing)", booke_caps[i].absent,
                   booke_caps[i].name);
        return -ENOSYS;
    }
    ret = kvm_vcpu_enable_cap(cs, which, 0, arg);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "vCPU %d: KVM_ENABLE_CAP(%s, 0x%" PRIx64
                         ") failed", cs->cpu_index, booke_caps[i].name, arg);
    }
    return ret;
}

int kvmppc_booke_init_vcpu(PowerPCCPU *cpu, Error **errp)
{
    ERRP_GUARD();
    CPUState *cs = CPU(cpu);
    BookE206TLB *tlb = &cpu->env.booke206;
    struct kvm_book3e_206_tlb_params params = {};
    struct kvm_config_tlb cfg = {
        .params = (uintptr_t)&params,
        .array = (uintptr_t)tlb->entries,
        .array_len = tlb->nb_entries * sizeof(tlb->entries[0]),
        .mmu_type = KVM_MMU_FSL_BOOKE_HV,
    };
    int ret = -EINVAL;

    QEMU_BUILD_BUG_ON(sizeof(struct kvm_book3e_206_tlb_entry) !=
                      sizeof(tlb->entries[0]));
    QEMU_BUILD_BUG_ON(sizeof(params.tlb_sizes) !=
                      sizeof(tlb->geometry.entries));

    for (int i = 0; i < ARRAY_SIZE(booke_caps); i++) {
        if (!booke_caps[i].required &&
            !kvm_check_extension(cs->kvm_state, booke_caps[i].cap)) {
            warn_report_once("%s (%s is missing)", booke_caps[i].absent,
                             booke_caps[i].name);
        }
    }

    memcpy(params.tlb_sizes, tlb->geometry.entries, sizeof(params.tlb_sizes));
    memcpy(params.tlb_ways, tlb->geometry.ways, sizeof(params.tlb_ways));
    /*
     * Cores with the hypervisor category (MSR[GS]) have entries with MAS8.
     * Linux defines a type for them and takes only the other, up to now.
     */
    if (cpu->env.msr_mask & (1ull << MSR_GS)) {
        ret = kvmppc_booke_enable_cap(cs, KVM_CAP_SW_TLB, (uintptr_t)&cfg,
                                      NULL);
    }
    if (ret < 0) {
        cfg.mmu_type = KVM_MMU_FSL_BOOKE_NOHV;
        ret = kvmppc_booke_enable_cap(cs, KVM_CAP_SW_TLB, (uintptr_t)&cfg,
                                      errp);
    }
    if (ret < 0) {
        error_append_hint(errp, "The TLBs were TLB0 with %" PRIu32 " entries "
                          "in %" PRIu32 " ways and TLB1 with %" PRIu32
                          " entries.\n", params.tlb_sizes[0],
                          params.tlb_ways[0], params.tlb_sizes[1]);
        return ret;
    }

    cpu->env.kvm_sw_tlb = true;
    kvm_run_on = kvmppc_booke_run_on;
    booke206_tlb_mark_all_dirty(tlb);
    return 0;
}

void kvmppc_booke_fatal(Error *err)
{
    fprintf(stderr, "%s: %s\n", g_get_prgname(), error_get_pretty(err));
    exit(1);
}

int kvmppc_booke_watchdog_enable(PowerPCCPU *cpu)
{
    Error *err = NULL;
    int ret;

    if (!kvm_enabled() ||
        !kvm_check_extension(kvm_state, KVM_CAP_PPC_BOOKE_WATCHDOG)) {
        return -1;
    }
    ret = kvmppc_booke_enable_cap(CPU(cpu), KVM_CAP_PPC_BOOKE_WATCHDOG, 0,
                                  &err);
    if (ret < 0) {
        kvmppc_booke_fatal(err);
    }
    return 0;
}

void kvmppc_set_mpic_proxy(PowerPCCPU *cpu, int mpic_proxy)
{
    Error *err = NULL;

    /* A kernel without it has nothing that could be switched off. */
    if (!mpic_proxy && !kvm_check_extension(kvm_state, KVM_CAP_PPC_EPR)) {
        return;
    }
    if (kvmppc_booke_enable_cap(CPU(cpu), KVM_CAP_PPC_EPR, mpic_proxy,
                                &err) < 0) {
        kvmppc_booke_fatal(err);
    }
}

/*
 * The timers' registers, when QEMU changes them beside a running vCPU: without
 * ONE_REG they can only be written when the vCPU is reset.
 */
static int set_timer_reg(PowerPCCPU *cpu, const char *name, uint64_t id,
                         uint32_t val)
{
    int ret;

    if (!kvm_enabled() || !kvm_check_extension(kvm_state, KVM_CAP_ONE_REG)) {
        return 0;
    }
    ret = kvm_set_one_reg(CPU(cpu), id, &val);
    if (ret < 0) {
        error_report_once("vCPU %d: KVM_SET_ONE_REG of %s failed: %s",
                          CPU(cpu)->cpu_index, name, strerror(-ret));
    }
    return ret;
}

int kvmppc_or_tsr_bits(PowerPCCPU *cpu, uint32_t tsr_bits)
{
    return set_timer_reg(cpu, "OR_TSR", KVM_REG_PPC_OR_TSR, tsr_bits);
}

int kvmppc_clear_tsr_bits(PowerPCCPU *cpu, uint32_t tsr_bits)
{
    return set_timer_reg(cpu, "CLEAR_TSR", KVM_REG_PPC_CLEAR_TSR, tsr_bits);
}

int kvmppc_set_tcr(PowerPCCPU *cpu)
{
    return set_timer_reg(cpu, "TCR", KVM_REG_PPC_TCR,
                         cpu->env.spr[SPR_BOOKE_TCR]);
}

int kvmppc_booke_push_tlb(PowerPCCPU *cpu, Error **errp)
{
    BookE206TLB *tlb = &cpu->env.booke206;
    struct kvm_dirty_tlb dirty = {};
    g_autofree void *bitmap = booke206_tlb_dirty_bitmap(tlb, &dirty.num_dirty);
    int ret;

    if (!bitmap) {
        return 0;
    }
    dirty.bitmap = (uintptr_t)bitmap;
    ret = kvm_vcpu_ioctl(CPU(cpu), KVM_DIRTY_TLB, &dirty);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "vCPU %d: KVM_DIRTY_TLB of %" PRIu32
                         " entries failed", CPU(cpu)->cpu_index,
                         dirty.num_dirty);
        return ret;
    }
    booke206_tlb_clear_dirty(tlb);
    return 0;
}

/*
 * Registers in struct kvm_sregs: the KVM_SREGS_E_* feature that has to be
 * there, and the KVM_SREGS_E_UPDATE_* flag without which KVM does not take
 * what may change while the vCPU does not run. PIR is read-only.
 */
static const struct {
    int spr;
    uint16_t offset;
    uint16_t size;
    uint32_t feature;
    uint32_t update;
} booke_sregs[] = {
#define SREG(_spr, _field)                                            \
    .spr = _spr, .offset = offsetof(struct kvm_sregs, u.e._field),    \
    .size = sizeof_field(struct kvm_sregs, u.e._field)
#define BASE        .feature = KVM_SREGS_E_BASE
#define ARCH206     .feature = KVM_SREGS_E_ARCH206
#define MMU         .feature = KVM_SREGS_E_ARCH206_MMU
#define ED          .feature = KVM_SREGS_E_ED
#define DEBUG       .feature = KVM_SREGS_E_DEBUG
#define PD          .feature = KVM_SREGS_E_PD
    { SREG(SPR_BOOKE_CSRR0, csrr0), BASE },
    { SREG(SPR_BOOKE_CSRR1, csrr1), BASE },
    { SREG(SPR_BOOKE_ESR, esr), BASE },
    { SREG(SPR_BOOKE_DEAR, dear), BASE },
    { SREG(SPR_BOOKE_MCSR, mcsr), BASE, KVM_SREGS_E_UPDATE_MCSR },
    { SREG(SPR_BOOKE_TSR, tsr), BASE, KVM_SREGS_E_UPDATE_TSR },
    { SREG(SPR_BOOKE_TCR, tcr), BASE },
    { SREG(SPR_DECR, dec), BASE, KVM_SREGS_E_UPDATE_DEC },
    { SREG(SPR_VRSAVE, vrsave), BASE },
    { SREG(SPR_BOOKE_MCSRR0, mcsrr0), ARCH206 },
    { SREG(SPR_BOOKE_MCSRR1, mcsrr1), ARCH206 },
    { SREG(SPR_BOOKE_DECAR, decar), ARCH206 },
    { SREG(SPR_BOOKE_IVPR, ivpr), ARCH206 },
    { SREG(SPR_BOOKE_EPCR, epcr), .feature = KVM_SREGS_E_64 },
    { SREG(SPR_BOOKE_SPRG8, sprg8), .feature = KVM_SREGS_E_SPRG8 },
    { SREG(SPR_BOOKE_SPRG9, sprg9), ED },
    { SREG(SPR_BOOKE_DSRR0, dsrr0), ED },
    { SREG(SPR_BOOKE_DSRR1, dsrr1), ED },
    { SREG(SPR_BOOKE_DBSR, dbsr), DEBUG, KVM_SREGS_E_UPDATE_DBSR },
    { SREG(SPR_BOOKE_DBCR0, dbcr[0]), DEBUG },
    { SREG(SPR_BOOKE_DBCR1, dbcr[1]), DEBUG },
    { SREG(SPR_BOOKE_DBCR2, dbcr[2]), DEBUG },
    { SREG(SPR_BOOKE_MAS0, mas0), MMU },
    { SREG(SPR_BOOKE_MAS1, mas1), MMU },
    { SREG(SPR_BOOKE_MAS2, mas2), MMU },
    { SREG(SPR_BOOKE_MAS4, mas4), MMU },
    { SREG(SPR_BOOKE_MAS6, mas6), MMU },
    { SREG(SPR_BOOKE_EPLC, eplc), PD },
    { SREG(SPR_BOOKE_EPSC, epsc), PD },
#undef SREG
#undef BASE
#undef ARCH206
#undef MMU
#undef ED
#undef DEBUG
#undef PD
};

/* Interrupt vectors: the low ones first, then IVOR32 and on */
static const struct {
    int spr;
    int excp;
    uint32_t feature;
} booke_ivors[] = {
    { SPR_BOOKE_IVOR0, POWERPC_EXCP_CRITICAL },
    { SPR_BOOKE_IVOR1, POWERPC_EXCP_MCHECK },
    { SPR_BOOKE_IVOR2, POWERPC_EXCP_DSI },
    { SPR_BOOKE_IVOR3, POWERPC_EXCP_ISI },
    { SPR_BOOKE_IVOR4, POWERPC_EXCP_EXTERNAL },
    { SPR_BOOKE_IVOR5, POWERPC_EXCP_ALIGN },
    { SPR_BOOKE_IVOR6, POWERPC_EXCP_PROGRAM },
    { SPR_BOOKE_IVOR7, POWERPC_EXCP_FPU },
    { SPR_BOOKE_IVOR8, POWERPC_EXCP_SYSCALL },
    { SPR_BOOKE_IVOR9, POWERPC_EXCP_APU },
    { SPR_BOOKE_IVOR10, POWERPC_EXCP_DECR },
    { SPR_BOOKE_IVOR11, POWERPC_EXCP_FIT },
    { SPR_BOOKE_IVOR12, POWERPC_EXCP_WDT },
    { SPR_BOOKE_IVOR13, POWERPC_EXCP_DTLB },
    { SPR_BOOKE_IVOR14, POWERPC_EXCP_ITLB },
    { SPR_BOOKE_IVOR15, POWERPC_EXCP_DEBUG },
    { SPR_BOOKE_IVOR32, POWERPC_EXCP_SPEU, KVM_SREGS_E_SPE },
    { SPR_BOOKE_IVOR33, POWERPC_EXCP_EFPDI, KVM_SREGS_E_SPE },
    { SPR_BOOKE_IVOR34, POWERPC_EXCP_EFPRI, KVM_SREGS_E_SPE },
    { SPR_BOOKE_IVOR35, POWERPC_EXCP_EPERFM, KVM_SREGS_E_PM },
    { SPR_BOOKE_IVOR36, POWERPC_EXCP_DOORI, KVM_SREGS_E_PC },
    { SPR_BOOKE_IVOR37, POWERPC_EXCP_DOORCI, KVM_SREGS_E_PC },
};

static uint32_t *sregs_ivor(struct kvm_sregs *sregs, int i)
{
    int low = ARRAY_SIZE(sregs->u.e.ivor_low);

    if ((sregs->u.e.features & booke_ivors[i].feature) !=
        booke_ivors[i].feature) {
        return NULL;
    }
    return i < low ? &sregs->u.e.ivor_low[i] : &sregs->u.e.ivor_high[i - low];
}

/* Registers that only KVM_GET_ONE_REG and KVM_SET_ONE_REG have */
static struct {
    const char *name;
    int spr;
    uint64_t id;
    /* What a kernel knows does not change: the first call tells. */
    bool known;
    bool unknown;
} booke_one_regs[] = {
    { "EPR", SPR_BOOKE_EPR, KVM_REG_PPC_EPR },
    { "IAC1", SPR_BOOKE_IAC1, KVM_REG_PPC_IAC1 },
    { "IAC2", SPR_BOOKE_IAC2, KVM_REG_PPC_IAC2 },
    { "DAC1", SPR_BOOKE_DAC1, KVM_REG_PPC_DAC1 },
    { "DAC2", SPR_BOOKE_DAC2, KVM_REG_PPC_DAC2 },
};

static int sync_one_regs(PowerPCCPU *cpu, bool put, Error **errp)
{
    CPUState *cs = CPU(cpu);
    CPUPPCState *env = &cpu->env;

    for (int i = 0; i < ARRAY_SIZE(booke_one_regs); i++) {
        bool is_32 = (booke_one_regs[i].id & KVM_REG_SIZE_MASK) ==
                     KVM_REG_SIZE_U32;
        int spr = booke_one_regs[i].spr, ret;
        uint32_t val32 = env->spr[spr];
        uint64_t val64 = env->spr[spr];
        void *val = is_32 ? (void *)&val32 : &val64;

        if (booke_one_regs[i].unknown) {
            continue;
        }
        ret = put ? kvm_set_one_reg(cs, booke_one_regs[i].id, val) :
                    kvm_get_one_reg(cs, booke_one_regs[i].id, val);
        booke_one_regs[i].known |= ret == 0;
        if (ret == -EINVAL && !booke_one_regs[i].known) {
            booke_one_regs[i].unknown = true;
        } else if (ret < 0) {
            error_setg_errno(errp, -ret, "vCPU %d: %s of %s (0x%016" PRIx64
                             ") failed", cs->cpu_index,
                             put ? "KVM_SET_ONE_REG" : "KVM_GET_ONE_REG",
                             booke_one_regs[i].name, booke_one_regs[i].id);
            return ret;
        } else if (!put) {
            env->spr[spr] = is_32 ? val32 : val64;
        }
    }
    return 0;
}

int kvmppc_booke_get_sregs(PowerPCCPU *cpu, struct kvm_sregs *sregs,
                           Error **errp)
{
    int ret = kvm_vcpu_ioctl(CPU(cpu), KVM_GET_SREGS, sregs);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "vCPU %d: KVM_GET_SREGS failed",
                         CPU(cpu)->cpu_index);
    }
    return ret;
}

int kvmppc_booke_get(PowerPCCPU *cpu, Error **errp)
{
    CPUPPCState *env = &cpu->env;
    struct kvm_sregs sregs;
    int ret = kvmppc_booke_get_sregs(cpu, &sregs, errp);

    if (ret < 0) {
        return ret;
    }

    for (int i = 0; i < ARRAY_SIZE(booke_sregs); i++) {
        void *field = (char *)&sregs + booke_sregs[i].offset;

        if (sregs.u.e.features & booke_sregs[i].feature) {
            env->spr[booke_sregs[i].spr] = booke_sregs[i].size == 8 ?
                                           *(uint64_t *)field :
                                           *(uint32_t *)field;
        }
    }
    if (sregs.u.e.features & KVM_SREGS_E_BASE) {
        env->spr[SPR_TBL] = (uint32_t)sregs.u.e.tb;
        env->spr[SPR_TBU] = sregs.u.e.tb >> 32;
    }
    if (sregs.u.e.features & KVM_SREGS_E_ARCH206) {
        env->spr[SPR_BOOKE_PIR] = sregs.u.e.pir;
    }
    if (sregs.u.e.features & KVM_SREGS_E_ARCH206_MMU) {
        env->spr[SPR_BOOKE_MAS3] = (uint32_t)sregs.u.e.mas7_3;
        env->spr[SPR_BOOKE_MAS7] = sregs.u.e.mas7_3 >> 32;
        env->spr[SPR_MMUCFG] = sregs.u.e.mmucfg;
        env->spr[SPR_BOOKE_TLB0CFG] = sregs.u.e.tlbcfg[0];
        env->spr[SPR_BOOKE_TLB1CFG] = sregs.u.e.tlbcfg[1];
    }
    if (sregs.u.e.features & KVM_SREGS_E_IVOR) {
        for (int i = 0; i < ARRAY_SIZE(booke_ivors); i++) {
            uint32_t *ivor = sregs_ivor(&sregs, i);

            if (ivor) {
                env->spr[booke_ivors[i].spr] = *ivor;
                env->excp_vectors[booke_ivors[i].excp] =
                    env->spr[SPR_BOOKE_IVPR] + *ivor;
            }
        }
    }
    if (sregs.u.e.impl_id == KVM_SREGS_E_IMPL_FSL) {
        env->spr[SPR_E500_SVR] = sregs.u.e.impl.fsl.svr;
        env->spr[SPR_Exxx_MCAR] = sregs.u.e.impl.fsl.mcar;
        env->spr[SPR_HID0] = sregs.u.e.impl.fsl.hid0;
        if (sregs.u.e.impl.fsl.features & KVM_SREGS_E_FSL_PIDn) {
            env->spr[SPR_BOOKE_PID1] = sregs.u.e.impl.fsl.pid1;
            env->spr[SPR_BOOKE_PID2] = sregs.u.e.impl.fsl.pid2;
        }
    }
    return sync_one_regs(cpu, false, errp);
}

/*
 * The interrupt input is no register: KVM keeps what was last said. With the
 * MPIC in the kernel it is the kernel that drives it.
 */
static int put_interrupt(PowerPCCPU *cpu, Error **errp)
{
    struct kvm_interrupt irq = {
        .irq = cpu->env.pending_interrupts & PPC_INTERRUPT_EXT ?
               KVM_INTERRUPT_SET_LEVEL : KVM_INTERRUPT_UNSET,
    };
    int ret;

    if (kvm_irqchip_in_kernel()) {
        return 0;
    }
    ret = kvm_vcpu_ioctl(CPU(cpu), KVM_INTERRUPT, &irq);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "vCPU %d: KVM_INTERRUPT failed",
                         CPU(cpu)->cpu_index);
    }
    return ret;
}

static int set_sregs(PowerPCCPU *cpu, struct kvm_sregs *sregs, Error **errp)
{
    int ret = kvm_vcpu_ioctl(CPU(cpu), KVM_SET_SREGS, sregs);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "vCPU %d: KVM_SET_SREGS failed",
                         CPU(cpu)->cpu_index);
    }
    return ret;
}

int kvmppc_booke_put(PowerPCCPU *cpu, int level, Error **errp)
{
    CPUPPCState *env = &cpu->env;
    struct kvm_sregs sregs, old;
    uint32_t dec = 0;
    int ret;

    ret = kvmppc_booke_push_tlb(cpu, errp);
    if (ret < 0) {
        return ret;
    }

    /* What QEMU does not know has to stay as KVM_GET_SREGS had it. */
    ret = kvmppc_booke_get_sregs(cpu, &sregs, errp);
    if (ret < 0) {
        return ret;
    }
    old = sregs;
    for (int i = 0; i < ARRAY_SIZE(booke_sregs); i++) {
        void *field = (char *)&sregs + booke_sregs[i].offset;

        if (booke_sregs[i].update) {
            if (level < KVM_PUT_RESET_STATE) {
                continue;
            }
            sregs.u.e.update_special |= booke_sregs[i].update;
        }
        if (booke_sregs[i].size == 8) {
            *(uint64_t *)field = env->spr[booke_sregs[i].spr];
        } else {
            *(uint32_t *)field = env->spr[booke_sregs[i].spr];
        }
    }
    sregs.u.e.mas7_3 = (uint64_t)env->spr[SPR_BOOKE_MAS7] << 32 |
                       (uint32_t)env->spr[SPR_BOOKE_MAS3];
    for (int i = 0; i < ARRAY_SIZE(booke_ivors); i++) {
        uint32_t *ivor = sregs_ivor(&sregs, i);

        if (ivor) {
            *ivor = env->spr[booke_ivors[i].spr];
        }
    }
    if (sregs.u.e.impl_id == KVM_SREGS_E_IMPL_FSL) {
        sregs.u.e.impl.fsl.svr = env->spr[SPR_E500_SVR];
        sregs.u.e.impl.fsl.mcar = env->spr[SPR_Exxx_MCAR];
        sregs.u.e.impl.fsl.hid0 = env->spr[SPR_HID0];
        sregs.u.e.impl.fsl.pid1 = env->spr[SPR_BOOKE_PID1];
        sregs.u.e.impl.fsl.pid2 = env->spr[SPR_BOOKE_PID2];
    }
    if (sregs.u.e.update_special & KVM_SREGS_E_UPDATE_DEC) {
        /*
         * The call starts the decrementer before it writes TSR and DECAR. One
         * that expires meanwhile would leave no trace in TSR, and be reloaded
         * with the old DECAR: stop it first, and start it when all is there.
         */
        dec = sregs.u.e.dec;
        sregs.u.e.dec = 0;
    }
    if (memcmp(&sregs, &old, sizeof(sregs))) {
        ret = set_sregs(cpu, &sregs, errp);
        if (ret < 0) {
            return ret;
        }
    }
    if (dec) {
        sregs.u.e.dec = dec;
        sregs.u.e.update_special = KVM_SREGS_E_UPDATE_DEC;
        ret = set_sregs(cpu, &sregs, errp);
        if (ret < 0) {
            return ret;
        }
    }

    ret = sync_one_regs(cpu, true, errp);
    if (ret == 0 && level >= KVM_PUT_RESET_STATE) {
        ret = put_interrupt(cpu, errp);
    }
    if (ret == 0) {
        env->kvm_put_level = 0;
    }
    return ret;
}

int kvmppc_booke_get_timebase(PowerPCCPU *cpu, uint64_t *tb, Error **errp)
{
    struct kvm_sregs sregs;
    int ret = kvmppc_booke_get_sregs(cpu, &sregs, errp);

    if (ret == 0) {
        *tb = sregs.u.e.tb;
    }
    return ret;
}

bool kvmppc_booke_translate(CPUPPCState *env, vaddr ea, hwaddr *pa)
{
    const uint32_t pids[] = {
        env->spr[SPR_BOOKE_PID], env->spr[SPR_BOOKE_PID1],
        env->spr[SPR_BOOKE_PID2],
    };

    if (!env->kvm_sw_tlb) {
        return false;
    }
    if (!FIELD_EX64(env->msr, MSR, CM)) {
        ea = (uint32_t)ea;
    }
    return booke206_tlb_translate(&env->booke206, ea, pids, ARRAY_SIZE(pids),
                                  FIELD_EX64(env->msr, MSR, DS), pa) ||
           booke206_tlb_translate(&env->booke206, ea, pids, ARRAY_SIZE(pids),
                                  FIELD_EX64(env->msr, MSR, IR), pa);
}
