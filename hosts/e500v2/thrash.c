// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest without a kernel for QEMU's ppce500 machine that takes a data TLB miss
 * at every turn: prints "thrash: up", then reads one word of each of 1024 pages,
 * over and over, whose entries a handler writes into TLB0, which has 512. When
 * it is stopped, KVM often holds such a miss for it. It prints a dot for each
 * time that it has been through, and says so when it takes another exception.
 * Built and linked like bare.c.
 */

#include "bare.h"

unsigned int thrash_stack[1024];
extern char thrash_miss[], thrash_other[];

#define IVOR(n, to) MTSPR(400 + (n), (unsigned int)(to) & 0xffff)

__attribute__((used)) void thrash_start(void)
{
    map_ccsr();
    MTSPR(63, 0x100000);                /* IVPR */
    IVOR(0, thrash_other);
    IVOR(1, thrash_other);
    IVOR(2, thrash_other);
    IVOR(3, thrash_other);
    IVOR(4, thrash_other);
    IVOR(5, thrash_other);
    IVOR(6, thrash_other);
    IVOR(7, thrash_other);
    IVOR(8, thrash_other);
    IVOR(9, thrash_other);
    IVOR(10, thrash_other);
    IVOR(11, thrash_other);
    IVOR(12, thrash_other);
    IVOR(13, thrash_miss);
    IVOR(14, thrash_other);
    IVOR(15, thrash_other);
    MTSPR(628, 0x00000100);             /* MAS4: new entries go to TLB0, 4 KiB */
    put("\r\nthrash: up\r\n");
}

__attribute__((used)) void thrash_dot(void)
{
    put(".");
}

__attribute__((used)) void thrash_bad(void)
{
    put("\r\nthrash: another exception\r\n");
    for (;;) {
    }
}

/*
 * The miss leaves MAS0 to MAS2 as tlbwe needs them; each page is mapped to the
 * same one, 16 MiB into memory. r28 is the handler's.
 */
asm(".globl _start\n"
    "_start: lis 1, (thrash_stack + 4096 - 16)@ha\n"
    "        addi 1, 1, (thrash_stack + 4096 - 16)@l\n"
    "        bl thrash_start\n"
    "1:      li 31, 1024\n"
    "        lis 30, 0x1000\n"          /* 256 MiB */
    "2:      lwz 29, 0(30)\n"
    "        addi 30, 30, 4096\n"
    "        addic. 31, 31, -1\n"
    "        bne 2b\n"
    "        bl thrash_dot\n"
    "        b 1b\n"
    "        .balign 16\n"
    "thrash_miss:\n"
    "        lis 28, 0x100\n"
    "        ori 28, 28, 0x3f\n"
    "        mtspr 627, 28\n"           /* MAS3 */
    "        isync\n"
    "        tlbwe\n"
    "        rfi\n"
    "        .balign 16\n"
    "thrash_other:\n"
    "        lis 1, (thrash_stack + 4096 - 16)@ha\n"
    "        addi 1, 1, (thrash_stack + 4096 - 16)@l\n"
    "        b thrash_bad\n");
