// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two vCPUs on QEMU's virt machine, see vcpus.h. CPU 0 waits in a loop on the
 * serial port, and CPU 1 in another one on memory, so that their program counters
 * differ, too. The MMU is off, and interrupts are masked: what is pending stays so.
 */

#include "vcpus.h"

#define PL011 0x09000000ul
#define GICR 0x080a0000ul               /* two frames of 64 KiB for each CPU */
#define PSCI_CPU_ON 0xc4000003ul

/*
 * NAME, the bits that are written, and those that are the same on both.
 * Counters and timers are off, or expire in years. SCTLR_EL1 has its MMU off.
 */
#define SYSTEM_REGISTERS(X)                                             \
    X(sctlr_el1, 0x0405c000, 0x30d00800)                                \
    X(cpacr_el1, 0x00200000, 0x00100000)                                \
    X(ttbr0_el1, 0xffff00000000f000, 0)                                 \
    X(ttbr1_el1, 0xffff00000000f000, 0)                                 \
    X(tcr_el1, 0x001f003f, 0)                                           \
    X(mair_el1, ~0ul, 0)                                                \
    X(contextidr_el1, 0xffffffff, 0)                                    \
    X(tpidr_el0, ~0ul, 0)                                               \
    X(tpidrro_el0, ~0ul, 0)                                             \
    X(tpidr_el1, ~0ul, 0)                                               \
    X(sp_el0, ~0ul, 0)                                                  \
    X(elr_el1, 0x0000fffffffffffc, 0)                                   \
    X(spsr_el1, 0xf00003c0, 0)                                          \
    X(esr_el1, 0xffffffff, 0)                                           \
    X(far_el1, ~0ul, 0)                                                 \
    X(par_el1, 0x0000fffffffff000, 0)                                   \
    X(csselr_el1, 1, 0)                                                 \
    X(mdscr_el1, 0x1000, 0)                                             \
    X(cntkctl_el1, 0x3ff, 0)                                            \
    X(cntv_cval_el0, 0x0000ffffffffffff, 0x0100000000000000)            \
    X(cntv_ctl_el0, 1, 2)                                               \
    X(cntp_cval_el0, 0x0000ffffffffffff, 0x0100000000000000)            \
    X(cntp_ctl_el0, 1, 2)                                               \
    X(pmcr_el0, 0x38, 0)                                                \
    X(pmselr_el0, 0x1f, 0)                                              \
    X(pmuserenr_el0, 0xf, 0)                                            \
    X(pmcntenset_el0, 0xffffffff, 0)                                    \
    X(pmintenset_el1, 0xffffffff, 0)                                    \
    X(pmovsset_el0, 0xffffffff, 0)                                      \
    X(pmccfiltr_el0, 0xf8000000, 0)                                     \
    X(pmccntr_el0, ~0ul, 0)                                             \
    X(pmevtyper0_el0, 0xc00003ff, 0)                                    \
    X(pmevtyper1_el0, 0xc00003ff, 0)                                    \
    X(pmevtyper2_el0, 0xc00003ff, 0)                                    \
    X(pmevtyper3_el0, 0xc00003ff, 0)                                    \
    X(pmevcntr0_el0, 0xffffffff, 0)                                     \
    X(pmevcntr1_el0, 0xffffffff, 0)                                     \
    X(pmevcntr2_el0, 0xffffffff, 0)                                     \
    X(pmevcntr3_el0, 0xffffffff, 0)                                     \
    X(dbgbvr0_el1, 0x0000fffffffffffc, 0)                               \
    X(dbgbvr1_el1, 0x0000fffffffffffc, 0)                               \
    X(dbgbcr0_el1, 0x000001e6, 0)                                       \
    X(dbgbcr1_el1, 0x000001e6, 0)                                       \
    X(dbgwvr0_el1, 0x0000fffffffffffc, 0)                               \
    X(dbgwvr1_el1, 0x0000fffffffffffc, 0)                               \
    X(dbgwcr0_el1, 0x00001ffe, 0)                                       \
    X(dbgwcr1_el1, 0x00001ffe, 0)                                       \
    X(S3_0_C4_C6_0 /* ICC_PMR_EL1 */, 0xf8, 0)                          \
    X(S3_0_C12_C8_3 /* ICC_BPR0_EL1 */, 1, 4)                           \
    X(S3_0_C12_C12_3 /* ICC_BPR1_EL1 */, 1, 6)                          \
    X(S3_0_C12_C12_4 /* ICC_CTLR_EL1 */, 2, 0)                          \
    X(S3_0_C12_C12_6 /* ICC_IGRPEN0_EL1 */, 1, 0)                       \
    X(S3_0_C12_C12_7 /* ICC_IGRPEN1_EL1 */, 1, 0)                       \
    X(S3_0_C12_C8_4 /* ICC_AP0R0_EL1 */, 0xffff0000, 0)                 \
    X(S3_0_C12_C9_0 /* ICC_AP1R0_EL1 */, 0x0000ffff, 0)

