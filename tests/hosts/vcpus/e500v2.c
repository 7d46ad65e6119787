// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two vCPUs on QEMU's ppce500 machine, see vcpus.h. CPU 0 waits in a loop on the
 * serial port, and CPU 1 in another one on memory. Interrupts are disabled. What
 * KVM cannot carry over is left alone: the upper halves of the registers, IPIs.
 * Linked and mapped like hosts/e500v2/bare.c.
 */

#include "vcpus.h"

#define CCSR 0xe0000000u                /* where we map what is at 0xfe0000000 */
#define SPIN 0xe8000000u                /* and 0xfef000000, CPU 1's spin table */

#define MTSPR(spr, value) asm volatile("mtspr %0, %1" : : "i"(spr), "r"(value))

/* NAME, its number, the bits that are written, and those that are the same on both */
#define SPECIAL_REGISTERS(X)            \
    X(SPRG0, 272, 0xffffffff, 0)        \
    X(SPRG1, 273, 0xffffffff, 0)        \
    X(SPRG2, 274, 0xffffffff, 0)        \
    X(SPRG3, 275, 0xffffffff, 0)        \
    X(SPRG4, 276, 0xffffffff, 0)        \
    X(SPRG5, 277, 0xffffffff, 0)        \
    X(SPRG6, 278, 0xffffffff, 0)        \
    X(SPRG7, 279, 0xffffffff, 0)        \
    X(SRR0, 26, 0xfffffffc, 0)          \
    X(SRR1, 27, 0x0002d200, 0)          \
    X(CSRR0, 58, 0xfffffffc, 0)         \
    X(CSRR1, 59, 0x0002d200, 0)         \
    X(DEAR, 61, 0xffffffff, 0)          \
    X(ESR, 62, 0x0fc00000, 0)           \
    X(PID, 48, 0xff, 0)                 \
    X(TCR, 340, 0x03000000, 0)          \
    X(IAC1, 312, 0xfffffffc, 0)         \
    X(IAC2, 313, 0xfffffffc, 0)         \
    X(DAC1, 316, 0xffffffff, 0)         \
    X(DAC2, 317, 0xffffffff, 0)         \
    X(HID0, 1008, 0x00004000, 0)        \
    X(IVPR, 63, 0xffff0000, 0)          \
    X(IVOR0, 400, 0xfff0, 0)            \
    X(IVOR1, 401, 0xfff0, 0)            \
    X(IVOR2, 402, 0xfff0, 0)            \
    X(IVOR3, 403, 0xfff0, 0)            \
    X(IVOR4, 404, 0xfff0, 0)            \
    X(IVOR5, 405, 0xfff0, 0)            \
    X(IVOR6, 406, 0xfff0, 0)            \
    X(IVOR7, 407, 0xfff0, 0)            \
    X(IVOR8, 408, 0xfff0, 0)            \
    X(IVOR9, 409, 0xfff0, 0)            \
    X(IVOR10, 410, 0xfff0, 0)           \
    X(IVOR11, 411, 0xfff0, 0)           \
    X(IVOR12, 412, 0xfff0, 0)           \
    X(IVOR13, 413, 0xfff0, 0)           \
    X(IVOR14, 414, 0xfff0, 0)           \
    X(IVOR15, 415, 0xfff0, 0)           \
    X(IVOR32, 528, 0xfff0, 0)           \
    X(IVOR33, 529, 0xfff0, 0)           \
    X(IVOR34, 530, 0xfff0, 0)           \
    X(IVOR35, 531, 0xfff0, 0)           \
    X(MAS0, 624, 0x000f0000, 0x10000000) \
    X(MAS1, 625, 0x40ff0000, 0x80000100) \
    X(MAS2, 626, 0xfffff01f, 0)         \
    X(MAS3, 627, 0xfffff3ff, 0)         \
    X(MAS4, 628, 0x0000001f, 0x00000100) \
    X(MAS6, 630, 0x00ff0000, 0)         \
    X(MAS7, 944, 0xf, 0)

/* What a CPU had in these when it came to save: see the end of this file. */
struct saved {
    u32 r[32], cr, lr, ctr, xer, msr, unused[3];
};

