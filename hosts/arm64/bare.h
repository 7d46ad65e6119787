// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests without a kernel have of QEMU's virt machine and of its AArch64 CPUs. */

#define UART ((volatile unsigned int *)0x09000000)

#define READ(name) ({ \
        unsigned long v_; \
        asm volatile("mrs %0, " name : "=r"(v_)); \
        v_; \
    })
#define WRITE(name, value) \
    asm volatile("msr " name ", %0; isb" : : "r"((unsigned long)(value)))
