/*
 * Identification registers of Arm vCPUs
 *
 * What a guest reads from these under KVM has to be what it reads from the same
 * CPU type under TCG. Linux lets user space change MIDR_EL1, REVIDR_EL1 and
 * AIDR_EL1 since 6.15, and says since 6.7 which bits of the others may change
 * (Documentation/virt/kvm/api.rst, KVM_ARM_GET_REG_WRITABLE_MASKS); which
 * values they may take, it says when they are written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "qapi/error.h"
#include "cpu.h"
#include "cpu-features.h"
#include "kvm_arm.h"
#include "kvm-idregs.h"

/*
 * @name: in the Arm ARM (DDI 0487)
 * @sysreg: its encoding
 * @offset, @size: where ARMCPU has it; size 0 where it is zero in all models
 * @fields: the names of its fields of four bits each, from bit 0 on
 * @kvm_owned: bits that belong to KVM, as the comment says
 * @absent: bits that are zero under TCG too, without EL2, EL3 and what is not
 *     emulated, as arm_cpu_realizefn() has it
 */
typedef struct IDReg {
    const char *name;
    uint32_t sysreg;
    size_t offset, size;
    const char *fields;
    uint64_t kvm_owned, absent;
} IDReg;

#define FROM(member) \
    .offset = offsetof(ARMCPU, member), .size = sizeof_field(ARMCPU, member)
