// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest without a kernel for QEMU's virt machine that is to be reset, saved and
 * restored: prints "keeps: up", gives registers of its CPU, of the interrupt controller
 * and memory values of their own, and looks at them all the time. Prints a dot each time
 * that it has been through, and a line that names what it has lost.
 */

#include "../../../hosts/arm64/bare.h"
#define GICD_ISENABLER1 ((volatile unsigned int *)0x08000104)

__attribute__((used)) static unsigned long stack[512];
static volatile unsigned long memory;

static void put(const char *text)
{
    while (*text) {
        *UART = *text++;
    }
}

static void look(const char *name, unsigned long is, unsigned long wanted)
{
    if (is != wanted) {
        put("\r\nkeeps: lost ");
        put(name);
        put("\r\n");
    }
}

/* The registers, by what is done with each: name, value */
#define REGISTERS(_) \
    _("tpidr_el0", 0x0123456789abcdef) \
    _("tpidr_el1", 0xfedcba9876543210) \
    _("tpidrro_el0", 0x5a5a5a5aa5a5a5a5) \
    _("contextidr_el1", 0x12345678) \
    _("mair_el1", 0x00000000bb44ff04) \
    _("far_el1", 0x1122334455667788)
#define GIVE(name, value) WRITE(name, value);
#define LOOK(name, value) look(name, READ(name), value);

__attribute__((used)) static void start(void)
{
    unsigned long d8;

    put("\r\nkeeps: up\r\n");
    WRITE("cpacr_el1", 3 << 20);
    asm volatile("fmov d8, %0" : : "r"(0x400921fb54442d18));
    memory = 0x600dda7a;
    *GICD_ISENABLER1 = 0x5a;
    REGISTERS(GIVE)
    for (;;) {
        for (int i = 0; i < 100000; i++) {
            asm volatile("");
        }
        REGISTERS(LOOK)
        asm volatile("fmov %0, d8" : "=r"(d8));
        look("d8", d8, 0x400921fb54442d18);
        look("GICD_ISENABLER1", *GICD_ISENABLER1, 0x5a);
        look("memory", memory, 0x600dda7a);
        put(".");
    }
}

asm(".globl _start\n"
    "_start: adrp x0, stack + 4096\n"
    "        add x0, x0, :lo12:stack + 4096\n"
    "        mov sp, x0\n"
    "        b start\n");