_Static_assert(sizeof(struct saved) == 160, "the assembler below has it as a number");

struct saved vcpus_saved[2];
u32 vcpus_stacks[2][1024];
volatile u32 vcpus_wait[2];             /* CPU 1 is to go on; is not waiting yet */
static volatile u32 *const mpic = (void *)(CCSR + 0x40000);
static volatile unsigned char *const uart_regs = (void *)(CCSR + 0x4500);
extern char vcpus_entry[], vcpus_wait0[], vcpus_wait1[], vcpus_exception[];

void uart(char c)
{
    while (!(uart_regs[5] & 0x20)) {         /* the transmitter is not empty */
    }
    *uart_regs = c;
}

static void show_nth(const char *when, u32 cpu, const char *what, u32 n, const char *part, u32 value)
{
    char name[16] = "";
    char *p = name;

    while (*what) {
        *p++ = *what++;
    }
    *p++ = '0' + n / 10;
    *p++ = '0' + n % 10;
    while (*part) {
        *p++ = *part++;
    }
    *p = 0;
    show(when, cpu, name, value);
}

/* SPRG4 to 7 have other numbers for reading. */
#define READ(spr) ({ \
        u32 v_; \
        asm volatile("mfspr %0, %1" : "=r"(v_) : "i"((spr) >> 2 == 69 ? (spr) - 16 : (spr))); \
        v_; \
    })

#define SHOW(name, spr, mask, fixed) show(when, cpu, #name, READ(spr));
#define SET(name, spr, mask, fixed)                             \
    MTSPR(spr, value(cpu, n++, mask, fixed));

/* An invalid entry is shown as zeroes: the rest of it is undefined. */
static void show_entry(const char *when, u32 cpu, const char *tlb, u32 n)
{
    u32 mas1, mas2, mas3, mas7, valid;

    asm volatile("tlbre; isync; mfspr %0, 625; mfspr %1, 626; mfspr %2, 627; mfspr %3, 944"
                 : "=r"(mas1), "=r"(mas2), "=r"(mas3), "=r"(mas7) : : "memory");
    valid = mas1 >> 31 ? ~0u : 0;
    show_nth(when, cpu, tlb, n, ".MAS1", mas1 & valid);
    show_nth(when, cpu, tlb, n, ".MAS2", mas2 & valid);
    show_nth(when, cpu, tlb, n, ".MAS3", mas3 & valid);
    show_nth(when, cpu, tlb, n, ".MAS7", mas7 & valid);
}

/* Of TLB1 the entries that nothing of ours needs, and of TLB0 one in each of 16 sets. */
static void show_all(const char *when, u32 cpu, const struct saved *s)
{
    u32 v, mas0, mas1, mas2, mas3, mas7;

    for (u32 i = 0; i < 32; i++) {
        show_nth(when, cpu, "r", i, "", s->r[i]);
    }
    show(when, cpu, "CR", s->cr);
    show(when, cpu, "LR", s->lr);
    show(when, cpu, "CTR", s->ctr);
    show(when, cpu, "XER", s->xer);
    show(when, cpu, "MSR", s->msr);
    SPECIAL_REGISTERS(SHOW)
    asm volatile("mfspr %0, 286" : "=r"(v));
    show(when, cpu, "PIR", v);
    asm volatile("mfspr %0, 624; mfspr %1, 625; mfspr %2, 626; mfspr %3, 627; mfspr %4, 944"
                 : "=r"(mas0), "=r"(mas1), "=r"(mas2), "=r"(mas3), "=r"(mas7));
    for (u32 i = 2; i < 14; i++) {
        MTSPR(624, 0x10000000 | i << 16);
        show_entry(when, cpu, "TLB1.", i);
    }
    for (u32 i = 0; i < 16; i++) {
        MTSPR(624, i % 4 << 16);
        MTSPR(626, i << 12);
        show_entry(when, cpu, "TLB0.", i);
    }
    MTSPR(624, mas0);
    MTSPR(625, mas1);
    MTSPR(626, mas2);
    MTSPR(627, mas3);
    MTSPR(944, mas7);
}

