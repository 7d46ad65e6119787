// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the guests without a kernel have in common: special registers, and the
 * serial port of QEMU's ppce500 machine, once map_ccsr() was called.
 */

#ifndef BARE_H
#define BARE_H

#define CCSR 0xe0000000u        /* where we map what is at 0xfe0000000 */
#define UART ((volatile unsigned char *)(CCSR + 0x4500))

#define MTSPR(spr, value) asm volatile("mtspr %0, %1" : : "i"(spr), "r"(value))

static void put(const char *s)
{
    while (*s) {
        while (!(UART[5] & 0x20)) {     /* 16550 LSR: transmitter is empty */
        }
        *UART = *s++;
    }
}

static void map_ccsr(void)
{
    MTSPR(624, 0x10010000);             /* MAS0: TLB1, entry 1 */
    MTSPR(625, 0x80000500);             /* MAS1: valid, 1 MiB */
    MTSPR(626, CCSR | 0xa);             /* MAS2: cache inhibited, guarded */
    MTSPR(627, CCSR | 0x3f);            /* MAS3: all rights */
    MTSPR(944, 0xf);                    /* MAS7: above 4 GiB */
    asm volatile("isync; tlbwe; isync" : : : "memory");
    MTSPR(944, 0);                      /* where no other entry is */
}

#endif