/* As CPACR_EL1 comes out of reset, these cannot be read. */
#define FLOAT_REGISTERS(X)                                              \
    X(fpcr, 0x07c00000, 0)                                              \
    X(fpsr, 0xf800009f, 0)

/*
 * The redistributor's, at these offsets in the CPU's frames. Of the private
 * peripherals' interrupts those that are lines of KVM's own are left alone.
 */
static const struct { const char *name; u32 offset, mask; } gicr[] = {
    { "GICR_PENDBASER", 0x00078, 0xffff0000 },
    { "GICR_PENDBASER+4", 0x0007c, 0x0000ffff },
    { "GICR_IGROUPR0", 0x10080, 0xffffffff },
    { "GICR_ISENABLER0", 0x10100, 0x003fffff },
    { "GICR_ISPENDR0", 0x10200, 0x0000ffff },
    { "GICR_ISACTIVER0", 0x10300, 0x003f0000 },
    { "GICR_IPRIORITYR0", 0x10400, 0xf8f8f8f8 },
    { "GICR_IPRIORITYR1", 0x10404, 0xf8f8f8f8 },
    { "GICR_IPRIORITYR2", 0x10408, 0xf8f8f8f8 },
    { "GICR_IPRIORITYR3", 0x1040c, 0xf8f8f8f8 },
    { "GICR_IPRIORITYR4", 0x10410, 0xf8f8f8f8 },
    { "GICR_IPRIORITYR5", 0x10414, 0xf8f8f8f8 },
    { "GICR_IPRIORITYR6", 0x10418, 0xf8f8f8f8 },
    { "GICR_IPRIORITYR7", 0x1041c, 0xf8f8f8f8 },
};

/* What a CPU had in these when it came to save: see the end of this file. */
struct saved {
    u64 x[31], sp, nzcv, daif;
    u64 v[64];
};

_Static_assert(sizeof(struct saved) == 784, "the assembler below has it as a number");

__attribute__((aligned(16))) struct saved vcpus_saved[2];
__attribute__((aligned(16))) char vcpus_stacks[2][4096];
volatile u64 vcpus_wait[2];             /* CPU 1 is to go on; is not waiting yet */
extern char vcpus_entry[], vcpus_wait0[], vcpus_wait1[], vcpus_vectors[][0x800];

/* QEMU's transmitter is never full. */
void uart(char c)
{
    volatile u32 *data = (volatile u32 *)PL011;

    *data = c;
}

static void show_nth(const char *when, u32 cpu, char letter, u32 n, const char *half, u64 value)
{
    char name[8] = { letter, '0' + n / 10, '0' + n % 10 };

    for (int i = 0; half[i]; i++) {
        name[3 + i] = half[i];
    }
    show(when, cpu, name, value);
}

static volatile u32 *redistributor(u32 cpu, u32 offset)
{
    return (volatile u32 *)(GICR + cpu * 0x20000 + offset);
}

#define READ(name) ({ \
        u64 v_; \
        asm volatile("mrs %0, " #name : "=r"(v_)); \
        v_; \
    })