/* This needs a mapping, which a CPU does not have at its start. */
static void show_mpic(const char *when, u32 cpu)
{
    show(when, cpu, "MPIC.CTPR", mpic[0x80 / 4]);
    show(when, cpu, "MPIC.WHOAMI", mpic[0x90 / 4]);
}

static void set_all(u32 cpu)
{
    struct saved *s = &vcpus_saved[cpu];
    u32 n = 0;

    for (u32 i = 0; i < 32; i++) {
        s->r[i] = value(cpu, n++, 0xffffffff, 0);
    }
    /* what the loops use, and what r4 has when they end; they compare in CR0 */
    s->r[2] = (u32)s;
    s->r[3] = cpu ? (u32)vcpus_wait : (u32)&uart_regs[5];
    s->r[4] = (u32)(cpu ? vcpus_wait1 : vcpus_wait0);
    s->cr = value(cpu, n++, 0x0fffffff, 0);
    s->lr = value(cpu, n++, 0xfffffffc, 0);
    s->ctr = value(cpu, n++, 0xffffffff, 0);
    s->xer = value(cpu, n++, 0xe000007f, 0);
    s->msr = cpu ? 0 : 0x21000;         /* CE, ME */
    for (u32 i = 2; i < 14; i++) { /* the first ones map our memory, map() has the last */
        MTSPR(624, 0x10000000 | i << 16);
        MTSPR(625, value(cpu, n++, 0x40ff1000, 0x80000100));
        MTSPR(626, value(cpu, n++, 0x0fff001f, 0x40000000 | i << 12));
        MTSPR(627, value(cpu, n++, 0x03fff3ff, 0));
        MTSPR(944, value(cpu, n++, 0xf, 0));
        asm volatile("isync; tlbwe; isync" : : : "memory");
    }
    for (u32 i = 0; i < 16; i++) {
        MTSPR(624, i % 4 << 16);
        MTSPR(625, value(cpu, n++, 0x00ff1000, 0x80000100));
        MTSPR(626, value(cpu, n++, 0x0fff001f & ~0xff000, 0x50000000 | i << 12));
        MTSPR(627, value(cpu, n++, 0x03fff3ff, 0));
        MTSPR(944, value(cpu, n++, 0xf, 0));
        asm volatile("isync; tlbwe; isync" : : : "memory");
    }
    mpic[0x80 / 4] = cpu ? 5 : 10;
    SPECIAL_REGISTERS(SET)
}

static void map(u32 entry, u32 size, u32 address, u32 low)
{
    MTSPR(624, 0x10000000 | entry << 16);
    MTSPR(625, 0x80000000 | size);
    MTSPR(626, address | 0xa);          /* cache inhibited, guarded */
    MTSPR(627, low | 0x3f);
    MTSPR(944, 0xf);                    /* above 60 GiB */
    asm volatile("isync; tlbwe; isync" : : : "memory");
}

