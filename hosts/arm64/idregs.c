// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest without a kernel for QEMU's virt machine: prints every
 * identification register of its CPU, one "NAME value" a line, and switches
 * the machine off. Two runs with the same lines saw the same CPU.
 *
 * The registers are those of the Arm ARM's (DDI 0487) op0 = 3, op1 = 0,
 * CRn = 0 space, of which unallocated ones read as zero, the cache registers
 * and the PMU's. MPIDR_EL1, which tells CPUs from each other, is left out.
 */

#define UART ((volatile unsigned int *)0x09000000)
#define PSCI_SYSTEM_OFF 0x84000008u

#define READ(name) ({ \
        unsigned long v_; \
        asm volatile("mrs %0, " name : "=r"(v_)); \
        v_; \
    })
#define SHOW(name) put(name, READ(name))
#define SHOW_ID(name, crm, op2) put(name, READ("s3_0_c0_c" #crm "_" #op2))

__attribute__((used)) static unsigned long stack[512];

static void put(const char *name, unsigned long value)
{
    while (*name) {
        *UART = *name++;
    }
    *UART = ' ';
    for (int shift = 60; shift >= 0; shift -= 4) {
        *UART = "0123456789abcdef"[value >> shift & 0xf];
    }
    *UART = '\r';
    *UART = '\n';
}

static void show_caches(void)
{
    char name[] = "CCSIDR_EL1[0]";
    unsigned long clidr = READ("clidr_el1");

    for (unsigned long level = 0; level < 7; level++) {
        unsigned long type = clidr >> 3 * level & 7;

        for (unsigned long i = 0; i < 2; i++) {
            /* Ctype: 1 instruction, 2 data, 3 both apart, 4 unified */
            if (i ? type == 1 || type == 3 : type >= 2) {
                asm volatile("msr csselr_el1, %0; isb" : : "r"(level << 1 | i));
                name[11] = "0123456789abcd"[level << 1 | i];
                put(name, READ("ccsidr_el1"));
            }
        }
    }
}

__attribute__((used)) static void start(void)
{
    SHOW("MIDR_EL1");
    SHOW("REVIDR_EL1");
    SHOW("AIDR_EL1");
    SHOW("CTR_EL0");
    SHOW("CLIDR_EL1");
    show_caches();
    SHOW("DCZID_EL0");
    SHOW_ID("ID_PFR0_EL1", 1, 0);
    SHOW_ID("ID_PFR1_EL1", 1, 1);
    SHOW_ID("ID_DFR0_EL1", 1, 2);
    SHOW_ID("ID_AFR0_EL1", 1, 3);
    SHOW_ID("ID_MMFR0_EL1", 1, 4);
    SHOW_ID("ID_MMFR1_EL1", 1, 5);
    SHOW_ID("ID_MMFR2_EL1", 1, 6);
    SHOW_ID("ID_MMFR3_EL1", 1, 7);
    SHOW_ID("ID_ISAR0_EL1", 2, 0);
    SHOW_ID("ID_ISAR1_EL1", 2, 1);
    SHOW_ID("ID_ISAR2_EL1", 2, 2);
    SHOW_ID("ID_ISAR3_EL1", 2, 3);
    SHOW_ID("ID_ISAR4_EL1", 2, 4);
    SHOW_ID("ID_ISAR5_EL1", 2, 5);
    SHOW_ID("ID_MMFR4_EL1", 2, 6);
    SHOW_ID("ID_ISAR6_EL1", 2, 7);
    SHOW_ID("MVFR0_EL1", 3, 0);
    SHOW_ID("MVFR1_EL1", 3, 1);
    SHOW_ID("MVFR2_EL1", 3, 2);
    SHOW_ID("ID_PFR2_EL1", 3, 4);
    SHOW_ID("ID_DFR1_EL1", 3, 5);
    SHOW_ID("ID_MMFR5_EL1", 3, 6);
    SHOW_ID("ID_AA64PFR0_EL1", 4, 0);
    SHOW_ID("ID_AA64PFR1_EL1", 4, 1);
    SHOW_ID("ID_AA64PFR2_EL1", 4, 2);
    SHOW_ID("ID_AA64ZFR0_EL1", 4, 4);
    SHOW_ID("ID_AA64SMFR0_EL1", 4, 5);
    SHOW_ID("ID_AA64FPFR0_EL1", 4, 7);
    SHOW_ID("ID_AA64DFR0_EL1", 5, 0);
    SHOW_ID("ID_AA64DFR1_EL1", 5, 1);
    SHOW_ID("ID_AA64DFR2_EL1", 5, 2);
    SHOW_ID("ID_AA64AFR0_EL1", 5, 4);
    SHOW_ID("ID_AA64AFR1_EL1", 5, 5);
    SHOW_ID("ID_AA64ISAR0_EL1", 6, 0);
    SHOW_ID("ID_AA64ISAR1_EL1", 6, 1);
    SHOW_ID("ID_AA64ISAR2_EL1", 6, 2);
    SHOW_ID("ID_AA64ISAR3_EL1", 6, 3);
    SHOW_ID("ID_AA64MMFR0_EL1", 7, 0);
    SHOW_ID("ID_AA64MMFR1_EL1", 7, 1);
    SHOW_ID("ID_AA64MMFR2_EL1", 7, 2);
    SHOW_ID("ID_AA64MMFR3_EL1", 7, 3);
    SHOW_ID("ID_AA64MMFR4_EL1", 7, 4);
    if ((READ("id_aa64dfr0_el1") >> 8 & 0xf) % 0xf) {   /* PMUVer */
        SHOW("PMCR_EL0");
        SHOW("PMCEID0_EL0");
        SHOW("PMCEID1_EL0");
    }

    asm volatile("mov w0, %w0; hvc #0" : : "r"(PSCI_SYSTEM_OFF) : "x0");
    for (;;) {
    }
}

asm(".globl _start\n"
    "_start: adrp x0, stack + 4096\n"
    "        add x0, x0, :lo12:stack + 4096\n"
    "        mov sp, x0\n"
    "        b start\n");
