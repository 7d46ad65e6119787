// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A 32-bit guest without a kernel for QEMU's virt machine: prints one line with
 * the CPU's MIDR, its execution state and whether it runs under KVM, and
 * switches the machine off. It takes no time under TCG inside an emulated host,
 * where a 32-bit Linux takes minutes.
 */

#define UART ((volatile unsigned int *)0x09000000)

/*
 * SMC Calling Convention (DEN0028): UID of the vendor's hypervisor service,
 * and the first word of KVM's; PSCI (DEN0022): SYSTEM_OFF
 */
#define VENDOR_HYP_UID 0x8600ff01u
#define KVM_UID_0 0xb66fb428u
#define PSCI_SYSTEM_OFF 0x84000008u

__attribute__((used)) static unsigned int stack[512];

static unsigned int hvc(unsigned int function)
{
    register unsigned int r0 asm("r0") = function;

    asm volatile(".arch_extension virt\n hvc #0"
                 : "+r"(r0) : : "r1", "r2", "r3", "memory");
    return r0;
}

static void put(const char *text)
{
    while (*text) {
        *UART = *text++;
    }
}

__attribute__((used)) static void start(void)
{
    char hex[] = "0x00000000";
    unsigned int midr, cpsr;

    asm volatile("mrc p15, 0, %0, c0, c0, 0" : "=r"(midr));
    /* An AArch64 CPU in AArch32 state executes this as well. */
    asm volatile("mrs %0, cpsr" : "=r"(cpsr));
    for (int i = 9; i >= 2; i--, midr >>= 4) {
        hex[i] = "0123456789abcdef"[midr & 0xf];
    }
    put("bare: up midr=");
    put(hex);
    put((cpsr & 0x10) ? " state=aarch32" : " state=unknown");
    put(hvc(VENDOR_HYP_UID) == KVM_UID_0 ? " accel=kvm\r\n" :
                                           " accel=none\r\n");
    hvc(PSCI_SYSTEM_OFF);
    for (;;) {
    }
}

asm(".globl _start\n"
    ".arm\n"
    "_start: ldr sp, =stack + 2048\n"
    "        bl start\n");