#define NAMED(reg) .name = #reg, .sysreg = SYS_##reg
#define IDREG(reg) .name = #reg, .sysreg = SYS_##reg, \
    FROM(isar.idregs[reg##_IDX])
#define BITS(reg, field) R_##reg##_##field##_MASK

/* The first ones tell who made the CPU; those of AArch32 are the last ones. */
#define N_IMP_ID_REGS 3

static const IDReg id_regs[] = {
    { "MIDR_EL1", ENCODE_ID_REG(3, 0, 0, 0, 0), FROM(midr) },
    { "REVIDR_EL1", ENCODE_ID_REG(3, 0, 0, 0, 6), FROM(revidr) },
    { "AIDR_EL1", ENCODE_ID_REG(3, 1, 0, 0, 7) },
    { NAMED(CTR_EL0), FROM(ctr),
      /* TminLine: Linux does not pass it on (ftr_ctr[] lacks it). */
      .kvm_owned = MAKE_64BIT_MASK(32, 6) },
    { IDREG(CLIDR_EL1) },
    { IDREG(ID_AA64PFR0_EL1),
      "EL0 EL1 EL2 EL3 FP AdvSIMD GIC RAS SVE SEL2 MPAM AMU DIT RME CSV2 CSV3",
      /* The machine's interrupt controller decides, in TCG as well. */
      .kvm_owned = BITS(ID_AA64PFR0, GIC),
      .absent = BITS(ID_AA64PFR0, EL2) | BITS(ID_AA64PFR0, EL3) |
                BITS(ID_AA64PFR0, MPAM) | BITS(ID_AA64PFR0, AMU) |
                BITS(ID_AA64PFR0, RME) },
    { IDREG(ID_AA64PFR1_EL1),
      "BT SSBS MTE RAS_frac MPAM_frac - SME RNDR_trap CSV2_frac NMI MTE_frac "
      "GCS THE MTEX DF2 PFAR" },
    { IDREG(ID_AA64PFR2_EL1) },
    { IDREG(ID_AA64ZFR0_EL1),
      "SVEver AES - - BitPerm BF16 B16B16 - SHA3 - SM4 I8MM - F32MM F64MM -" },
    { IDREG(ID_AA64SMFR0_EL1) },
    { "ID_AA64FPFR0_EL1", ENCODE_ID_REG(3, 0, 0, 4, 7) },
    { IDREG(ID_AA64DFR0_EL1),
      "DebugVer TraceVer PMUVer BRPs PMSS WRPs SEBEP CTX_CMPs PMSVer "
      "DoubleLock TraceFilt TraceBuffer MTPMU BRBE ExtTrcBuff HPMN0",
      .absent = BITS(ID_AA64DFR0, TRACEVER) | BITS(ID_AA64DFR0, PMSVER) |
                BITS(ID_AA64DFR0, TRACEFILT) |
                BITS(ID_AA64DFR0, TRACEBUFFER) },
    { IDREG(ID_AA64DFR1_EL1) },
    { "ID_AA64DFR2_EL1", ENCODE_ID_REG(3, 0, 0, 5, 2) },
    { IDREG(ID_AA64AFR0_EL1) },
    { IDREG(ID_AA64AFR1_EL1) },
    { IDREG(ID_AA64ISAR0_EL1),
      "- AES SHA1 SHA2 CRC32 Atomic TME RDM SHA3 SM3 SM4 DP FHM TS TLB RNDR" },
    { IDREG(ID_AA64ISAR1_EL1),
      "DPB APA API JSCVT FCMA LRCPC GPA GPI FRINTTS SB SPECRES BF16 DGH I8MM "
      "XS LS64",
      /* The host's CPU knows one algorithm; has_pauth_of() compares the rest */
      .kvm_owned = BITS(ID_AA64ISAR1, APA) | BITS(ID_AA64ISAR1, API) |
                   BITS(ID_AA64ISAR1, GPA) | BITS(ID_AA64ISAR1, GPI) },
    { IDREG(ID_AA64ISAR2_EL1),
      "WFxT RPRES GPA3 APA3 MOPS BC PAC_frac CLRBHB SYSREG_128 SYSINSTR_128 "
      "PRFMSLC - RPRFM CSSC LUT ATS1A",
      /* The same */
      .kvm_owned = BITS(ID_AA64ISAR2, GPA3) | BITS(ID_AA64ISAR2, APA3) |
                   BITS(ID_AA64ISAR2, PAC_FRAC) },
    { "ID_AA64ISAR3_EL1", ENCODE_ID_REG(3, 0, 0, 6, 3) },
    { IDREG(ID_AA64MMFR0_EL1),
      "PARange ASIDBits BigEnd SNSMem BigEndEL0 TGran16 TGran64 TGran4 "
      "TGran16_2 TGran64_2 TGran4_2 ExS - - FGT ECV" },
    { IDREG(ID_AA64MMFR1_EL1),
      "HAFDBS VMIDBits VH HPDS LO PAN SpecSEI XNX TWED ETS HCX AFP nTLBPA "
      "TIDCP1 CMOW ECBHB" },
    { IDREG(ID_AA64MMFR2_EL1),
      "CnP UAO LSM IESB VARange CCIDX NV ST AT IDS FWB - TTL BBM EVT E0PD",
      /* KVM has CCSIDR_EL1 in its short form; without EL2 there is no NV. */
      .kvm_owned = BITS(ID_AA64MMFR2, CCIDX) | BITS(ID_AA64MMFR2, NV) },
    { IDREG(ID_AA64MMFR3_EL1),
      "TCRX SCTLRX S1PIE S2PIE S1POE S2POE AIE MEC D128 D128_2 SNERR ANERR - "
      "SDERR ADERR Spec_FPACC" },
    { "ID_AA64MMFR4_EL1", ENCODE_ID_REG(3, 0, 0, 7, 4) },
    { IDREG(ID_PFR0_EL1),
      "State0 State1 State2 State3 CSV2 AMU DIT RAS",
      /* Linux does not pass AArch32's RAS on (ftr_id_pfr0[] lacks it). */
      .kvm_owned = BITS(ID_PFR0, RAS),
      .absent = BITS(ID_PFR0, AMU) },
    { IDREG(ID_PFR1_EL1),
      "ProgMod Security MProgMod Virtualization GenTimer Sec_frac Virt_frac "
      "GIC",
      /* As in ID_AA64PFR0_EL1 */
      .kvm_owned = BITS(ID_PFR1, GIC),
      .absent = BITS(ID_PFR1, SECURITY) | BITS(ID_PFR1, VIRTUALIZATION) },
    { IDREG(ID_DFR0_EL1),
      "CopDbg CopSDbg MMapDbg CopTrc MMapTrc MProfDbg PerfMon TraceFilt",
      .absent = BITS(ID_DFR0, COPSDBG) | BITS(ID_DFR0, COPTRC) |
                BITS(ID_DFR0, MMAPTRC) | BITS(ID_DFR0, TRACEFILT) },
    { IDREG(ID_AFR0_EL1) },
    { IDREG(ID_MMFR0_EL1),
      "VMSA PMSA OuterShr ShareLvl TCM AuxReg FCSE InnerShr" },
    { IDREG(ID_MMFR1_EL1),
      "L1HvdVA L1UniVA L1HvdSW L1UniSW L1Hvd L1Uni L1TstCln BPred" },
    { IDREG(ID_MMFR2_EL1),
      "L1HvdFG L1HvdBG L1HvdRng HvdTLB UniTLB MemBarr WFIStall HWAccFlg" },
    { IDREG(ID_MMFR3_EL1),
      "CMaintVA CMaintSW BPMaint MaintBcst PAN CohWalk CMemSz Supersec" },
    { IDREG(ID_ISAR0_EL1),
      "Swap BitCount BitField CmpBranch Coproc Debug Divide -" },
    { IDREG(ID_ISAR1_EL1),
      "Endian Except Except_AR Extend IfThen Immediate Interwork Jazelle" },
    { IDREG(ID_ISAR2_EL1),
      "LoadStore MemHint MultiAccessInt Mult MultS MultU PSR_AR Reversal" },
    { IDREG(ID_ISAR3_EL1),
      "Saturate SIMD SVC SynchPrim TabBranch T32Copy TrueNOP T32EE" },
    { IDREG(ID_ISAR4_EL1),
      "Unpriv WithShifts Writeback SMC Barrier SynchPrim_frac PSR_M SWP_frac" },
    { IDREG(ID_ISAR5_EL1),
      "SEVL AES SHA1 SHA2 CRC32 - RDM VCMA",
      /* Linux does not pass it on (ftr_id_isar5[] lacks it). */
      .kvm_owned = BITS(ID_ISAR5, VCMA) },
    { IDREG(ID_MMFR4_EL1),
      "SpecSEI AC2 XNX CnP HPDS LSM CCIDX EVT",
      /* As in ID_AA64MMFR2_EL1 */
      .kvm_owned = BITS(ID_MMFR4, CCIDX) },
    { IDREG(ID_ISAR6_EL1),
      "JSCVT DP FHM SB SPECRES BF16 I8MM -" },
    { NAMED(MVFR0_EL1), FROM(isar.mvfr0),
      "SIMDReg FPSP FPDP FPTrap FPDivide FPSqrt FPShVec FPRound" },
    { NAMED(MVFR1_EL1), FROM(isar.mvfr1),
      "FPFtZ FPDNaN SIMDLS SIMDInt SIMDSP SIMDHP FPHP SIMDFMAC" },
    { NAMED(MVFR2_EL1), FROM(isar.mvfr2), "SIMDMisc FPMisc" },
    { IDREG(ID_PFR2_EL1), "CSV3 SSBS RAS_frac" },
    { IDREG(ID_DFR1_EL1), "MTPMU HPMN0" },
    { IDREG(ID_MMFR5_EL1), "ETS nTLBPA" },
};

/* CCSIDR_EL1[31:28] told of write policies in ARMv7; KVM has them zero. */
#define CCSIDR_KVM_OWNED 0xf0000000

static uint64_t id_reg_id(const IDReg *reg)
{
    return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG |
           reg->sysreg;
}

/* Where KVM_ARM_GET_REG_WRITABLE_MASKS has @reg; its op0 is 3, its CRn 0. */
static int mask_index(const IDReg *reg)
{
    int op1 = (reg->sysreg & CP_REG_ARM64_SYSREG_OP1_MASK) >>
              CP_REG_ARM64_SYSREG_OP1_SHIFT;
    int crm = (reg->sysreg & CP_REG_ARM64_SYSREG_CRM_MASK) >>
              CP_REG_ARM64_SYSREG_CRM_SHIFT;
    int op2 = (reg->sysreg & CP_REG_ARM64_SYSREG_OP2_MASK) >>
              CP_REG_ARM64_SYSREG_OP2_SHIFT;

    return KVM_ARM_FEATURE_ID_RANGE_IDX(3, op1, 0, crm, op2);
}

static bool get_reg(int vcpu, uint64_t id, void *value)
{
    struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)value };

    return !ioctl(vcpu, KVM_GET_ONE_REG, &one);
}

