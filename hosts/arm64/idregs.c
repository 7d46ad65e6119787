// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest without a kernel for QEMU's virt machine: prints every
 * identification register of its CPU, one "NAME value" a line, and its PSCI
 * version. A second CPU does the same with "1:" in front. Then it switches the
 * machine off. Two runs with the same lines saw the same CPUs.
 *
 * Built with STAY it prints all that over and over instead, with "tick N" of the
 * last CPU after each time.
 *
 * The registers are those of the Arm ARM's (DDI 0487) op0 = 3, op1 = 0,
 * CRn = 0 space, of which unallocated ones read as zero, the cache registers
 * and the PMU's. MPIDR_EL1, which tells CPUs from each other, is left out.
 */

#include "bare.h"
#define PSCI_VERSION 0x84000000u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_CPU_ON 0xc4000003u

#define SHOW(name) put(name, READ(name))
#define SHOW_ID(name, crm, op2) put(name, READ("s3_0_c0_c" #crm "_" #op2))

/* A page for each CPU */
__attribute__((used)) static unsigned long stacks[2][512];

/* The CPU that may print, and how often both have done so */
static volatile unsigned int turn, ticks;

static long psci(unsigned int function, unsigned long a, unsigned long b)
{
    register unsigned long x0 asm("x0") = function;
    register unsigned long x1 asm("x1") = a;
    register unsigned long x2 asm("x2") = b;
    register unsigned long x3 asm("x3") = 0;

    asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    return x0;
}

static void put(const char *name, unsigned long value)
{
    if (turn) {
        *UART = '1';
        *UART = ':';
    }
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

static void show(void)
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
    put("PSCI_VERSION", psci(PSCI_VERSION, 0, 0));
}

extern char _start[];

__attribute__((used)) static void start(unsigned long cpu)
{
    static unsigned int cpus;

    if (!cpu) {
        cpus = psci(PSCI_CPU_ON, 1, (unsigned long)_start) ? 1 : 2;
    }
    for (;;) {
        while (turn != cpu) {
        }
        show();
        if (cpu == cpus - 1) {
#ifdef STAY
            unsigned long from = READ("cntvct_el0");

            put("tick", ++ticks);
            while (READ("cntvct_el0") - from < READ("cntfrq_el0") / 2) {
            }
            turn = 0;
#else
            psci(PSCI_SYSTEM_OFF, 0, 0);
#endif
        } else {
            turn = cpu + 1;
        }
    }
}

asm(".globl _start\n"
    "_start: mrs x0, mpidr_el1\n"
    "        and x0, x0, #0xff\n"
    "        adrp x1, stacks + 4096\n"
    "        add x1, x1, :lo12:stacks + 4096\n"
    "        add x1, x1, x0, lsl #12\n"
    "        mov sp, x1\n"
    "        b start\n");
