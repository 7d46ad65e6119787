// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest without a kernel for QEMU's ppce500 machine, for cores that the
 * e500v2 kernel is not for: prints one line with the PVR and whether the
 * device tree has KVM's node, then resets the machine. Built for no FPU and
 * linked at 1 MiB, inside the mapping that the machine makes for its start.
 */

#include "bare.h"

#define GUTS_RSTCR ((volatile unsigned int *)(CCSR + 0xe00b0))

static unsigned int stack[1024];

/*
 * Whether the flattened device tree at @fdt (its size is in its second word)
 * has the compatible string of the node that QEMU adds under KVM.
 */
static int has_kvm(const char *fdt)
{
    static const char kvm[] = "linux,kvm";
    unsigned int size = ((const unsigned int *)fdt)[1], n = 0;

    for (unsigned int i = 0; i < size; i++) {
        n = fdt[i] == kvm[n] ? n + 1 : fdt[i] == kvm[0];
        if (n == sizeof(kvm)) {
            return 1;
        }
    }
    return 0;
}

/* ePAPR: r3 is the device tree's address. */
__attribute__((used)) static void start(const char *fdt)
{
    char hex[] = "0x00000000";
    unsigned int pvr;

    map_ccsr();
    asm("mfspr %0, 287" : "=r"(pvr));
    for (int i = 9; i >= 2; i--, pvr >>= 4) {
        hex[i] = "0123456789abcdef"[pvr & 0xf];
    }
    put("bare: up cpu=");
    put(hex);
    put(has_kvm(fdt) ? " accel=kvm\r\n" : " accel=none\r\n");
    *GUTS_RSTCR = 2;                    /* request a reset */
    for (;;) {
    }
}

asm(".globl _start\n"
    "_start: lis 1, (stack + 4096 - 16)@ha\n"
    "        addi 1, 1, (stack + 4096 - 16)@l\n"
    "        b start\n");

/* Keeps the compiler from dropping what only _start uses. */
void *const bare_stack = stack;