#define SHOW(name, mask, fixed) show(when, cpu, #name, READ(name));
#define SET(name, mask, fixed)                                          \
    asm volatile("msr " #name ", %0" : : "r"(value(cpu, n++, mask, fixed)));

/* All but the program's own registers. */
static void show_all(const char *when, u32 cpu)
{
    SYSTEM_REGISTERS(SHOW)
    SHOW(mpidr_el1, 0, 0)
    SHOW(vbar_el1, 0, 0)
    for (u32 i = 0; i < sizeof(gicr) / sizeof(*gicr); i++) {
        show(when, cpu, gicr[i].name, *redistributor(cpu, gicr[i].offset));
    }
}

/* The program's own. */
static void show_saved(const char *when, u32 cpu, const struct saved *s)
{
    FLOAT_REGISTERS(SHOW)
    for (u32 i = 0; i < 31; i++) {
        show_nth(when, cpu, 'x', i, "", s->x[i]);
    }
    show(when, cpu, "sp", s->sp);
    show(when, cpu, "nzcv", s->nzcv);
    show(when, cpu, "daif", s->daif);
    for (u32 i = 0; i < 64; i++) {
        show_nth(when, cpu, 'v', i / 2, i % 2 ? ".hi" : ".lo", s->v[i]);
    }
}

static void set_all(u32 cpu)
{
    struct saved *s = &vcpus_saved[cpu];
    u32 n = 0;

    SYSTEM_REGISTERS(SET)
    FLOAT_REGISTERS(SET)
    asm volatile("msr vbar_el1, %0; isb" : : "r"(vcpus_vectors[cpu]));
    for (u32 i = 0; i < sizeof(gicr) / sizeof(*gicr); i++) {
        *redistributor(cpu, gicr[i].offset) = value(cpu, n++, gicr[i].mask, 0);
    }
    for (u32 i = 2; i < 31; i++) {
        s->x[i] = value(cpu, n++, ~0ul, 0);
    }
    for (u32 i = 0; i < 64; i++) {
        s->v[i] = value(cpu, n++, ~0ul, 0);
    }
    /* what the loops have in x0, and in x1 when they end */
    s->x[0] = cpu ? (u64)vcpus_wait : PL011 + 0x18;
    s->x[1] = (u64)(cpu ? vcpus_wait1 : vcpus_wait0);
    s->sp = (u64)s;
    s->nzcv = cpu ? 0x90000000 : 0x60000000;
    s->daif = cpu ? 0x2c0 : 0x3c0;
}

/* Where a CPU comes out of reset, or of being off. */
__attribute__((used)) void vcpus_start(u32 cpu)
{
    if (cpu == 0) {
        turn = 0;
        end = (char *)LOG;
        vcpus_wait[0] = 0;
        vcpus_wait[1] = 1;
    }
    show_all("start", cpu);
    asm volatile("msr cpacr_el1, %0; isb\n"
                 ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                 "str q\\n, [%1, #16 * \\n]\n"
                 ".endr\n"
                 ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
                 "str q\\n, [%1, #16 * \\n]\n"
                 ".endr" : : "r"(0x300000ul), "r"(vcpus_saved[cpu].v) : "memory");
    show_saved("start", cpu, &vcpus_saved[cpu]);
    if (cpu == 0) {
        register u64 x0 asm("x0") = PSCI_CPU_ON;
        register u64 x1 asm("x1") = 1;
        register u64 x2 asm("x2") = (u64)vcpus_entry;
        register u64 x3 asm("x3") = 0;

        asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
        if (x0) {
            say("vcpus: error: PSCI does not start CPU 1\r\n");
        }
        wait_for(1);
    }
    set_all(cpu);
    show_all("set", cpu);
    show_saved("set", cpu, &vcpus_saved[cpu]);
    if (cpu == 0) {
        while (vcpus_wait[1]) {
        }
        say("vcpus: ready\r\n");
    } else {
        turn = 1;
    }
}

/* Where it comes out of its loop. */
__attribute__((used)) void vcpus_kept(u32 cpu, const struct saved *s)
{
    show_all("kept", cpu);
    show_saved("kept", cpu, s);
    if (cpu == 0) {
        vcpus_wait[0] = 1;
        wait_for(2);
        say("vcpus: done\r\n");
    } else {
        turn = 2;
    }
    for (;;) {
    }
}

__attribute__((used)) void vcpus_exception(u32 cpu, u64 esr, u64 elr)
{
    show("exception", cpu, "ESR_EL1", esr);
    show("exception", cpu, "ELR_EL1", elr);
    say("vcpus: error: an exception\r\n");
    for (;;) {
    }
}

/* x0 and x1 cannot be had at the start, where they tell whose the others are. */
asm(".macro stack\n"                    /* x1 is the CPU; x2 goes */
    "        adrp x2, vcpus_stacks\n"
    "        add x2, x2, :lo12:vcpus_stacks\n"
    "        add x2, x2, x1, lsl #12\n"
    "        add sp, x2, #4096\n"
    ".endm\n"
    ".macro save to\n"
    "        stp x2, x3, [\\to, #16]\n"
    "        stp x4, x5, [\\to, #32]\n"
    "        stp x6, x7, [\\to, #48]\n"
    "        stp x8, x9, [\\to, #64]\n"
    "        stp x10, x11, [\\to, #80]\n"
    "        stp x12, x13, [\\to, #96]\n"
    "        stp x14, x15, [\\to, #112]\n"
    "        stp x16, x17, [\\to, #128]\n"
    "        stp x18, x19, [\\to, #144]\n"
    "        stp x20, x21, [\\to, #160]\n"
    "        stp x22, x23, [\\to, #176]\n"
    "        stp x24, x25, [\\to, #192]\n"
    "        stp x26, x27, [\\to, #208]\n"
    "        stp x28, x29, [\\to, #224]\n"
    "        mov x2, sp\n"
    "        stp x30, x2, [\\to, #240]\n"
    "        mrs x2, nzcv\n"
    "        mrs x3, daif\n"
    "        stp x2, x3, [\\to, #256]\n"
    ".endm\n"
    ".globl vcpus_entry\n"
    "vcpus_entry:\n"
    "        mrs x1, mpidr_el1\n"
    "        and x1, x1, #1\n"
    "        adrp x0, vcpus_saved\n"
    "        add x0, x0, :lo12:vcpus_saved\n"
    "        cbz x1, 1f\n"
    "        add x0, x0, #784\n"
    "1:      save x0\n"
    "        stp xzr, xzr, [x0]\n"
    "        stack\n"
    "        mov x19, x0\n"
    "        mov x20, x1\n"
    "        mov x0, x1\n"
    "        bl vcpus_start\n"
    "        mov x0, x20\n"
    "        mov x1, x19\n"
    "        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "        ldr q\\n, [x1, #272 + 16 * \\n]\n"
    "        .endr\n"
    "        .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
    "        ldr q\\n, [x1, #272 + 16 * \\n]\n"
    "        .endr\n"
    "        ldp x2, x3, [x1, #256]\n"
    "        msr nzcv, x2\n"
    "        msr daif, x3\n"
    "        ldp x30, x2, [x1, #240]\n"
    "        mov sp, x2\n"
    "        ldp x28, x29, [x1, #224]\n"
    "        ldp x26, x27, [x1, #208]\n"
    "        ldp x24, x25, [x1, #192]\n"
    "        ldp x22, x23, [x1, #176]\n"
    "        ldp x20, x21, [x1, #160]\n"
    "        ldp x18, x19, [x1, #144]\n"
    "        ldp x16, x17, [x1, #128]\n"
    "        ldp x14, x15, [x1, #112]\n"
    "        ldp x12, x13, [x1, #96]\n"
    "        ldp x10, x11, [x1, #80]\n"
    "        ldp x8, x9, [x1, #64]\n"
    "        ldp x6, x7, [x1, #48]\n"
    "        ldp x4, x5, [x1, #32]\n"
    "        ldp x2, x3, [x1, #16]\n"
    "        cbnz x0, 2f\n"
    "        ldr x0, [x1]\n"
    "vcpus_wait0:\n"
    "        ldr w1, [x0]\n"
    "        tbnz w1, #4, vcpus_wait0\n"    /* no character */
    "        adr x1, vcpus_wait0\n"
    "        b 3f\n"
    "2:      ldr x0, [x1]\n"
    "vcpus_wait1:\n"
    "        str xzr, [x0, #8]\n"
    "        ldr w1, [x0]\n"
    "        cbz w1, vcpus_wait1\n"
    "        adr x1, vcpus_wait1\n"
    "3:      stp x0, x1, [sp]\n"
    "        save sp\n"
    "        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "        str q\\n, [sp, #272 + 16 * \\n]\n"
    "        .endr\n"
    "        .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
    "        str q\\n, [sp, #272 + 16 * \\n]\n"
    "        .endr\n"
    "        mov x3, sp\n"
    "        mrs x1, mpidr_el1\n"
    "        and x1, x1, #1\n"
    "        stack\n"
    "        mov x0, x1\n"
    "        mov x1, x3\n"
    "        b vcpus_kept\n"
    /* a table for each CPU, whose entries are all the same */
    ".balign 0x800\n"
    "vcpus_vectors:\n"
    ".rept 32\n"
    "        mrs x1, mpidr_el1\n"
    "        and x1, x1, #1\n"
    "        stack\n"
    "        mov x0, x1\n"
    "        mrs x1, esr_el1\n"
    "        mrs x2, elr_el1\n"
    "        b vcpus_exception\n"
    "        .balign 128\n"
    ".endr\n");