static bool set_reg(int vcpu, uint64_t id, const void *value)
{
    struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)value };

    return !ioctl(vcpu, KVM_SET_ONE_REG, &one);
}

/* What a guest on @cpu reads from @reg */
static uint64_t promised(ARMCPU *cpu, const IDReg *reg)
{
    const void *from = (const char *)cpu + reg->offset;
    uint64_t value = reg->size == 8 ? *(uint64_t *)from :
                     reg->size == 4 ? *(uint32_t *)from : 0;

    value &= ~reg->absent;
    if (!cpu->has_pmu && reg->sysreg == SYS_ID_AA64DFR0_EL1) {
        value = FIELD_DP64(value, ID_AA64DFR0, PMUVER, 0);
    } else if (!cpu->has_pmu && reg->sysreg == SYS_ID_DFR0_EL1) {
        value = FIELD_DP32(value, ID_DFR0, PERFMON, 0);
    } else if (!cpu_isar_feature(aa64_sve, cpu) &&
               reg->sysreg == SYS_ID_AA64ZFR0_EL1) {
        value = 0;
    } else if (!cpu->kvm_mte && reg->sysreg == SYS_ID_AA64PFR1_EL1) {
        /* Without tag memory TCG has MTE at EL0, and KVM has none. */
        value = FIELD_DP64(value, ID_AA64PFR1, MTE, 0);
    } else if (reg->sysreg == SYS_ID_AA64PFR0_EL1) {
        /* KVM has no SCXTNUM_ELx (FEAT_CSV2_2) for guests. */
        value = FIELD_DP64(value, ID_AA64PFR0, CSV2,
                           MIN(FIELD_EX64(value, ID_AA64PFR0, CSV2), 1));
    }
    return value;
}