/* Where a CPU comes out of reset, or of the spin table. */
__attribute__((used)) void vcpus_start(u32 cpu)
{
    struct saved *s = &vcpus_saved[cpu];

    if (cpu == 0) {
        turn = 0;
        end = (char *)LOG;
        vcpus_wait[0] = 0;
        vcpus_wait[1] = 1;
    }
    show_all("start", cpu, s);
    MTSPR(63, (u32)vcpus_exception & 0xffff0000);
#define IVOR(i) MTSPR(400 + (i), (u32)vcpus_exception & 0xffff);
    IVOR(0) IVOR(1) IVOR(2) IVOR(3) IVOR(4) IVOR(5) IVOR(6) IVOR(7)
    IVOR(8) IVOR(9) IVOR(10) IVOR(11) IVOR(12) IVOR(13) IVOR(14) IVOR(15)
    map(14, 0x500, CCSR, 0xe0000000);   /* 1 MiB */
    map(15, 0x100, SPIN, 0xef000000);   /* 4 KiB */
    show_mpic("start", cpu);
    if (cpu == 0) {
        volatile u32 *address = (volatile u32 *)(SPIN + 0x20);

        address[0] = 0;
        address[1] = (u32)vcpus_entry;
        wait_for(1);
    }
    set_all(cpu);
    show_all("set", cpu, s);
    show_mpic("set", cpu);
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
    show_all("kept", cpu, s);
    show_mpic("kept", cpu);
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

__attribute__((used)) void vcpus_caught(u32 cpu)
{
    u32 v;

    asm volatile("mfspr %0, 26" : "=r"(v));
    show("exception", cpu, "SRR0", v);
    asm volatile("mfspr %0, 62" : "=r"(v));
    show("exception", cpu, "ESR", v);
    say("vcpus: error: an exception\r\n");
    for (;;) {
    }
}

/* r0 and r2 cannot be had at the start, where they tell whose the others are. */
asm(".macro save\n"                     /* r3 on, and what is not general, at r2 */
    "        stmw 3, 12(2)\n"
    "        mfcr 4\n"
    "        rlwinm 4, 4, 0, 4, 31\n"   /* the loops compare in CR0 */
    "        mflr 5\n"
    "        mfctr 6\n"
    "        mfxer 7\n"
    "        mfmsr 8\n"
    "        stw 4, 128(2)\n"
    "        stw 5, 132(2)\n"
    "        stw 6, 136(2)\n"
    "        stw 7, 140(2)\n"
    "        stw 8, 144(2)\n"
    ".endm\n"
    ".macro stack\n"                    /* r3 is the CPU */
    "        mfspr 3, 286\n"
    "        mulli 4, 3, 4096\n"
    "        lis 1, (vcpus_stacks + 4096 - 16)@ha\n"
    "        addi 1, 1, (vcpus_stacks + 4096 - 16)@l\n"
    "        add 1, 1, 4\n"
    ".endm\n"
    ".globl vcpus_entry\n"
    "vcpus_entry:\n"
    "        mfspr 0, 286\n"            /* PIR */
    "        mulli 0, 0, 160\n"
    "        lis 2, vcpus_saved@ha\n"
    "        addi 2, 2, vcpus_saved@l\n"
    "        add 2, 2, 0\n"
    "        li 0, 0\n"
    "        stw 0, 0(2)\n"
    "        stw 1, 4(2)\n"
    "        stw 0, 8(2)\n"
    "        save\n"
    "        stack\n"
    "        mr 31, 3\n"
    "        mr 30, 2\n"
    "        bl vcpus_start\n"
    "        mr 2, 30\n"
    "        lwz 4, 144(2)\n"
    "        mtmsr 4\n"
    "        isync\n"
    "        lwz 4, 128(2)\n"
    "        mtcr 4\n"
    "        lwz 4, 132(2)\n"
    "        mtlr 4\n"
    "        lwz 4, 136(2)\n"
    "        mtctr 4\n"
    "        lwz 4, 140(2)\n"
    "        mtxer 4\n"
    "        cmpwi 31, 0\n"
    "        lwz 0, 0(2)\n"
    "        lwz 1, 4(2)\n"
    "        lmw 3, 12(2)\n"
    "        bne vcpus_wait1\n"
    "vcpus_wait0:\n"
    "        lbz 4, 0(3)\n"
    "        andi. 4, 4, 1\n"           /* a character is there */
    "        beq vcpus_wait0\n"
    "        lis 4, vcpus_wait0@ha\n"
    "        addi 4, 4, vcpus_wait0@l\n"
    "        b 3f\n"
    "vcpus_wait1:\n"
    "        li 4, 0\n"
    "        stw 4, 4(3)\n"
    "        lwz 4, 0(3)\n"
    "        cmpwi 4, 0\n"
    "        beq vcpus_wait1\n"
    "        lis 4, vcpus_wait1@ha\n"
    "        addi 4, 4, vcpus_wait1@l\n"
    "3:      stw 0, 0(2)\n"
    "        stw 1, 4(2)\n"
    "        stw 2, 8(2)\n"
    "        save\n"
    "        stack\n"
    "        mr 4, 2\n"
    "        b vcpus_kept\n"
    "        .balign 16\n"
    "vcpus_exception:\n"
    "        stack\n"
    "        b vcpus_caught\n");