/* Bits of the field of @reg that has bit @bit; all where there are no names */
static uint64_t field_mask(const IDReg *reg, int bit)
{
    return reg->fields ? 0xfull << (bit & ~3) : UINT64_MAX;
}

/* @reg's field that has bit @bit is not what it should be. */
static void refuse(const IDReg *reg, int bit, uint64_t want, uint64_t have,
                   Error **errp)
{
    uint64_t mask = field_mask(reg, bit);
    int shift = ctz64(mask);
    g_auto(GStrv) names = g_strsplit(reg->fields ?: "", " ", -1);
    g_autofree char *field = NULL;

    if (mask == UINT64_MAX) {
        field = g_strdup(reg->name);
    } else if (bit / 4 < g_strv_length(names) && names[bit / 4][0] != '-') {
        field = g_strdup_printf("%s.%s", reg->name, names[bit / 4]);
    } else {
        field = g_strdup_printf("%s[%d:%d]", reg->name, shift + 3, shift);
    }
    error_setg(errp, "%s is 0x%" PRIx64 " on it and 0x%" PRIx64 " on this "
               "host, and KVM does not change that", field,
               (want & mask) >> shift, (have & mask) >> shift);
}

/*
 * The kernel refused to make @have @want. Finds out which field it was, which
 * the kernel does not tell.
 */
static void refused(int vcpu, const IDReg *reg, uint64_t want, uint64_t have,
                    Error **errp)
{
    for (uint64_t left = want ^ have; left; ) {
        int bit = ctz64(left);
        uint64_t mask = field_mask(reg, bit);
        uint64_t value = (have & ~mask) | (want & mask);

        if (!set_reg(vcpu, id_reg_id(reg), &value)) {
            refuse(reg, bit, want, have, errp);
            return;
        }
        set_reg(vcpu, id_reg_id(reg), &have);
        left &= ~mask;
    }
    error_setg(errp, "%s is 0x%016" PRIx64 " on it and 0x%016" PRIx64 " on "
               "this host, and KVM does not change all fields of it",
               reg->name, want, have);
}

/* Pointer authentication's algorithm is the host's, its level is @cpu's. */
static bool has_pauth_of(int vcpu, ARMCPU *cpu, Error **errp)
{
    ARMISARegisters host = { };
    ARMPauthFeature want, have;

    want = cpu->prop_pauth ? cpu_isar_feature(pauth_feature, cpu) : 0;
    if (!get_reg(vcpu, ARM64_SYS_REG(3, 0, 0, 6, 1),
                 &host.idregs[ID_AA64ISAR1_EL1_IDX]) ||
        !get_reg(vcpu, ARM64_SYS_REG(3, 0, 0, 6, 2),
                 &host.idregs[ID_AA64ISAR2_EL1_IDX])) {
        error_setg_errno(errp, errno, "ID_AA64ISAR1_EL1: KVM_GET_ONE_REG");
        return false;
    }
    have = isar_feature_pauth_feature(&host);
    if (want != have) {
        error_setg(errp, "its pointer authentication (ID_AA64ISAR1_EL1.APA, "
                   "API or ID_AA64ISAR2_EL1.APA3) is of level %d, and that of "
                   "this host of level %d", want, have);
        return false;
    }
    return true;
}

/*
 * KVM does not trap DCZID_EL0, so the guest reads the host CPU's. A guest that
 * believed another block size would clear too much memory, or too little.
 */
static bool has_dczid_of(ARMCPU *cpu, Error **errp)
{
    uint64_t dczid;

    asm("mrs %0, dczid_el0" : "=r"(dczid));
    if ((dczid & 0xf) != cpu->dcz_blocksize) {
        error_setg(errp, "DCZID_EL0.BS is 0x%x on it and 0x%x on this host, "
                   "and KVM does not change that", cpu->dcz_blocksize,
                   (unsigned)(dczid & 0xf));
        return false;
    }
    return true;
}

/*
 * CCSIDR_EL1 of cache @csselr as KVM has it, in its form without FEAT_CCIDX:
 * sets in [27:13], associativity in [12:3], the line in [2:0]
 */
static uint32_t short_ccsidr(ARMCPU *cpu, int csselr)
{
    uint64_t ccsidr = cpu->ccsidr[csselr];

    if (cpu_isar_feature(any_ccidx, cpu)) {
        ccsidr = extract64(ccsidr, 32, 15) << 13 |
                 extract64(ccsidr, 3, 10) << 3 | extract64(ccsidr, 0, 3);
    }
    return ccsidr & ~CCSIDR_KVM_OWNED;
}

/* CCSIDR_EL1 of each cache that CLIDR_EL1 knows (Arm ARM, CLIDR_EL1.Ctype) */
static bool set_cache_sizes(int vcpu, ARMCPU *cpu, Error **errp)
{
    uint64_t clidr = GET_IDREG(&cpu->isar, CLIDR);

    for (int level = 0; level < 7; level++) {
        int ctype = extract64(clidr, 3 * level, 3);

        for (int insn = 0; insn <= 1; insn++) {
            int csselr = level << 1 | insn;
            uint32_t want = short_ccsidr(cpu, csselr), have;
            uint64_t id = KVM_REG_ARM64 | KVM_REG_SIZE_U32 |
                          KVM_REG_ARM_DEMUX | KVM_REG_ARM_DEMUX_ID_CCSIDR |
                          csselr;

            if (insn ? ctype != 1 && ctype != 3 : ctype < 2) {
                continue;
            }
            if (!set_reg(vcpu, id, &want) || !get_reg(vcpu, id, &have) ||
                have != want) {
                error_setg(errp, "CCSIDR_EL1 of its level %d %s cache is "
                           "0x%08x, and KVM does not show that", level + 1,
                           insn ? "instruction" : "data", want);
                return false;
            }
        }
    }
    return true;
}

bool kvm_arm_set_id_regs(const int fds[3], ARMCPU *cpu, bool own, Error **errp)
{
    uint64_t masks[KVM_ARM_FEATURE_ID_RANGE_SIZE] = { };
    uint64_t want[ARRAY_SIZE(id_regs)];
    struct reg_mask_range range = {
        .addr = (uintptr_t)masks,
        .range = KVM_ARM_FEATURE_ID_RANGE,
    };
    int first = own ? N_IMP_ID_REGS : 0, n;

    if (!has_dczid_of(cpu, errp) || !has_pauth_of(fds[2], cpu, errp)) {
        return false;
    }
    if (ioctl(fds[1], KVM_ARM_GET_REG_WRITABLE_MASKS, &range)) {
        error_setg_errno(errp, errno, "the kernel does not say what it can "
                         "change: KVM_ARM_GET_REG_WRITABLE_MASKS");
        return false;
    }

    for (n = first; n < ARRAY_SIZE(id_regs); n++) {
        const IDReg *reg = &id_regs[n];
        uint64_t mask = masks[mask_index(reg)];
        uint64_t have, fixed;

        if (reg->sysreg == SYS_ID_PFR0_EL1 &&
            !cpu_isar_feature(aa64_aa32, cpu)) {
            break;      /* They are UNKNOWN without AArch32 at EL0. */
        }
        if (!get_reg(fds[2], id_reg_id(reg), &have)) {
            error_setg_errno(errp, errno, "%s: KVM_GET_ONE_REG", reg->name);
            return false;
        }
        want[n] = (promised(cpu, reg) & ~reg->kvm_owned) |
                  (have & reg->kvm_owned);
        fixed = (want[n] ^ have) & ~mask;
        if (fixed) {
            refuse(reg, ctz64(fixed), want[n], have, errp);
            return false;
        }
        if (want[n] != have && !set_reg(fds[2], id_reg_id(reg), &want[n])) {
            refused(fds[2], reg, want[n], have, errp);
            return false;
        }
    }
    while (n-- > first) {
        const IDReg *reg = &id_regs[n];
        uint64_t have = 0;

        if (!get_reg(fds[2], id_reg_id(reg), &have) || have != want[n]) {
            error_setg(errp, "%s was set to 0x%016" PRIx64 " and reads as "
                       "0x%016" PRIx64, reg->name, want[n], have);
            return false;
        }
    }
    return set_cache_sizes(fds[2], cpu, errp);
}
